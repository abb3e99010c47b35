package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.time.Instant;

/**
 * The life-cycle state of a worker. Each state carries only its own data, and defines which states may follow it:
 *
 * <pre>
 *             ready                  first lease
 *  Loading ----------&gt; Idle  &lt;-----------------------&gt;  Busy        any routable or Loading state
 *     ^                  |          last release          |            | crash, fail-fast
 *     | restart          | idle too long / stop           |            v
 *     | (generation+1)   v                                |        BackingOff(attempt, retryAt, exit)
 *  BackingOff        Stopping(reason) &lt;-------------------+            | stop
 *                        | exited                                      v
 *                        +-----------------&gt; removed &lt;-----------------+
 * </pre>
 *
 * <p>Three transitions are not in the picture. A {@code Loading} worker can be stopped, too. A worker that was stopped
 * because it {@linkplain Exit.Cause#isFailure() failed}, for a restart, or to be replaced in place, goes from
 * {@code Stopping} to {@code BackingOff} when its process has exited; so {@code BackingOff} always means that there is
 * no process. A worker in a crash loop is removed at the exit of its process, from whatever state, without
 * {@code BackingOff}.
 *
 * @since 0.1
 */
public sealed interface WorkerState {

    /**
     * Whether {@code next} may follow this state. {@code Idle} and {@code Busy} may follow themselves, without effect.
     *
     * @param next the state that would follow
     * @return true if there is such a transition
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
     * @since 0.1
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

    /**
     * Ready, with no slot in use.
     *
     * @since 0.1
     */
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

    /**
     * Ready, with at least one slot in use.
     *
     * @since 0.1
     */
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
     * The process has exited and a new one will be started.
     *
     * @param attempt the number of the next restart in a row, &ge; 1
     * @param retryAt when it is due
     * @param exit the last exit
     * @since 0.1
     */
    record BackingOff(int attempt, Instant retryAt, Exit exit) implements WorkerState {
        /**
         * Checks the components.
         *
         * @throws NullPointerException if a component is null; the message names it
         * @throws IllegalArgumentException if {@code attempt} is not positive
         */
        public BackingOff {
            if (attempt < 1) {
                throw new IllegalArgumentException("attempt must be >= 1, was " + attempt);
            }
            requireNonNull(retryAt, "retryAt");
            requireNonNull(exit, "exit");
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
     * Accepts no new requests; the process is being terminated. Open leases stay valid until it exits.
     *
     * @param reason why
     * @param inPlace whether the worker is replaced in place: the record stays, and the next generation follows; only
     *     with {@link StopReason#REPLACED}
     * @since 0.1
     */
    record Stopping(StopReason reason, boolean inPlace) implements WorkerState {
        /**
         * Checks the components.
         *
         * @throws NullPointerException if {@code reason} is null
         * @throws IllegalArgumentException if {@code inPlace} is set with another reason than {@code REPLACED}
         */
        public Stopping {
            requireNonNull(reason, "reason");
            if (inPlace && reason != StopReason.REPLACED) {
                throw new IllegalArgumentException("inPlace must have the reason REPLACED, was " + reason);
            }
        }

        /**
         * A stop that is no replacement in place.
         *
         * @param reason why
         * @throws NullPointerException if {@code reason} is null
         */
        public Stopping(StopReason reason) {
            this(reason, false);
        }

        /** Whether another generation may follow: the worker failed, or is restarted or replaced in place. */
        boolean mayServeAgain() {
            return reason.isFailure() || reason == StopReason.RESTART || inPlace;
        }

        @Override
        public boolean canBecome(WorkerState next) {
            requireNonNull(next, "next");
            return next instanceof BackingOff && mayServeAgain();
        }

        @Override
        public String label() {
            return "stopping";
        }
    }
}
