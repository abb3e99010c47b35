package io.github.workerregistry.pool;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * What a pool has done. May gain members.
 *
 * @since 0.1
 */
public sealed interface PoolEvent {

    /**
     * The model that it is about.
     *
     * @return the model
     */
    String modelRef();

    /**
     * A worker is being started.
     *
     * @param modelRef its model
     * @param workerId its id
     * @since 0.1
     */
    record LoadStarted(String modelRef, String workerId) implements PoolEvent {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public LoadStarted {
            requireNonNull(modelRef, "modelRef");
            requireNonNull(workerId, "workerId");
        }
    }

    /**
     * A worker is ready.
     *
     * @param worker the worker
     * @param loadTime how long its load took
     * @since 0.1
     */
    record Loaded(WorkerInfo worker, Duration loadTime) implements PoolEvent {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Loaded {
            requireNonNull(worker, "worker");
            requireNonNull(loadTime, "loadTime");
        }

        @Override
        public String modelRef() {
            return worker.modelRef();
        }
    }

    /**
     * A worker exited before it was ready, or soon after.
     *
     * @param modelRef its model
     * @param workerId its id
     * @param exit its exit; empty if its process could not be started
     * @param retryAt when a request loads the model again; empty: only {@link WorkerPool#load} does
     * @since 0.1
     */
    record LoadFailed(String modelRef, String workerId, Optional<Exit> exit, Optional<Instant> retryAt)
            implements PoolEvent {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public LoadFailed {
            requireNonNull(modelRef, "modelRef");
            requireNonNull(workerId, "workerId");
            requireNonNull(exit, "exit");
            requireNonNull(retryAt, "retryAt");
        }
    }

    /**
     * A load that no request waited for is cancelled, because another model needs its room.
     *
     * @param worker the worker, which is being stopped
     * @param forModel the other model
     * @since 0.1
     */
    record LoadCancelled(WorkerInfo worker, String forModel) implements PoolEvent {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public LoadCancelled {
            requireNonNull(worker, "worker");
            requireNonNull(forModel, "forModel");
        }

        @Override
        public String modelRef() {
            return worker.modelRef();
        }
    }

    /**
     * A worker gets no new leases and is stopped, because another model needs its room.
     *
     * @param worker the worker, as it was when it was chosen
     * @param forModel the other model
     * @param reason why it could be evicted
     * @since 0.1
     */
    record Evicted(WorkerInfo worker, String forModel, EvictionReason reason) implements PoolEvent {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Evicted {
            requireNonNull(worker, "worker");
            requireNonNull(forModel, "forModel");
            requireNonNull(reason, "reason");
        }

        @Override
        public String modelRef() {
            return worker.modelRef();
        }
    }

    /**
     * Requests have failed without a slot.
     *
     * @param modelRef their model
     * @param requests how many, &gt; 0
     * @param why the reason, for logs
     * @since 0.1
     */
    record Refused(String modelRef, int requests, String why) implements PoolEvent {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if a component is null; the message names it
         */
        public Refused {
            requireNonNull(modelRef, "modelRef");
            requireNonNull(why, "why");
        }
    }
}
