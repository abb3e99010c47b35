package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Subscription;
import io.github.workerregistry.internal.ExecutorRefusals;
import io.github.workerregistry.internal.LogText;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One listener of a worker's output: a bounded queue of lines, drained on the listener's executor, as the registry's
 * queue of events is. When it is full, further lines are dropped until the listener has emptied it; the listener then
 * gets their number. Thread-safe.
 */
final class OutputFollower implements Subscription {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    static final int MAX_LINES = 10_000;
    static final int MAX_CHARS = 1 << 20;

    /** Lines delivered per task, so that a busy worker does not occupy a thread of a shared executor. */
    private static final int BATCH = 64;

    private static final Consumer<OutputListener> END = OutputListener::onEnd;

    private final Supplier<?> name;
    private final OutputListener listener;
    private final Executor executor;
    private final InstantSource clock;
    private final Consumer<OutputFollower> onClose;
    private final ExecutorRefusals refusals; // confined to the thread that starts a drain
    private final int generation;
    private final long offset;

    private final Deque<String> lines = new ArrayDeque<>();
    private int chars;
    private long dropped;
    private boolean draining;
    private boolean ending;
    private boolean closed;

    /**
     * A follower from now on.
     *
     * @param name the worker as log lines name it
     * @param generation the generation that runs now
     * @param offset the bytes that it has written so far
     */
    OutputFollower(
            Supplier<?> name,
            OutputListener listener,
            Executor executor,
            InstantSource clock,
            Consumer<OutputFollower> onClose,
            int generation,
            long offset) {
        this.name = name;
        this.listener = listener;
        this.executor = executor;
        this.clock = clock;
        this.onClose = onClose;
        this.refusals = new ExecutorRefusals(executor);
        this.generation = generation;
        this.offset = offset;
    }

    /** The offset in the output of a generation from which on lines are wanted. */
    long wantedFrom(int generation) {
        return generation == this.generation ? offset : 0;
    }

    /** Drops the next line if there is no room for any; returns whether it did. */
    synchronized boolean dropIfFull() {
        boolean full = dropped > 0 || lines.size() >= MAX_LINES;
        dropped += full ? 1 : 0;
        return full || closed || ending;
    }

    /** Enqueues a line, or drops it. */
    synchronized void offer(String line) {
        if (closed || ending) {
            return;
        }
        if (dropped > 0 || lines.size() >= MAX_LINES || chars + line.length() > MAX_CHARS) {
            dropped++;
        } else {
            lines.add(line);
            chars += line.length();
        }
    }

    /** Lines are missing after those enqueued so far. */
    synchronized void drop(long missing) {
        if (!closed && !ending) {
            dropped += missing;
        }
    }

    /** No more lines follow. Returns false if that was known. */
    synchronized boolean end() {
        boolean first = !ending;
        ending = true;
        return first;
    }

    /** Starts the delivery, if there is something to deliver. Called with no lock held, outside of decisions. */
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
        long unused = discard();
    }

    /** Closes this queue. Returns the number of undelivered lines; -1 if it was closed already. */
    private long discard() {
        long undelivered;
        synchronized (this) {
            undelivered = closed ? -1 : lines.size() + dropped;
            closed = true;
            lines.clear();
            dropped = 0;
        }
        onClose.accept(this);
        return undelivered;
    }

    private void closeBecause(String reason) {
        long undelivered = discard();
        if (undelivered >= 0) {
            log.warn(
                    "worker {}: the output listener {} is dropped: {}; {} lines are lost",
                    name.get(),
                    listener.getClass().getName(),
                    reason,
                    undelivered);
        }
    }

    private synchronized boolean startDraining() {
        if (draining || closed || (lines.isEmpty() && dropped == 0 && !ending)) {
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
            log.debug("worker {}: the executor of an output listener rejected a task; lines stay queued", name.get());
        } catch (Throwable t) { // foreign code
            refused(drain);
            log.warn(
                    "worker {}: the executor of the output listener {} failed; lines stay queued",
                    name.get(),
                    listener.getClass().getName(),
                    LogText.of(t));
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

    private synchronized void stopDraining() {
        draining = false;
    }

    /** Why the executor that has just refused a task will accept no other one; null if it may. */
    private @Nullable String permanentRefusal() {
        try {
            return refusals.reasonNotToRetry(clock.instant());
        } catch (Throwable t) { // foreign code
            return null;
        }
    }

    /** One drain. Foreign code might run it and then throw, or run it twice. */
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

    private void drain() {
        for (int i = 0; i < BATCH; i++) {
            Consumer<OutputListener> call = next();
            if (call == null) {
                return;
            }
            deliver(call);
        }
        submitDrain();
    }

    /** The next call of the listener; null if there is none, which ends the drain. */
    @SuppressWarnings("ReferenceEquality") // END is one object
    private @Nullable Consumer<OutputListener> next() {
        Consumer<OutputListener> call = poll();
        if (call == END) {
            onClose.accept(this);
        }
        return call;
    }

    private synchronized @Nullable Consumer<OutputListener> poll() {
        String line = lines.poll();
        if (line != null) {
            chars -= line.length();
            return to -> to.onLine(line);
        }
        if (dropped > 0) {
            long missing = dropped;
            dropped = 0;
            return to -> to.onDropped(missing);
        }
        if (ending && !closed) {
            closed = true;
            return END;
        }
        draining = false;
        return null;
    }

    private void deliver(Consumer<OutputListener> call) {
        try {
            call.accept(listener);
        } catch (Throwable t) { // foreign code: must not end the subscription
            logFailure(t);
        }
    }

    private void logFailure(Throwable failure) {
        try {
            log.warn(
                    "worker {}: the output listener {} failed; the next line is still delivered",
                    name.get(),
                    listener.getClass().getName(),
                    LogText.of(failure));
        } catch (Throwable ignored) {
            // Logging may fail for want of memory, too.
        }
    }
}
