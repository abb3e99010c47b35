package io.github.workerregistry.internal;

import static java.util.Objects.requireNonNull;

import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * Calls one listener on its executor, one call after another, with no lock held. The executor is foreign code: it may
 * refuse a task, throw, run a task twice, or never run it. Thread-safe.
 */
public final class SerialDelivery {

    /** Calls per task, so that a busy listener does not occupy a thread of a shared executor. */
    private static final int BATCH = 64;

    /** What the listener is to be called with. {@link #isEmpty} and {@link #next} are called under a lock. */
    public interface Calls {
        /** Whether there is none at present. */
        boolean isEmpty();

        /** Removes and returns the next call, which must not throw; null if there is none. */
        @Nullable
        Runnable next();

        /** The executor will accept no task again; there is no delivery any more. Called with no lock held. */
        void executorEnded(String reason);
    }

    private final Executor executor;
    private final InstantSource clock;
    private final Logger log;
    private final Supplier<String> listener;
    private final Calls calls;
    private final ExecutorRefusals refusals; // confined to the thread that starts a drain

    private boolean draining;
    private boolean delivering;

    /**
     * Nothing is delivered before {@link #wake}.
     *
     * @param listener describes the listener in log lines
     */
    public SerialDelivery(Executor executor, InstantSource clock, Logger log, Supplier<String> listener, Calls calls) {
        this.executor = requireNonNull(executor, "executor");
        this.clock = requireNonNull(clock, "clock");
        this.log = requireNonNull(log, "log");
        this.listener = requireNonNull(listener, "listener");
        this.calls = requireNonNull(calls, "calls");
        this.refusals = new ExecutorRefusals(executor);
    }

    /** Starts the delivery, if there is something to deliver. Called with no lock held, after something was added. */
    public void wake() {
        if (startDraining()) {
            submit(newDrain());
        } else if (isStuck()) {
            calls.executorEnded("its executor has terminated without running a task");
        }
    }

    /** Whether a thread is calling the listener, or is about to. */
    public synchronized boolean isDelivering() {
        return delivering;
    }

    /** Whether a drain was submitted that will never run. */
    private boolean isStuck() {
        synchronized (this) {
            if (!draining) {
                return false;
            }
        }
        try {
            return refusals.isTerminated();
        } catch (Throwable t) { // foreign code
            return false;
        }
    }

    private synchronized boolean startDraining() {
        if (draining || calls.isEmpty()) {
            return false;
        }
        draining = true;
        return true;
    }

    private Drain newDrain() {
        try {
            return new Drain();
        } catch (Throwable t) { // no memory
            stopDraining();
            throw t;
        }
    }

    private void submit(Drain drain) {
        try {
            executor.execute(drain);
        } catch (RejectedExecutionException e) {
            refused(drain);
            log.debug("{}: its executor rejected a task; the calls stay queued", listener.get());
        } catch (Throwable t) { // foreign code: must not fail the caller
            refused(drain);
            log.warn("{}: its executor failed; the calls stay queued", listener.get(), LogText.of(t));
        }
    }

    private void refused(Drain drain) {
        if (drain.claim()) {
            String reason = permanentRefusal();
            stopDraining();
            if (reason != null) {
                calls.executorEnded(reason);
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

    private synchronized void stopDraining() {
        draining = false;
        delivering = false;
    }

    /**
     * One task of the executor. Foreign code might run it and then throw, or run it twice; the claim ensures that two
     * never deliver at a time.
     */
    private final class Drain implements Runnable {
        private final AtomicBoolean claimed = new AtomicBoolean();
        private volatile @Nullable Thread submitter;
        private boolean isInline; // of the submitter

        @Override
        public void run() {
            if (claim()) {
                refusals.accepted();
                if (Thread.currentThread().equals(submitter)) {
                    isInline = true;
                } else {
                    drain();
                }
            }
        }

        boolean claim() {
            return claimed.compareAndSet(false, true);
        }

        /**
         * Submits this after another one, which is running. Returns whether that one goes on in its place: an executor
         * that runs tasks inline would run this one inside it, and the next one inside this, until the stack is full.
         */
        boolean submitNext() {
            submitter = Thread.currentThread();
            submit(this);
            submitter = null;
            return isInline;
        }
    }

    private void drain() {
        boolean goesOn;
        do {
            goesOn = deliverBatch() && newDrain().submitNext();
        } while (goesOn);
    }

    /** Returns whether there may be more calls. */
    private boolean deliverBatch() {
        try {
            for (int i = 0; i < BATCH; i++) {
                Runnable call = next();
                if (call == null) {
                    return false;
                }
                call.run();
            }
            return true;
        } catch (Throwable t) { // no memory: the next wake starts again
            stopDraining();
            throw t;
        }
    }

    /** The next call; null if there is none, which ends the drain. */
    private synchronized @Nullable Runnable next() {
        Runnable call = calls.next();
        draining = call != null;
        delivering = draining;
        return call;
    }
}
