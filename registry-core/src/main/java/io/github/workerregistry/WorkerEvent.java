package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.Optional;

/**
 * An edge in a worker's life, as told to a {@link WorkerListener}. Lease traffic makes no events.
 *
 * <p>Every event but {@link Overflowed} carries the worker as it was right after the edge.
 */
public sealed interface WorkerEvent {

    /** An event about one worker. */
    sealed interface OfWorker extends WorkerEvent {
        /**
         * The worker, right after the edge ({@link Removed}: as it was last).
         *
         * @return the worker
         */
        WorkerInfo worker();
    }

    /**
     * A worker was put into the registry.
     *
     * @param worker the worker
     */
    record Registered(WorkerInfo worker) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Registered {
            requireNonNull(worker, "worker");
        }
    }

    /**
     * A worker finished loading and takes requests.
     *
     * @param worker the worker
     */
    record BecameReady(WorkerInfo worker) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public BecameReady {
            requireNonNull(worker, "worker");
        }
    }

    /**
     * A health check failed; {@code worker.failedHealthChecks()} says how many in a row.
     *
     * @param worker the worker
     */
    record HealthCheckFailed(WorkerInfo worker) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public HealthCheckFailed {
            requireNonNull(worker, "worker");
        }
    }

    /**
     * The process failed: it ended by itself with a signal or a code other than 0, or was ended because it failed its
     * checks.
     *
     * @param worker the worker
     * @param exit how and why
     */
    record Crashed(WorkerInfo worker, Exit exit) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Crashed {
            requireNonNull(worker, "worker");
            requireNonNull(exit, "exit");
        }
    }

    /**
     * A restart will follow.
     *
     * @param worker the worker
     * @param attempt which restart in a row, &ge; 1
     * @param retryAt when
     */
    record RestartScheduled(WorkerInfo worker, int attempt, Instant retryAt) implements OfWorker {
        /**
         * Rejects null and a count that cannot be.
         *
         * @throws NullPointerException if a component is null; the message names it
         * @throws IllegalArgumentException if {@code attempt} is not positive
         */
        public RestartScheduled {
            requireNonNull(worker, "worker");
            if (attempt < 1) {
                throw new IllegalArgumentException("attempt must be >= 1, was " + attempt);
            }
            requireNonNull(retryAt, "retryAt");
        }
    }

    /**
     * A new generation was started and loads.
     *
     * @param worker the worker
     */
    record Restarted(WorkerInfo worker) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Restarted {
            requireNonNull(worker, "worker");
        }
    }

    /**
     * A worker's checks say that it should be ended, but so do those of many others at the same time, which rather
     * speaks against the check. It is kept, for a while.
     *
     * @param worker the worker
     * @param cause why it should be ended
     */
    record Suspected(WorkerInfo worker, Exit.Cause cause) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Suspected {
            requireNonNull(worker, "worker");
            requireNonNull(cause, "cause");
        }
    }

    /**
     * A suspected worker is well again.
     *
     * @param worker the worker
     */
    record Cleared(WorkerInfo worker) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Cleared {
            requireNonNull(worker, "worker");
        }
    }

    /**
     * A worker had nothing to do for the idle timeout; {@link Stopping} follows.
     *
     * @param worker the worker
     */
    record IdleTimedOut(WorkerInfo worker) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public IdleTimedOut {
            requireNonNull(worker, "worker");
        }
    }

    /**
     * A worker takes no new requests; its process is being ended.
     *
     * @param worker the worker
     * @param reason why
     */
    record Stopping(WorkerInfo worker, Exit.Cause reason) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Stopping {
            requireNonNull(worker, "worker");
            requireNonNull(reason, "reason");
        }
    }

    /**
     * A worker left the registry.
     *
     * @param worker the worker as it was last
     * @param reason why
     * @param exit how its process ended; empty if it had none that we know of
     */
    record Removed(WorkerInfo worker, Exit.Cause reason, Optional<Exit> exit) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Removed {
            requireNonNull(worker, "worker");
            requireNonNull(reason, "reason");
            requireNonNull(exit, "exit");
        }
    }

    /**
     * The listener fell behind and lost events here. Re-read {@link WorkerRegistry#list()}. Of the events that one step
     * of a worker makes, all were lost or none.
     *
     * @param dropped how many events were lost, &ge; 1
     */
    record Overflowed(long dropped) implements WorkerEvent {
        /**
         * Checks the count.
         *
         * @throws IllegalArgumentException if {@code dropped} is not positive
         */
        public Overflowed {
            if (dropped < 1) {
                throw new IllegalArgumentException("dropped must be >= 1, was " + dropped);
            }
        }
    }
}
