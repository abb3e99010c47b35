package io.github.workerregistry;

import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.internal.SerialDelivery;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One listener's bounded queue, drained serially on its executor.
 *
 * <p>{@link #offer} is called under the registry's lock and only enqueues. {@link #wake} is called after the lock has
 * been released and submits the drain to the executor. When the queue is full, further events are dropped until the
 * listener has emptied it; it then receives one {@link WorkerEvent.Overflowed} with their number. A queue is closed if
 * its executor will accept no task again.
 */
final class ListenerQueue implements Subscription, SerialDelivery.Calls {

    private static final Logger log = LoggerFactory.getLogger(ListenerQueue.class);

    private final WorkerListener listener;
    private final int capacity;
    private final Consumer<ListenerQueue> onClose;
    private final SerialDelivery delivery;

    private final Deque<WorkerEvent> queue = new ArrayDeque<>();
    private long dropped;
    private boolean closed;

    ListenerQueue(
            WorkerListener listener,
            Executor executor,
            int capacity,
            InstantSource clock,
            Consumer<ListenerQueue> onClose) {
        this.listener = listener;
        this.capacity = capacity;
        this.onClose = onClose;
        this.delivery = new SerialDelivery(executor, clock, log, () -> "listener " + nameOf(listener), this);
    }

    /** Enqueues all events of one step, or drops all of them. The last step may exceed the capacity. */
    synchronized void offer(WorkerEvent... step) {
        if (closed) {
            return;
        }
        if (dropped > 0 || queue.size() >= capacity) {
            dropped += step.length;
        } else {
            Collections.addAll(queue, step);
        }
    }

    void wake() {
        delivery.wake();
    }

    /** Whether a thread is calling the listener, or is about to. */
    boolean isDelivering() {
        return delivery.isDelivering();
    }

    @Override
    public void close() {
        long unused = end();
    }

    /** Closes this queue. Returns the number of undelivered events; -1 if it was closed already. */
    private long end() {
        long undelivered;
        synchronized (this) {
            undelivered = closed ? -1 : queue.size() + dropped;
            closed = true;
            queue.clear();
            dropped = 0;
        }
        onClose.accept(this);
        return undelivered;
    }

    @Override
    public void executorEnded(String reason) {
        long undelivered = end();
        if (undelivered >= 0) {
            log.warn("listener {} is dropped: {}; {} events are lost", nameOf(listener), reason, undelivered);
        }
    }

    @Override
    public synchronized boolean isEmpty() {
        return queue.isEmpty() && dropped == 0;
    }

    @Override
    public synchronized @Nullable Runnable next() {
        WorkerEvent event = queue.poll();
        if (event == null && dropped > 0) {
            event = new WorkerEvent.Overflowed(dropped);
            dropped = 0;
        }
        WorkerEvent next = event;
        return next == null ? null : () -> deliver(next);
    }

    private void deliver(WorkerEvent event) {
        try {
            listener.onEvent(event);
        } catch (Throwable t) { // foreign code: must not end the feed
            logFailure(event, t);
        }
    }

    private void logFailure(WorkerEvent event, Throwable failure) {
        try {
            log.warn(
                    "listener {} failed on {}; the next event is still delivered",
                    nameOf(listener),
                    nameOf(event),
                    LogText.of(failure));
        } catch (Throwable ignored) {
            // Logging may fail for want of memory, too.
        }
    }

    private static String nameOf(WorkerListener listener) {
        return listener.getClass().getName();
    }

    /** Omits the worker's output, which the event may contain. */
    private static String nameOf(WorkerEvent event) {
        String name = event.getClass().getSimpleName();
        return event instanceof WorkerEvent.OfWorker one
                ? name + " of worker " + one.worker().id()
                : name;
    }
}
