package io.github.workerregistry.pool;

import io.github.workerregistry.Subscription;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.internal.SerialDelivery;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The listeners of a pool, each with a bounded queue. Thread-safe. */
final class PoolFeed {

    private static final Logger log = LoggerFactory.getLogger(WorkerPool.class);

    /** Events that a listener may fall behind; further ones are dropped until it has room again. */
    private static final int CAPACITY = 1024;

    private final InstantSource clock;
    private final List<ListenerEvents> listeners = new CopyOnWriteArrayList<>();

    PoolFeed(InstantSource clock) {
        this.clock = clock;
    }

    Subscription subscribe(PoolListener listener, Executor executor) {
        ListenerEvents events = new ListenerEvents(listener, executor);
        listeners.add(events);
        return events;
    }

    /** Enqueues an event. Called by the runner, so that all listeners see one order. */
    void publish(PoolEvent event) {
        listeners.forEach(events -> events.add(event));
    }

    /** Passes what is enqueued to the executors. Called with no lock held, and not by a pass. */
    void deliver() {
        listeners.forEach(events -> events.delivery.wake());
    }

    /** Passes on what is enqueued; there will be nothing more. */
    void close() {
        deliver();
        listeners.clear();
    }

    private final class ListenerEvents implements Subscription, SerialDelivery.Calls {
        private final PoolListener listener;
        private final SerialDelivery delivery;
        private final Queue<PoolEvent> queue = new ArrayDeque<>();
        private boolean dropping;
        private boolean closed;

        ListenerEvents(PoolListener listener, Executor executor) {
            this.listener = listener;
            delivery = new SerialDelivery(executor, clock, log, this::describe, this);
        }

        private String describe() {
            return "the pool listener " + listener.getClass().getName();
        }

        void add(PoolEvent event) {
            if (isFirstDropped(event)) {
                log.warn("{} is {} events behind and misses further ones", describe(), CAPACITY);
            }
        }

        private synchronized boolean isFirstDropped(PoolEvent event) {
            if (closed) {
                return false;
            }
            boolean wasDropping = dropping;
            dropping = queue.size() >= CAPACITY;
            if (!dropping) {
                queue.add(event);
            }
            return dropping && !wasDropping;
        }

        @Override
        public synchronized boolean isEmpty() {
            return queue.isEmpty();
        }

        @Override
        public synchronized @Nullable Runnable next() {
            PoolEvent event = queue.poll();
            return event == null ? null : () -> deliver(event);
        }

        private void deliver(PoolEvent event) {
            try {
                listener.onEvent(event);
            } catch (Throwable t) { // foreign code: must not end the feed
                logFailure(t);
            }
        }

        private void logFailure(Throwable failure) {
            try {
                log.warn("{} failed; the next event is still delivered", describe(), LogText.of(failure));
            } catch (Throwable ignored) {
                // Logging may fail for want of memory, too.
            }
        }

        @Override
        public void executorEnded(String reason) {
            if (end()) {
                log.warn("{} is dropped: {}", describe(), reason);
            }
        }

        @Override
        public void close() {
            boolean unused = end();
        }

        /** Returns false if it had been ended before. */
        private boolean end() {
            boolean first;
            synchronized (this) {
                first = !closed;
                closed = true;
                queue.clear();
            }
            listeners.remove(this);
            return first;
        }
    }
}
