package io.github.workerregistry;

import io.github.workerregistry.internal.ExecutorRefusals;
import io.github.workerregistry.internal.LogText;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Collections;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
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
final class ListenerQueue implements Subscription {

    private static final Logger log = LoggerFactory.getLogger(ListenerQueue.class);

    /** Events delivered per task, so that a busy feed does not occupy a thread of a shared executor. */
    private static final int BATCH = 64;

    private final WorkerListener listener;
    private final Executor executor;
    private final int capacity;
    private final InstantSource clock;
    private final Consumer<ListenerQueue> onClose;
    private final ExecutorRefusals refusals; // confined to the thread that starts a drain

    private final Deque<WorkerEvent> queue = new ArrayDeque<>();
    private long dropped;
    private boolean draining;
    private boolean delivering;
    private boolean closed;

    ListenerQueue(
            WorkerListener listener,
            Executor executor,
            int capacity,
            InstantSource clock,
            Consumer<ListenerQueue> onClose) {
        this.listener = listener;
        this.executor = executor;
        this.capacity = capacity;
        this.clock = clock;
        this.onClose = onClose;
        this.refusals = new ExecutorRefusals(executor);
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
        if (startDraining()) {
            submitDrain();
        } else if (isStuck()) {
            closeBecause("its executor has terminated without running a task");
        }
    }

    /** Whether a drain was submitted that will never run. */
    private boolean isStuck() {
        synchronized (this) {
            if (closed || !draining) {
                return false;
            }
        }
        try {
            return refusals.isTerminated();
        } catch (Throwable t) { // foreign code
            return false;
        }
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

    private void closeBecause(String reason) {
        long undelivered = end();
        if (undelivered >= 0) {
            log.warn("listener {} is dropped: {}; {} events are lost", nameOf(listener), reason, undelivered);
        }
    }

    private synchronized boolean startDraining() {
        if (draining || (queue.isEmpty() && dropped == 0)) {
            return false;
        }
        draining = true;
        return true;
    }

    private void submitDrain() {
        Drain drain = new Drain();
        try {
            executor.execute(drain);
        } catch (RejectedExecutionException e) {
            refused(drain);
            log.debug("the executor of {} rejected a task; events stay queued", nameOf(listener));
        } catch (Throwable t) { // foreign code: must not fail the caller's transition
            refused(drain);
            log.warn("the executor of {} failed; events stay queued", nameOf(listener), LogText.of(t));
        }
    }

    private void refused(Drain drain) {
        if (drain.claim()) {
            String reason = permanentRefusal();
            stopDraining();
            if (reason != null) {
                closeBecause(reason);
            }
        }
    }

    /** Why the executor that has just refused a task will accept no other one; null if it may. */
    private @Nullable String permanentRefusal() {
        try {
            return refusals.reasonNotToRetry(clock.instant());
        } catch (Throwable t) { // foreign code
            return null;
        }
    }

    /**
     * One drain, submitted to the executor. Foreign code might run it and then throw, or run it twice; the claim
     * ensures that two drains never run at a time.
     */
    private final class Drain implements Runnable {
        private final AtomicBoolean claimed = new AtomicBoolean();

        @Override
        public void run() {
            if (claim()) {
                refusals.accepted();
                drain();
            }
        }

        boolean claim() {
            return claimed.compareAndSet(false, true);
        }
    }

    private synchronized void stopDraining() {
        draining = false;
        delivering = false;
    }

    /** Whether a thread is calling the listener, or is about to. */
    synchronized boolean isDelivering() {
        return delivering;
    }

    private void drain() {
        for (int i = 0; i < BATCH; i++) {
            WorkerEvent event = next();
            if (event == null) {
                return;
            }
            deliver(event);
        }
        submitDrain();
    }

    /** The next event; null if there is none, which ends the drain. */
    private synchronized @Nullable WorkerEvent next() {
        WorkerEvent event = queue.poll();
        if (event == null && dropped > 0) {
            event = new WorkerEvent.Overflowed(dropped);
            dropped = 0;
        }
        draining = event != null;
        delivering = draining;
        return event;
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
