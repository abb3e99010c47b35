package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Subscription;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.internal.SerialDelivery;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One listener of a worker's output: a bounded queue of lines, drained on the listener's executor. When it is full,
 * further lines are dropped until the listener has emptied it; the listener then gets their number. Thread-safe.
 */
final class OutputFollower implements Subscription, SerialDelivery.Calls {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    static final int MAX_LINES = 10_000;
    static final int MAX_CHARS = 1 << 20;

    private final Supplier<?> name;
    private final OutputListener listener;
    private final Consumer<OutputFollower> onClose;
    private final SerialDelivery delivery;
    private final int generation;
    private final long offset;

    private final Deque<String> lines = new ArrayDeque<>();
    private int chars;
    private long dropped;
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
        this.onClose = onClose;
        this.delivery = new SerialDelivery(executor, clock, log, this::describe, this);
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

    /** Whether it was closed, or its last call has begun. */
    synchronized boolean isClosed() {
        return closed;
    }

    /** Starts the delivery, if there is something to deliver. Called with no lock held, outside of decisions. */
    void wake() {
        delivery.wake();
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

    @Override
    public void executorEnded(String reason) {
        long undelivered = discard();
        if (undelivered >= 0) {
            log.warn("{} is dropped: {}; {} lines are lost", describe(), reason, undelivered);
        }
    }

    private String describe() {
        return "worker " + name.get() + ": the output listener "
                + listener.getClass().getName();
    }

    @Override
    public synchronized boolean isEmpty() {
        return closed || (lines.isEmpty() && dropped == 0 && !ending);
    }

    @Override
    public synchronized @Nullable Runnable next() {
        String line = lines.poll();
        if (line != null) {
            chars -= line.length();
            return () -> deliver(to -> to.onLine(line));
        }
        if (dropped > 0) {
            long missing = dropped;
            dropped = 0;
            return () -> deliver(to -> to.onDropped(missing));
        }
        if (ending && !closed) {
            closed = true;
            return this::deliverEnd;
        }
        return null;
    }

    private void deliverEnd() {
        onClose.accept(this);
        deliver(OutputListener::onEnd);
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
            log.warn("{} failed; the next line is still delivered", describe(), LogText.of(failure));
        } catch (Throwable ignored) {
            // Logging may fail for want of memory, too.
        }
    }
}
