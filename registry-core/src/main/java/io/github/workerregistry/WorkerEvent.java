package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.Optional;

/**
 * A life-cycle event, delivered to a {@link WorkerListener}. Leases cause no events. May gain members: a {@code switch}
 * over events needs a default.
 *
 * <p>Every event except {@link Overflowed} carries the worker as it was right after the transition.
 *
 * @since 0.1
 */
public sealed interface WorkerEvent {

    /**
     * An event of one worker.
     *
     * @since 0.1
     */
    sealed interface OfWorker extends WorkerEvent {
        /**
         * The worker right after the transition ({@link Removed}: its last state).
         *
         * @return the worker
         */
        WorkerInfo worker();
    }

    /**
     * A worker was registered.
     *
     * @param worker the worker
     * @since 0.1
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
     * A worker finished loading and accepts requests.
     *
     * @param worker the worker
     * @since 0.1
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
     * A health check failed; {@code worker.failedHealthChecks()} is the number of failures in a row.
     *
     * @param worker the worker
     * @since 0.1
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
     * An exit whose cause is a failure ({@link Exit.Cause#isFailure}): a crash, the end of a worker that was stopped
     * because it failed, or a restart whose process could not be started. Not {@link Exit.Cause#EXITED}.
     *
     * @param worker the worker
     * @param exit its exit
     * @since 0.1
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
     * A restart was scheduled.
     *
     * @param worker the worker
     * @param attempt the number of this restart in a row, &ge; 1
     * @param retryAt when it is due
     * @since 0.1
     */
    record RestartScheduled(WorkerInfo worker, int attempt, Instant retryAt) implements OfWorker {
        /**
         * Checks the components.
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
     * A new generation was started and is loading.
     *
     * @param worker the worker
     * @since 0.1
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
     * A worker failed its checks together with many others, which suggests that the checks are wrong. The worker keeps
     * running for a while.
     *
     * @param worker the worker
     * @param reason why it would have been stopped
     * @since 0.1
     */
    record Suspected(WorkerInfo worker, StopReason reason) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Suspected {
            requireNonNull(worker, "worker");
            requireNonNull(reason, "reason");
        }
    }

    /**
     * A suspected worker is healthy again.
     *
     * @param worker the worker
     * @since 0.1
     */
    record SuspicionCleared(WorkerInfo worker) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public SuspicionCleared {
            requireNonNull(worker, "worker");
        }
    }

    /**
     * A worker was idle for the idle timeout; {@link StopStarted} follows.
     *
     * @param worker the worker
     * @since 0.1
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
     * A worker accepts no new requests; its process is being terminated.
     *
     * @param worker the worker
     * @param reason why
     * @since 0.1
     */
    record StopStarted(WorkerInfo worker, StopReason reason) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public StopStarted {
            requireNonNull(worker, "worker");
            requireNonNull(reason, "reason");
        }
    }

    /**
     * A worker was removed from the registry.
     *
     * @param worker the worker's last state
     * @param cause why
     * @param exit the exit of its process; empty if it had none, or its exit was not detected
     * @since 0.1
     */
    record Removed(WorkerInfo worker, Exit.Cause cause, Optional<Exit> exit) implements OfWorker {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Removed {
            requireNonNull(worker, "worker");
            requireNonNull(cause, "cause");
            requireNonNull(exit, "exit");
        }
    }

    /**
     * The listener fell behind and lost events at this point. Re-read {@link WorkerRegistry#list()}. The events of one
     * transition are lost together.
     *
     * @param dropped number of lost events, &ge; 1
     * @since 0.1
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
