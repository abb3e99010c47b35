package io.github.workerregistry.pool;

import io.github.workerregistry.Subscription;
import io.github.workerregistry.internal.LogText;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The listeners of a pool, each with a bounded queue. Thread-safe. */
final class PoolFeed {

    private static final Logger log = LoggerFactory.getLogger(WorkerPool.class);

    /** Events that a listener may fall behind; further ones are dropped. */
    private static final int CAPACITY = 1024;

    private final List<Listening> listeners = new CopyOnWriteArrayList<>();

    Subscription subscribe(PoolListener listener, Executor executor) {
        Listening listening = new Listening(listener, executor);
        listeners.add(listening);
        return listening;
    }

    /** Enqueues an event. Called by the runner, so that all listeners see one order. */
    void publish(PoolEvent event) {
        listeners.forEach(listening -> listening.add(event));
    }

    /** Passes what is enqueued to the executors. Called with no lock held, and not by a pass. */
    void deliver() {
        listeners.forEach(Listening::submit);
    }

    void close() {
        listeners.clear();
    }

    private final class Listening implements Subscription {
        private final PoolListener listener;
        private final Executor executor;
        private final Queue<PoolEvent> queue = new ConcurrentLinkedQueue<>();
        private final AtomicInteger size = new AtomicInteger();
        private final AtomicBoolean isSubmitted = new AtomicBoolean();

        Listening(PoolListener listener, Executor executor) {
            this.listener = listener;
            this.executor = executor;
        }

        void add(PoolEvent event) {
            if (size.get() >= CAPACITY) {
                log.warn("a pool listener is {} events behind; it misses {}", CAPACITY, LogText.of(event.toString()));
                return;
            }
            size.incrementAndGet();
            queue.add(event);
        }

        void submit() {
            if (queue.isEmpty() || !isSubmitted.compareAndSet(false, true)) {
                return;
            }
            try {
                executor.execute(this::deliver);
            } catch (Throwable refused) {
                log.warn("the executor of a pool listener refused; the listener is unsubscribed", LogText.of(refused));
                close();
            }
        }

        private void deliver() {
            for (PoolEvent event = queue.poll(); event != null; event = queue.poll()) {
                size.decrementAndGet();
                try {
                    listener.onEvent(event);
                } catch (Throwable t) { // foreign code
                    log.warn("a pool listener failed", LogText.of(t));
                }
            }
            isSubmitted.set(false);
            submit(); // an event may have come in between
        }

        @Override
        public void close() {
            listeners.remove(this);
        }
    }
}
