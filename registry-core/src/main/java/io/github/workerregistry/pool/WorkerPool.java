package io.github.workerregistry.pool;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.PendingSlot;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.Subscription;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Decides which workers run: loads a model when a request waits for it, keeps within the room of the devices, and makes
 * room by evicting another model.
 *
 * <pre>{@code
 * WorkerPool pool = WorkerPool.builder(registry, supervisor).config(PoolConfig.builder()
 *         .device("cuda", 0, 24_000)
 *         .model(ModelSpec.builder("llama-70b").alias("gpt-4o").backend("cuda").units(20_000)
 *                 .worker(WorkerSpec.builder().command("llama-server", "-m", "llama.gguf", "--port", "{port}").slots(4))
 *                 .build())
 *         .build()).build();
 * try (SlotLease lease = pool.acquire("gpt-4o", Duration.ofMinutes(2))) {
 *     send(request, lease.url());
 * }
 * }</pre>
 *
 * <h2>Rules</h2>
 *
 * <ul>
 *   <li>A model has at most one load at a time, which belongs to the pool: requests join it and leave it.
 *   <li>A worker claims its units from before its start until its process has exited.
 *   <li>Models are served in the order of their oldest waiting request. Idle workers are evicted for them. When a
 *       request has waited for {@link PoolConfig#maxWait()}, busy workers get no new leases, and are stopped when their
 *       open leases have ended. No open lease ends for another model, unless {@link ModelSpec#evictionDrainTimeout()}
 *       is set. Before that, a worker serves the requests that waited when it became ready, for at most {@code maxWait}
 *       or the time of its load, whichever is longer: so each load serves a batch.
 *   <li>Never evicted: workers that load, unless no request waits for them; those that are pinned, not
 *       {@link ModelSpec#evictable()}, or needed for {@link ModelSpec#minWorkers()}.
 *   <li>After a failed load, requests fail with {@link ModelLoadFailedException} for the backoff of the model's
 *       {@link io.github.workerregistry.lifecycle.RestartPolicy}. An exit within its {@code stableAfter} counts as a
 *       failed load. A worker that exits later is started again only if a request waits, or for {@code minWorkers}.
 *   <li>Idle workers are stopped after the model's {@code idleTimeout}, down to {@code minWorkers}.
 *   <li>{@link #update} changes the config at run time. Workers that it replaces lose no request.
 * </ul>
 *
 * <p>The pool runs the workers' restarts and idle timeouts itself, with the values of the {@link ModelSpec#worker()} or
 * else the supervisor's. Workers that the hive spawned serve requests, but claim nothing and are left alone.
 *
 * <p>A model that is loaded is leased without a lock. All else runs in passes, one after another, on the scheduler.
 * Requests wait in the registry's queue, so {@link WorkerRegistry#acquire(SlotRequest, Duration)} with
 * {@link SlotRequest#waitIfAbsent()} loads models, too. Thread-safe.
 *
 * @since 0.1
 */
public final class WorkerPool implements AutoCloseable {

    private final WorkerRegistry registry;
    private final PoolRunner runner;
    private final Subscription demand;
    private final AtomicInteger callers = new AtomicInteger();
    private volatile boolean closed;

    /** The request that this thread is about to add to the registry's queue. Per pool: calls of several may nest. */
    @SuppressWarnings("ThreadLocalUsage")
    private final ThreadLocal<@Nullable SlotRequest> joining = new ThreadLocal<>();

    private WorkerPool(Builder builder, PoolConfig config) {
        registry = builder.registry;
        runner = new PoolRunner(
                registry,
                builder.supervisor,
                builder.scheduler != null
                        ? builder.scheduler
                        : builder.supervisor.access().scheduler(),
                builder.blockingExecutor != null
                        ? builder.blockingExecutor
                        : builder.supervisor.access().blockingExecutor(),
                builder.evictionPolicy,
                config);
        demand = registry.supervision().onDemand(this::onDemand);
        runner.passes.signal();
    }

    /**
     * A builder. A config is required.
     *
     * @param registry holds the workers; the pool uses its clock
     * @param supervisor starts and stops the workers; a supervisor of this registry
     * @return a new builder
     */
    public static Builder builder(WorkerRegistry registry, WorkerSupervisor supervisor) {
        return new Builder(requireNonNull(registry, "registry"), requireNonNull(supervisor, "supervisor"));
    }

    private void onDemand(String modelRef) {
        if (!runner.names().containsKey(modelRef)) {
            failIfRemoved(modelRef);
        } else if (closed) {
            runner.failWaiting(modelRef);
        } else {
            runner.passes.signal();
        }
    }

    /** The model of a request may have been removed since its name was resolved. */
    private void failIfRemoved(String modelRef) {
        SlotRequest own = joining.get();
        if (own != null && own.modelRef().equals(modelRef)) {
            registry.supervision().failWaiting(modelRef, own::equals, () -> Updater.removed(modelRef));
        }
    }

    /** The model of a name or alias. */
    private String resolve(String name) {
        ModelSpec model = runner.names().get(name);
        if (model == null) {
            throw new UnknownModelException(name);
        }
        return model.modelRef();
    }

    private SlotRequest resolve(SlotRequest request) {
        return request.withModel(resolve(request.modelRef())).waitIfAbsent();
    }

    /**
     * Acquires a slot of a model that is loaded. Loads nothing. Costs what {@link WorkerRegistry#tryAcquire(String)}
     * costs, and the look-up of the name.
     *
     * @param name the model or an alias
     * @return the lease; empty if the model is not loaded, or has no free slot
     * @throws UnknownModelException if the pool has no such model
     */
    public Optional<SlotLease> tryAcquire(String name) {
        return registry.tryAcquire(resolve(requireNonNull(name, "name")));
    }

    /**
     * Acquires a slot for a request, of a model that is loaded. Loads nothing.
     *
     * @param request the model or an alias, and the constraints
     * @return the lease; empty if no worker that meets the constraints is loaded and has a free slot
     * @throws UnknownModelException if the pool has no such model
     */
    public Optional<SlotLease> tryAcquire(SlotRequest request) {
        return registry.tryAcquire(resolve(requireNonNull(request, "request")));
    }

    /**
     * Acquires a slot; loads the model if necessary: {@link #acquire(SlotRequest, Duration)} with
     * {@link SlotRequest#forModel}.
     *
     * @param name the model or an alias
     * @param timeout how long to wait, &ge; 0
     * @return the lease
     * @throws UnknownModelException as there
     * @throws io.github.workerregistry.SlotUnavailableException as there
     * @throws InterruptedException as there
     */
    public SlotLease acquire(String name, Duration timeout) throws InterruptedException {
        return acquire(SlotRequest.forModel(requireNonNull(name, "name")), timeout);
    }

    /**
     * Acquires a slot; loads the model if necessary, and waits, as {@link WorkerRegistry#acquire(SlotRequest,
     * Duration)}. The request waits also while no worker of the model exists.
     *
     * @param request the model or an alias, and the constraints
     * @param timeout how long to wait, &ge; 0; with 0 it does not wait, and loads nothing
     * @return the lease
     * @throws UnknownModelException if the pool has no such model
     * @throws ModelLoadFailedException if the model could not be loaded
     * @throws NoCapacityException if there is no room for it, and none is made
     * @throws io.github.workerregistry.NoWorkerException if no worker that the model may have meets the constraints
     * @throws PoolClosedException if the pool has been closed
     * @throws io.github.workerregistry.SlotTimeoutException if no slot was acquired in time
     * @throws io.github.workerregistry.SlotQueueFullException if the wait queue of the model is full
     * @throws InterruptedException if the thread is interrupted before it has a slot
     * @throws IllegalArgumentException if the timeout is negative
     */
    public SlotLease acquire(SlotRequest request, Duration timeout) throws InterruptedException {
        SlotRequest resolved = resolve(requireNonNull(request, "request"));
        if (requireNonNull(timeout, "timeout").isNegative()) {
            throw new IllegalArgumentException("timeout must be >= 0, was " + timeout);
        }
        Optional<SlotLease> free = registry.tryAcquire(resolved);
        return free.isPresent() ? free.get() : await(resolved, timeout);
    }

    private SlotLease await(SlotRequest resolved, Duration timeout) throws InterruptedException {
        callers.incrementAndGet();
        try {
            if (closed) {
                throw new PoolClosedException(resolved.modelRef());
            }
            Instant start = registry.clock().instant();
            SlotRequest outer = joining.get();
            joining.set(resolved);
            try {
                return registry.acquire(resolved, timeout);
            } finally {
                joined(outer);
                waited(resolved.modelRef(), start);
            }
        } finally {
            callerLeaves();
        }
    }

    private <T> T joining(SlotRequest resolved, Supplier<T> call) {
        SlotRequest outer = joining.get(); // a completion on this thread may make another request
        joining.set(resolved);
        try {
            return call.get();
        } finally {
            joined(outer);
        }
    }

    private void joined(@Nullable SlotRequest outer) {
        if (outer == null) {
            joining.remove();
        } else {
            joining.set(outer);
        }
    }

    private void waited(String modelRef, Instant start) {
        runner.totalsOf(modelRef)
                .waited(Duration.between(start, registry.clock().instant()).toNanos());
    }

    /** A caller that has seen an open pool may begin to wait after it was closed: {@link #onDemand} fails it. */
    private void callerLeaves() {
        if (callers.decrementAndGet() == 0 && closed) {
            demand.close();
        }
    }

    /**
     * Requests a slot without blocking, as {@link WorkerRegistry#acquireAsync}; loads the model if necessary.
     *
     * @param request the model or an alias, and the constraints
     * @param timeout how long to wait, &ge; 0; with 0 it does not wait, and loads nothing
     * @param executor completes the stage
     * @return the request. Its stage fails as {@link #acquire(SlotRequest, Duration)} throws
     * @throws UnknownModelException if the pool has no such model
     * @throws IllegalArgumentException if the timeout is negative
     */
    public PendingSlot acquireAsync(SlotRequest request, Duration timeout, Executor executor) {
        SlotRequest resolved = resolve(requireNonNull(request, "request"));
        requireNonNull(timeout, "timeout");
        requireNonNull(executor, "executor");
        callers.incrementAndGet();
        try {
            if (closed) {
                return NoSlot.failed(new PoolClosedException(resolved.modelRef()), executor);
            }
            Instant start = registry.clock().instant();
            PendingSlot pending = joining(resolved, () -> registry.acquireAsync(resolved, timeout, executor));
            if (pending.position().isPresent()) {
                pending.lease().whenComplete((lease, failure) -> waited(resolved.modelRef(), start));
            }
            return pending;
        } finally {
            callerLeaves();
        }
    }

    /**
     * Acquires a slot as {@link #acquireAsync}, does some work with it, and releases it when the work has ended, as
     * {@link WorkerRegistry#withSlot}.
     *
     * @param request the model or an alias, and the constraints
     * @param timeout how long to wait for the slot, &ge; 0
     * @param executor runs {@code work}
     * @param work called once, with the lease, unless there is no slot; returns a stage that completes when the slot is
     *     no longer needed
     * @param <T> the result of the work
     * @return completes with the result of the work; exceptionally as {@link #acquireAsync}, or with the exception of
     *     the work
     * @throws UnknownModelException if the pool has no such model
     * @throws IllegalArgumentException if the timeout is negative
     */
    public <T> CompletionStage<T> withSlot(
            SlotRequest request,
            Duration timeout,
            Executor executor,
            Function<? super SlotLease, ? extends CompletionStage<T>> work) {
        requireNonNull(work, "work");
        return acquireAsync(request, timeout, executor).use(work);
    }

    /**
     * Loads a model, unless it is loaded. The call counts as a waiting request until the model is ready. It loads also
     * during the backoff after a failed load, and beyond the limit of the restart policy; failures are then counted
     * anew.
     *
     * @param name the model or an alias
     * @return completes, on any thread, with a worker of the model when it is ready; exceptionally with
     *     {@link ModelLoadFailedException}, {@link NoCapacityException} or {@link PoolClosedException}
     * @throws UnknownModelException if the pool has no such model
     */
    public CompletionStage<WorkerInfo> load(String name) {
        String modelRef = resolve(requireNonNull(name, "name"));
        CompletableFuture<WorkerInfo> result = new CompletableFuture<>();
        runner.passes.submit(() -> runner.load(modelRef, result));
        return result.minimalCompletionStage();
    }

    /**
     * Stops all workers of a model, also pinned ones. They get no new leases from now on; open leases may end within
     * the drain timeout. Fails no waiting request: a request that waits loads the model again.
     * {@link ModelSpec#minWorkers()} does not apply until the next request or {@link #load}.
     *
     * @param name the model or an alias
     * @return completes, on any thread, when their processes have exited
     * @throws UnknownModelException if the pool has no such model
     */
    public CompletionStage<Void> unload(String name) {
        String modelRef = resolve(requireNonNull(name, "name"));
        return runner.passes.call(() -> runner.unload(modelRef), true).minimalCompletionStage();
    }

    /**
     * Pins a model, or unpins it. Workers of a pinned model are neither evicted nor stopped when they are idle. Loads
     * nothing.
     *
     * @param name the model or an alias
     * @param pinned whether it is pinned
     * @throws UnknownModelException if the pool has no such model
     */
    public void pin(String name, boolean pinned) {
        String modelRef = resolve(requireNonNull(name, "name"));
        runner.passes.call(
                () -> {
                    runner.pin(modelRef, pinned);
                    return true;
                },
                true);
    }

    /**
     * Replaces the config, without losing a request.
     *
     * <ul>
     *   <li><b>Without touching a worker</b>: aliases, {@code minWorkers}, {@code maxWorkers}, {@code minResidency},
     *       {@code scaleUpDelay}, {@code evictable}, {@code admission}, {@code evictionDrainTimeout}, devices that are
     *       added or that no worker uses, the pool's own values; of the worker's spec, the {@code idleTimeout} and the
     *       {@code restartPolicy}. Pins stay.
     *   <li><b>From the next start of a worker</b>: the other values of its {@code lifecycle}, its {@code healthProbe}
     *       and {@code stopRequest}.
     *   <li><b>By another worker</b>: command, parameters, environment, directory, url, slots, labels, backend, units,
     *       {@code spanning}; also if a worker's device is not in the config any more, or the model must not use it.
     * </ul>
     *
     * <p>If there is room for one more worker beside all others, and the url has {@code {port}}, the old workers serve
     * until the first new one is ready (<em>surge</em>). Then they get no new leases, and after that the new one gets
     * its first. Otherwise the old ones get no new leases when this returns, and the new one starts when there is room
     * (<em>in place</em>). Open leases of old workers run to their end, without a limit. An old worker that loads is
     * stopped. A model without workers is not loaded.
     *
     * <p>If a new worker never becomes ready, the completion fails. In a surge, the old workers go on, until a further
     * worker of the model is started and is ready. In place, it is a failed load of the new revision.
     *
     * <p>A removed model: its workers drain without a limit and are stopped; requests that wait for it fail with
     * {@link io.github.workerregistry.NoWorkerException}, later ones with {@link UnknownModelException}. If the room
     * shrinks below what workers have claimed, they go on, and nothing more is started until there is room.
     *
     * <p>Concurrent updates apply one after another. An update during another one's replacements ends those of models
     * that it revises again.
     *
     * @param config the config, valid as it was built; an equal one changes nothing
     * @return what it does with each model, when it has begun
     * @throws IllegalStateException if the pool has been closed
     */
    public UpdateReport update(PoolConfig config) {
        requireNonNull(config, "config");
        return runner.passes
                .call(() -> runner.update(config), true)
                .orElseThrow(() -> new IllegalStateException("the pool has been closed"));
    }

    /**
     * All models, with their workers.
     *
     * @return an unmodifiable list, in the order of the configuration; then those that an update has removed and whose
     *     workers have not exited yet
     */
    public List<ModelStatus> models() {
        return runner.passes.call(runner::status, false);
    }

    /**
     * Totals since this pool was built.
     *
     * @return the totals
     */
    public PoolStats stats() {
        return runner.passes.call(runner::stats, false);
    }

    /**
     * Registers a listener.
     *
     * @param listener receives the events from now on
     * @param executor runs the listener. Each listener has a queue of at most 1,024 events; when it is full, further
     *     ones are dropped, with a WARN. Events stay queued while the executor refuses tasks; if it will accept none
     *     again, as in {@link WorkerRegistry#subscribe}, the listener is dropped with a WARN
     * @return closing it ends the subscription
     */
    public Subscription subscribe(PoolListener listener, Executor executor) {
        return runner.feed.subscribe(requireNonNull(listener, "listener"), requireNonNull(executor, "executor"));
    }

    /**
     * Closes the pool: requests that wait for its models fail with {@link PoolClosedException}, nothing more is
     * started, and its workers are stopped as by {@link WorkerSupervisor#stop(String)}, without waiting for them.
     * Registry and supervisor stay open. Idempotent.
     */
    @Override
    public void close() {
        closed = true;
        runner.passes.call(
                () -> {
                    runner.close();
                    return true;
                },
                false);
        if (callers.get() == 0) {
            demand.close();
        }
    }

    /** The number of models and the registry, for logs. */
    @Override
    public String toString() {
        return "WorkerPool[names: " + runner.names().size() + (closed ? ", closed" : "") + ", " + registry + "]";
    }

    /**
     * Builds a {@link WorkerPool}. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private final WorkerRegistry registry;
        private final WorkerSupervisor supervisor;
        private @Nullable PoolConfig config;
        private @Nullable ScheduledExecutorService scheduler;
        private @Nullable Executor blockingExecutor;
        private EvictionPolicy evictionPolicy = EvictionPolicy.leastRecentlyUsed();

        private Builder(WorkerRegistry registry, WorkerSupervisor supervisor) {
            this.registry = registry;
            this.supervisor = supervisor;
        }

        /**
         * Sets the models and the room for them.
         *
         * @param config required
         * @return this builder
         */
        public Builder config(PoolConfig config) {
            this.config = requireNonNull(config, "config");
            return this;
        }

        /**
         * Sets the scheduler that runs the passes. They do not block.
         *
         * @param scheduler default: that of the supervisor
         * @return this builder
         */
        public Builder scheduler(ScheduledExecutorService scheduler) {
            this.scheduler = requireNonNull(scheduler, "scheduler");
            return this;
        }

        /**
         * Sets the executor that starts processes, which may block. With one thread, starts follow one another.
         *
         * @param blockingExecutor default: that of the supervisor
         * @return this builder
         */
        public Builder blockingExecutor(Executor blockingExecutor) {
            this.blockingExecutor = requireNonNull(blockingExecutor, "blockingExecutor");
            return this;
        }

        /**
         * Sets the order in which workers are evicted.
         *
         * @param evictionPolicy default {@link EvictionPolicy#leastRecentlyUsed()}
         * @return this builder
         */
        public Builder evictionPolicy(EvictionPolicy evictionPolicy) {
            this.evictionPolicy = requireNonNull(evictionPolicy, "evictionPolicy");
            return this;
        }

        /**
         * Builds the pool, which begins to load the {@link ModelSpec#minWorkers()} of its models.
         *
         * @return a new pool
         * @throws NullPointerException if there is no config
         */
        public WorkerPool build() {
            return new WorkerPool(this, requireNonNull(config, "config"));
        }
    }
}
