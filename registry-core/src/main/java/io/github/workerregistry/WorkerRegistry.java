package io.github.workerregistry;

import static io.github.workerregistry.internal.Checks.requireAtLeast;
import static io.github.workerregistry.internal.Checks.requireName;
import static io.github.workerregistry.internal.Durations.requireInRange;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.internal.LogText;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The in-memory registry of the workers of one node: their records, their life-cycle states, and leases of their slots.
 *
 * <p>A registry starts no thread and no process, and does no I/O. Its workers are driven by a
 * {@link io.github.workerregistry.lifecycle.WorkerSupervisor}, or by the hive itself through {@link #supervision()}.
 * All methods are thread-safe.
 *
 * <pre>{@code
 * try (SlotLease lease = registry.tryAcquire("hf:TheBloke/TinyLlama").orElseThrow()) {
 *     send(request, lease.url());
 * }
 * }</pre>
 *
 * <h2>Concurrency</h2>
 *
 * <p>One {@link java.util.concurrent.locks.ReentrantReadWriteLock} guards the map of workers. Registration, removal and
 * life-cycle transitions run under its write lock, so events have one order. {@link #list()}, {@link #idleWorkers} and
 * {@link #stats} run under its read lock and see a consistent set of workers and states; leases take no lock, so each
 * worker's occupancy is read at a moment of its own. {@link #get}, {@link #tryAcquire(String)},
 * {@link #tryAcquireFrom}, {@link #heartbeat(String)} and {@link SlotLease#close} take no lock; {@link #get} takes the
 * read lock during a transition of its worker. The first lease of an idle worker and its idle timeout compete for one
 * atomic word, and exactly one wins. Listeners, loggers and clocks are called with no lock held.
 *
 * @since 0.1
 */
public final class WorkerRegistry {

    private final String node;
    private final InstantSource clock;
    private final EventFeed events;
    private final ThreadHints hints = new ThreadHints();
    private final @Nullable LeaseLeaks leaks;
    private final WorkerTable table;
    private final ModelTable models;
    private final Supervision supervision;

    private WorkerRegistry(Builder builder) {
        node = builder.node;
        clock = builder.clock == null ? new MonotonicClock() : new SteadyClock(builder.clock);
        events = new EventFeed(builder.eventQueueCapacity, clock);
        leaks = builder.leaseLeakThreshold == null ? null : new LeaseLeaks(builder.leaseLeakThreshold, clock);
        SlotSettings settings = new SlotSettings(
                builder.slotSelection,
                builder.waitQueueCapacity,
                builder.failIfAbsent,
                builder.affinityTtl,
                builder.affinityCapacity,
                builder.timer,
                leaks);
        table = new WorkerTable(clock, events, hints, settings);
        models = table.models();
        supervision = new RegistrySupervision(table, events, hints, leaks);
    }

    /**
     * A registry with the defaults of {@link Builder}.
     *
     * @return a new, empty registry
     */
    public static WorkerRegistry create() {
        return builder().build();
    }

    /**
     * A builder with the defaults set.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The name of this node.
     *
     * @return the name passed to the builder
     */
    public String node() {
        return node;
    }

    /**
     * The clock of this registry. It never goes back, even if the clock passed to the builder does.
     *
     * @return the clock
     */
    public InstantSource clock() {
        return clock;
    }

    /**
     * The part of this registry that drives workers, for a supervisor or for the hive's own loops.
     *
     * @return the same object on every call
     */
    public Supervision supervision() {
        return supervision;
    }

    /**
     * Registers a worker. The record is stored as passed. The hive reports the occupancy of a worker registered as
     * Busy.
     *
     * @param worker the worker
     * @throws DuplicateWorkerException if its id is registered already; then nothing has changed
     */
    public void register(WorkerInfo worker) {
        table.register(requireNonNull(worker, "worker"));
    }

    /**
     * Transitions a worker to another state (see {@link WorkerState}).
     *
     * <p>The hive may report {@code Idle} and {@code Busy} only for a worker that it does not lease: {@code Busy}
     * occupies all slots until {@code Idle} is reported, and both are rejected while leases are open. A
     * {@code BackingOff} must carry an exit of the worker's current incarnation; with an exit of an earlier one,
     * nothing happens. Reporting the current state changes nothing.
     *
     * @param id the worker's id
     * @param next the next state
     * @return the worker after the transition; empty if the id is unknown, or the exit is of an earlier incarnation
     * @throws IllegalTransitionException if there is no such transition, or leases are open; then nothing has changed
     * @throws IllegalArgumentException if {@code next} has an exit of another model, or starts the next generation and
     *     the number of generations or restarts is {@code Integer.MAX_VALUE}; then nothing has changed
     */
    public Optional<WorkerInfo> updateState(String id, WorkerState next) {
        requireNonNull(id, "id");
        requireNonNull(next, "next");
        return table.changeState(id, next, Precondition.none());
    }

    /**
     * Reads a worker. Takes no lock except during a transition, and reads no clock unless the worker was used since it
     * was last read.
     *
     * @param id the worker's id
     * @return a snapshot of the worker; empty if the id is unknown
     */
    public Optional<WorkerInfo> get(String id) {
        WorkerEntry entry = table.get(requireNonNull(id, "id"));
        return entry == null ? Optional.empty() : Optional.ofNullable(table.snapshot(entry));
    }

    /**
     * All workers, in one consistent snapshot.
     *
     * @return an unmodifiable list in registration order
     */
    public List<WorkerInfo> list() {
        return table.select(entry -> true, worker -> true);
    }

    /**
     * All workers of a model, in one consistent snapshot.
     *
     * @param modelRef the model
     * @return an unmodifiable list in registration order; empty if no worker serves the model
     */
    public List<WorkerInfo> list(String modelRef) {
        requireNonNull(modelRef, "modelRef");
        return table.select(entry -> entry.modelRef().equals(modelRef), worker -> true);
    }

    /**
     * All Idle workers, in one consistent snapshot.
     *
     * @return an unmodifiable list in registration order
     */
    public List<WorkerInfo> idleWorkers() {
        return table.select(entry -> true, worker -> worker.state() instanceof Idle);
    }

    /**
     * Removes a worker. Its open leases become void. If the worker is supervised, its supervisor then terminates the
     * process; for an orderly end, stop the worker through the supervisor instead.
     *
     * @param id the worker's id
     * @return the worker's last state; empty if the id is unknown
     */
    public Optional<WorkerInfo> remove(String id) {
        requireNonNull(id, "id");
        return table.remove(id, Precondition.none(), Exit.Cause.DEREGISTERED, Optional.empty());
    }

    /**
     * Removes all workers, as {@link #remove(String)} removes one.
     *
     * @return the removed workers, in registration order
     */
    public List<WorkerInfo> clear() {
        return table.removeAll(Exit.Cause.DEREGISTERED);
    }

    /**
     * Counts a failed health check.
     *
     * @param id the worker's id
     * @return number of failed checks in a row; empty if the id is unknown
     */
    public OptionalInt incrementFailedHealthChecks(String id) {
        requireNonNull(id, "id");
        return table.countFailedCheck(id, Precondition.none());
    }

    /**
     * Records a heartbeat of a worker, whatever its generation. If workers are restarted, {@link #heartbeat(String,
     * int)} is safer: a late heartbeat of the previous generation would be recorded for the next one, which would then
     * be expected to send heartbeats.
     *
     * @param id the worker's id
     * @return false if the id is unknown
     */
    public boolean heartbeat(String id) {
        WorkerEntry entry = table.get(requireNonNull(id, "id"));
        if (entry != null) {
            entry.beat(clock.instant());
        }
        return entry != null;
    }

    /**
     * Records a heartbeat of one generation of a worker.
     *
     * @param id the worker's id
     * @param generation the generation that sent it; its process reads it from {@code WORKER_GENERATION}
     * @return false if the id is unknown, or the worker is in another generation; then nothing is recorded
     */
    public boolean heartbeat(String id, int generation) {
        WorkerEntry entry = table.get(requireNonNull(id, "id"));
        return entry != null && entry.beat(clock.instant(), generation);
    }

    /**
     * Finds an Idle worker of a model. To send it a request, acquire a slot with {@link #tryAcquireFrom} or, better,
     * {@link #tryAcquire}: another caller may acquire the slot after this call.
     *
     * @param modelRef the model
     * @return an Idle worker, the first in registration order as long as no worker of the model was removed; empty if
     *     there is none
     */
    public Optional<WorkerInfo> findIdleWorker(String modelRef) {
        ModelSlots slots = models.get(requireNonNull(modelRef, "modelRef"));
        if (slots == null) {
            return Optional.empty();
        }
        return Optional.ofNullable(slots.free().first(entry -> {
            WorkerInfo worker = entry.level() == 0 ? table.snapshot(entry) : null;
            return worker != null && worker.state() instanceof Idle ? worker : null;
        }));
    }

    /**
     * Finds a worker of a model on a node, free or not: an Idle one if there is one, else one with a free slot, else a
     * Busy one, else a Loading one. Never finds one that is Stopping or BackingOff.
     *
     * @param node the node's name; this registry knows only the workers of its own {@link #node()}
     * @param modelRef the model
     * @return the worker; empty if there is none, or the node is another
     */
    public Optional<WorkerInfo> findByNodeAndModel(String node, String modelRef) {
        requireNonNull(node, "node");
        ModelSlots slots = models.get(requireNonNull(modelRef, "modelRef"));
        if (slots == null || !node.equals(this.node)) {
            return Optional.empty();
        }
        List<Candidate> workers = new ArrayList<>();
        slots.free().first(entry -> {
            WorkerInfo worker = table.snapshot(entry);
            if (worker != null && usefulness(worker, entry) > 0) {
                workers.add(new Candidate(worker, usefulness(worker, entry)));
            }
            return null; // visit all
        });
        return workers.stream()
                .max(Comparator.comparingInt(Candidate::usefulness))
                .map(Candidate::worker);
    }

    private record Candidate(WorkerInfo worker, int usefulness) {}

    private static int usefulness(WorkerInfo worker, WorkerEntry entry) {
        WorkerState state = worker.state();
        if (state instanceof Stopping || state instanceof BackingOff) {
            return 0;
        }
        if (state instanceof Loading) {
            return 1;
        }
        if (entry.isChecking()) {
            return 2; // its slots are not leased now
        }
        return state instanceof Idle ? 4 : worker.slotsAvailable() > 0 ? 3 : 2;
    }

    /**
     * Acquires a slot of a model, of the worker that the {@link SlotSelection} prefers, in one atomic step. Takes no
     * lock, reads no clock, and runs in constant time however many workers there are, unless callers wait or leak
     * detection is on.
     *
     * <p>No barging: while requests wait, never acquires a slot that one of them would accept.
     *
     * @param modelRef the model
     * @return the lease; empty if no worker of the model has a free slot now, other than slots that waiting callers
     *     accept
     */
    public Optional<SlotLease> tryAcquire(String modelRef) {
        SlotLease again = hints.tryAcquireAgain(requireNonNull(modelRef, "modelRef"));
        return granted(again != null ? again : models.search(modelRef));
    }

    /**
     * Acquires a slot for a request, without waiting.
     *
     * <p>No barging, also for a request of a higher priority: see {@link #tryAcquire(String)}. A request with
     * constraints tests workers one by one if few meet them, so it may miss a slot that is released during the search.
     *
     * @param request the model and the constraints
     * @return the lease; empty if no worker that meets the constraints has a free slot now, other than slots that
     *     waiting requests accept
     */
    public Optional<SlotLease> tryAcquire(SlotRequest request) {
        return granted(models.tryAcquire(requireNonNull(request, "request")));
    }

    /**
     * Acquires a slot of any worker of a model, waiting if necessary: {@link #acquire(SlotRequest, Duration)} with
     * {@link SlotRequest#forModel}.
     *
     * @param modelRef the model
     * @param timeout how long to wait, &ge; 0
     * @return the lease
     * @throws SlotTimeoutException as there
     * @throws SlotQueueFullException as there
     * @throws NoWorkerException as there
     * @throws InterruptedException as there
     */
    public SlotLease acquire(String modelRef, Duration timeout) throws InterruptedException {
        return acquire(SlotRequest.forModel(modelRef), timeout);
    }

    /**
     * Acquires a slot, waiting if necessary. All requests for a model wait in one queue, those of {@link #acquireAsync}
     * too: higher priority first, then first come, first served; a slot that does not meet a request's constraints is
     * offered to the next one.
     *
     * <p>Parks the calling thread, platform or virtual; a virtual thread releases its carrier. The caller wakes when a
     * slot has been acquired for it (a slot was released, or a worker became ready), or as soon as its request is
     * unservable. The timeout is real time, whatever the registry's clock is, unless a {@link Builder#timer} is set:
     * then it is the time of that timer.
     *
     * <p>The three exceptions of this library describe the state of the model: its workers by state, the number of
     * waiting requests, how long this one waited, the model's last failed exit with its last line of output, and
     * whether the hive is shutting down.
     *
     * @param request the model, the constraints and the priority
     * @param timeout how long to wait, &ge; 0; with 0 it does not wait
     * @return the lease
     * @throws SlotTimeoutException if no slot was acquired in time
     * @throws SlotQueueFullException if the wait queue of the model is full
     * @throws NoWorkerException if no worker that meets the constraints is registered, at once or as soon as the last
     *     one is removed; workers that are Loading or BackingOff count as registered. Never if
     *     {@link Builder#failIfAbsent} is off, or for a request that {@linkplain SlotRequest#waitIfAbsent() waits if
     *     absent}
     * @throws InterruptedException if the thread is interrupted before it has a slot; no slot is lost. If the slot is
     *     acquired at the same time, it is returned, and the interrupt status stays set
     * @throws IllegalArgumentException if the timeout is negative
     */
    public SlotLease acquire(SlotRequest request, Duration timeout) throws InterruptedException {
        requireNonNull(request, "request");
        requireNotNegative(timeout);
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        SlotLease lease = models.acquire(request, timeout);
        try {
            return watched(lease);
        } catch (Throwable t) {
            lease.close();
            throw t;
        }
    }

    /**
     * Requests a slot without blocking: as {@link #acquire(SlotRequest, Duration)}, in the same queue, but the lease
     * comes through {@link PendingSlot#lease()}. For event loops, and for thousands of requests that wait.
     *
     * <p>Only bad arguments throw; all else comes through the stage. It is completed on the executor, with no lock
     * held, also if the slot is free at once. Completions that one thread causes are passed to their executors one
     * after another, never nested; so with {@code Runnable::run}, a dependent that blocks holds up only the thread that
     * it runs on: one that released a slot, changed a worker, or runs the timer. If the executor refuses, the slot is
     * passed on and the stage fails with the refusal, on the thread that tried.
     *
     * <p>A lease that is never closed keeps its slot: prefer {@link #withSlot}, or set
     * {@link Builder#leaseLeakThreshold}, which reports it with the stack of this call.
     *
     * @param request the model, the constraints and the priority
     * @param timeout how long to wait, &ge; 0; with 0 it does not wait. Real time, or that of {@link Builder#timer}
     * @param executor completes the stage; {@code Runnable::run} does so on the thread that ends the wait
     * @return the request; cancel it if the lease is no longer needed
     * @throws IllegalArgumentException if the timeout is negative
     */
    public PendingSlot acquireAsync(SlotRequest request, Duration timeout, Executor executor) {
        requireNonNull(request, "request");
        requireNotNegative(timeout);
        requireNonNull(executor, "executor");
        return models.acquireAsync(request, timeout, executor, leaks == null ? null : LeaseLeaks.stack());
    }

    /**
     * Acquires a slot as {@link #acquireAsync}, does some work with it, and releases it when the work has ended.
     *
     * <pre>{@code
     * CompletionStage<Answer> answer = registry.withSlot(SlotRequest.forModel("llama"), Duration.ofSeconds(30), eventLoop,
     *         slot -> client.send(prompt, slot.url()));
     * }</pre>
     *
     * <p>The slot is released before the stage that this returns completes, whatever the work does. If the stage of the
     * work never completes, the slot stays in use.
     *
     * @param request the model, the constraints and the priority
     * @param timeout how long to wait for the slot, &ge; 0
     * @param executor runs {@code work}; the returned stage completes on it, or on the thread that completes the work
     * @param work called once, with the lease, unless there is no slot; returns a stage that completes when the slot is
     *     no longer needed. It may {@linkplain SlotLease#fail fail} or close the lease itself
     * @param <T> the result of the work
     * @return completes with the result of the work; exceptionally as {@link PendingSlot#lease()}, with the exception
     *     of the work, or with a {@link NullPointerException} if the work returns null. It cannot be completed or
     *     cancelled from outside
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
     * Number of requests that wait for a slot of a model now, blocking and asynchronous. Takes no lock.
     *
     * @param modelRef the model
     * @return &ge; 0
     */
    public int waiting(String modelRef) {
        return models.waiting(requireNonNull(modelRef, "modelRef"));
    }

    private static void requireNotNegative(Duration timeout) {
        if (requireNonNull(timeout, "timeout").isNegative()) {
            throw new IllegalArgumentException("timeout must be >= 0, was " + timeout);
        }
    }

    private Optional<SlotLease> granted(@Nullable SlotLease lease) {
        if (lease == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(watched(lease));
        } catch (Throwable t) { // no memory, or the hive's clock failed
            lease.close();
            throw t;
        }
    }

    private SlotLease watched(SlotLease lease) {
        if (leaks != null) {
            leaks.acquired(lease, LeaseLeaks.stack());
        }
        return lease;
    }

    /**
     * Acquires a slot of one worker, in one atomic step.
     *
     * @param id the worker's id
     * @return the lease; empty if the id is unknown, the worker has no free slot now, or waiting callers accept the
     *     slot
     */
    public Optional<SlotLease> tryAcquireFrom(String id) {
        WorkerEntry entry = table.get(requireNonNull(id, "id"));
        return entry == null ? Optional.empty() : granted(entry.model().tryAcquireFrom(entry));
    }

    /**
     * Subscribes a listener to all life-cycle events from now on.
     *
     * <p>Each listener has its own bounded queue, drained serially on its executor: in order, once, with no lock held.
     * If a listener throws, the exception is logged and delivery continues. A slow or blocked listener delays no other,
     * unless they share the executor's only thread. A listener that falls behind by more than its queue holds receives
     * {@link WorkerEvent.Overflowed}, and should re-read {@link #list()}. A listener is dropped with a WARN if its
     * executor will accept no task again: it is an {@link java.util.concurrent.ExecutorService} that has been shut
     * down, or it has refused every task for a minute, and at least 100.
     *
     * @param listener the listener
     * @param executor runs the listener; {@code Runnable::run} calls it on the thread that caused the event, after the
     *     lock has been released
     * @return the subscription; close it to unsubscribe
     */
    public Subscription subscribe(WorkerListener listener, Executor executor) {
        return events.subscribe(requireNonNull(listener, "listener"), requireNonNull(executor, "executor"));
    }

    /**
     * Current counts, and totals since this registry was created.
     *
     * @return the counts
     */
    public RegistryStats stats() {
        return table.stats();
    }

    /** The node, and the number of workers by state, for logs. Takes no lock. */
    @Override
    public String toString() {
        return "WorkerRegistry[node " + LogText.of(node) + ", workers: "
                + StateCounts.describe(table.countByState().byLabel()) + "]";
    }

    /**
     * Settings of a registry; every method returns the builder. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private String node = "local";
        private @Nullable InstantSource clock;
        private int eventQueueCapacity = 1024;
        private SlotSelection slotSelection = SlotSelection.PACK;
        private int waitQueueCapacity = 512;
        private boolean failIfAbsent = true;
        private Duration affinityTtl = Duration.ofMinutes(10);
        private int affinityCapacity = 10_000;
        private @Nullable ScheduledExecutorService timer;
        private @Nullable Duration leaseLeakThreshold;

        private Builder() {}

        /**
         * Sets the name of the node.
         *
         * @param node a name as in {@link WorkerInfo}; default {@code local}
         * @return this builder
         */
        public Builder node(String node) {
            this.node = requireNonNull(node, "node");
            return this;
        }

        /**
         * Sets the clock, for tests: {@link io.github.workerregistry.testing.VirtualTime}. It is read by any thread,
         * with no lock held. If it is set back by more than a second, the registry's clock continues from its last
         * reading, so the time left to each deadline does not change; from then on it is ahead of this clock. While
         * this clock throws or returns null, the registry's clock stands at its last reading.
         *
         * @param clock default: wall time at construction plus elapsed {@code nanoTime}, so that a jump of the wall
         *     clock has no effect
         * @return this builder
         */
        public Builder clock(InstantSource clock) {
            this.clock = requireNonNull(clock, "clock");
            return this;
        }

        /**
         * Bounds the queue of each listener. Events of one transition ({@code Crashed} and {@code RestartScheduled} or
         * {@code Removed}, {@code IdleTimedOut} and {@code StopStarted}) are enqueued or dropped together: they are
         * enqueued if there is room for the first.
         *
         * @param eventQueueCapacity how many events a listener may be behind, &ge; 1; default 1024
         * @return this builder
         */
        public Builder eventQueueCapacity(int eventQueueCapacity) {
            this.eventQueueCapacity = eventQueueCapacity;
            return this;
        }

        /**
         * Sets which worker of a model serves the next request, if several have a free slot.
         *
         * @param slotSelection default {@link SlotSelection#PACK}
         * @return this builder
         */
        public Builder slotSelection(SlotSelection slotSelection) {
            this.slotSelection = requireNonNull(slotSelection, "slotSelection");
            return this;
        }

        /**
         * Sets how many requests may wait for a slot of one model, blocking and asynchronous.
         *
         * @param waitQueueCapacity &ge; 0, default 512
         * @return this builder
         */
        public Builder waitQueueCapacity(int waitQueueCapacity) {
            this.waitQueueCapacity = waitQueueCapacity;
            return this;
        }

        /**
         * Sets whether a request fails as soon as it is unservable. A hive that starts workers on demand may prefer to
         * wait; {@link SlotRequest#waitIfAbsent()} does so for one request.
         *
         * @param failIfAbsent default true
         * @return this builder
         */
        public Builder failIfAbsent(boolean failIfAbsent) {
            this.failIfAbsent = failIfAbsent;
            return this;
        }

        /**
         * Sets how long an affinity key is kept without use, see {@link SlotRequest#affinity(String)}.
         *
         * @param affinityTtl &gt; 0, default 10 minutes, by the registry's clock
         * @return this builder
         */
        public Builder affinityTtl(Duration affinityTtl) {
            this.affinityTtl = requireNonNull(affinityTtl, "affinityTtl");
            return this;
        }

        /**
         * Sets how many affinity keys of one model are kept. Beyond that, about the longest unused key is forgotten for
         * each new one. A key takes about 200 bytes and its own length.
         *
         * @param affinityCapacity &ge; 1, default 10,000
         * @return this builder
         */
        public Builder affinityCapacity(int affinityCapacity) {
            this.affinityCapacity = affinityCapacity;
            return this;
        }

        /**
         * Sets what runs the timeouts of waiting requests, blocking ones too: in virtual time in tests, with
         * {@link io.github.workerregistry.testing.VirtualTime} as timer and {@link #clock}. At most one task is
         * outstanding at a time. Dependents of a request that timed out run on it if the request's executor is
         * {@code Runnable::run}. If it refuses the task, the JDK's timer takes it, with one WARN.
         *
         * @param timer default: none; a blocking caller then waits for its own timeout, and the timeouts of
         *     asynchronous requests run on the JDK's timer thread for {@link CompletableFuture}
         * @return this builder
         */
        public Builder timer(ScheduledExecutorService timer) {
            this.timer = requireNonNull(timer, "timer");
            return this;
        }

        /**
         * Turns on leak detection: leases open for longer than this are reported, see
         * {@link Supervision#reportLeaks()}. Each lease then costs a stack trace and a clock reading.
         *
         * @param leaseLeakThreshold &gt; 0; default: off
         * @return this builder
         */
        public Builder leaseLeakThreshold(Duration leaseLeakThreshold) {
            this.leaseLeakThreshold = requireNonNull(leaseLeakThreshold, "leaseLeakThreshold");
            return this;
        }

        /**
         * Builds the registry.
         *
         * @return a new, empty registry
         * @throws IllegalArgumentException if a value is out of range, or the node is not a name; the message names it
         */
        public WorkerRegistry build() {
            requireName(node, "node");
            requireAtLeast(1, eventQueueCapacity, "eventQueueCapacity");
            requireAtLeast(0, waitQueueCapacity, "waitQueueCapacity");
            requireInRange(affinityTtl, "affinityTtl");
            requireAtLeast(1, affinityCapacity, "affinityCapacity");
            if (leaseLeakThreshold != null) {
                requireInRange(leaseLeakThreshold, "leaseLeakThreshold");
            }
            return new WorkerRegistry(this);
        }
    }
}
