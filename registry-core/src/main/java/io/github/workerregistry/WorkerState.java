package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.time.Instant;

/**
 * Where a worker is in its life. Each state carries only what it needs, and knows what may follow it:
 *
 * <pre>
 *             ready                  first lease
 *  Loading ----------&gt; Idle  &lt;-----------------------&gt;  Busy        any routable or Loading state
 *     ^                  |          last release          |            | crash, fail-fast
 *     | restart          | idle too long / stop           |            v
 *     | (generation+1)   v                                |        BackingOff(attempt, retryAt, cause)
 *  BackingOff        Stopping(reason) &lt;-------------------+            | breaker open, stop
 *                        | exited                                      v
 *                        +-----------------&gt; removed &lt;-----------------+
 * </pre>
 *
 * <p>Two edges are not in the picture. A worker that is still {@code Loading} can be stopped too. And a worker that was
 * ended because it {@linkplain Exit.Cause#isFailure() failed}, or in order to be restarted, goes from {@code Stopping}
 * to {@code BackingOff} when its process has gone, so that {@code BackingOff} always means: there is no process.
 */
public sealed interface WorkerState {

    /**
     * Whether {@code next} may follow this state. {@code Idle} and {@code Busy} may follow themselves, which changes
     * nothing.
     *
     * @param next the state that would follow
     * @return true if the life of a worker has this edge
     * @throws NullPointerException if {@code next} is null
     */
    boolean canBecome(WorkerState next);

    /**
     * Whether requests may be sent to a worker in this state.
     *
     * @return true for {@code Idle} and {@code Busy}
     */
    default boolean routable() {
        return false;
    }

    /**
     * The state's name on the wire and in logs.
     *
     * @return {@code loading}, {@code idle}, {@code busy}, {@code backing_off} or {@code stopping}
     */
    String label();

    /**
     * The process runs and the model is being loaded; no requests yet.
     *
     * @param since when this load began
     */
    record Loading(Instant since) implements WorkerState {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if {@code since} is null
         */
        public Loading {
            requireNonNull(since, "since");
        }

        @Override
        public boolean canBecome(WorkerState next) {
            requireNonNull(next, "next");
            return next instanceof Idle || next instanceof BackingOff || next instanceof Stopping;
        }

        @Override
        public String label() {
            return "loading";
        }
    }

    /** Ready, with no slot in use. */
    record Idle() implements WorkerState {
        @Override
        public boolean canBecome(WorkerState next) {
            requireNonNull(next, "next");
            return next.routable() || next instanceof BackingOff || next instanceof Stopping;
        }

        @Override
        public boolean routable() {
            return true;
        }

        @Override
        public String label() {
            return "idle";
        }
    }

    /** Ready, with at least one slot in use. */
    record Busy() implements WorkerState {
        @Override
        public boolean canBecome(WorkerState next) {
            requireNonNull(next, "next");
            return next.routable() || next instanceof BackingOff || next instanceof Stopping;
        }

        @Override
        public boolean routable() {
            return true;
        }

        @Override
        public String label() {
            return "busy";
        }
    }

    /**
     * The process has gone and a new one will be started.
     *
     * @param attempt which restart in a row comes next, &ge; 1
     * @param retryAt when it comes
     * @param cause the end that led here
     */
    record BackingOff(int attempt, Instant retryAt, Exit cause) implements WorkerState {
        /**
         * Checks the count.
         *
         * @throws IllegalArgumentException if {@code attempt} is not positive
         */
        public BackingOff {
            if (attempt < 1) {
                throw new IllegalArgumentException("attempt must be >= 1, was " + attempt);
            }
            requireNonNull(retryAt, "retryAt");
            requireNonNull(cause, "cause");
        }

        @Override
        public boolean canBecome(WorkerState next) {
            requireNonNull(next, "next");
            return next instanceof Loading;
        }

        @Override
        public String label() {
            return "backing_off";
        }
    }

    /**
     * No new requests; the process is being ended. Leases that are open may be used to their end.
     *
     * @param reason why
     */
    record Stopping(Exit.Cause reason) implements WorkerState {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if {@code reason} is null
         */
        public Stopping {
            requireNonNull(reason, "reason");
        }

        @Override
        public boolean canBecome(WorkerState next) {
            requireNonNull(next, "next");
            return next instanceof BackingOff && (reason.isFailure() || reason == Exit.Cause.RESTART);
        }

        @Override
        public String label() {
            return "stopping";
        }
    }
}
