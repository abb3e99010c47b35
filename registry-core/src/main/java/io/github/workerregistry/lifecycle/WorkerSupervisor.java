package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Checks.requireAtLeast;
import static io.github.workerregistry.internal.Durations.requireInRange;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.Subscription;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.LocalProcessController;
import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessUsage;
import io.github.workerregistry.process.SpawnException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Supervises worker processes: terminates orphans of an earlier run, starts workers, detects when they are ready,
 * probes them, restarts those that fail, stops those that are idle too long, and shuts all of them down gracefully.
 *
 * <pre>{@code
 * WorkerRegistry registry = WorkerRegistry.create();
 * WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
 *         .healthProbe(HttpHealthProbe.at("/v1/health"))
 *         .build();
 * supervisor.spawn(WorkerSpec.builder()
 *         .modelRef("tiny").command("llama-server", "-m", "tiny.gguf", "--port", "{port}").build());
 * }</pre>
 *
 * <p>The supervisor starts no thread. Its loops run as one periodic task on the hive's scheduler and do not block it.
 * If the scheduler does not run a stop or a shutdown, it continues, in real time, on the JDK's timer thread for
 * {@link CompletableFuture}. Work that may block (starting a process on a restart, removing files) runs on the executor
 * given to {@link Builder#blockingExecutor}, by default on the scheduler. {@link #close()} leaves the hive's executors
 * running. All methods are thread-safe.
 *
 * <p>A {@link WorkerSpec} may have a health probe, lifecycle, restart policy and stop request of its own. Those of the
 * supervisor apply to all other workers.
 *
 * <p>All log lines come from the logger of this class; each one about a worker names its id, model and generation.
 *
 * <p>Workers that the hive registered itself are probed and timed out too, but have no process here: stopping one
 * removes its record. A registry may have several supervisors, each with its own settings. Each evaluates the workers
 * that it spawned; the first one also evaluates those that the hive registered ({@link Builder#superviseRegistered}).
 *
 * @since 0.1
 */
public final class WorkerSupervisor implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final RegistrySupervisors supervisors;
    private final Stopper stopper;
    private final ExitProcessor exits;
    private final Readiness readiness;
    private final Spawner spawner;
    private final RestartLoop restarts;
    private final Replacer replacer;
    private final LifecycleConfig config;
    private final LoadDiagnosis diagnosis;
    private final WorkerOutput output;
    private final Shutdown shutdown;
    private final OrphanReport orphans;
    private final SupervisorAccess access;

    private WorkerSupervisor(Builder builder) {
        registry = builder.registry;
        supervisors = RegistrySupervisors.of(registry);
        config = builder.lifecycle;
        workers = new SupervisedWorkers(new WorkerRules(
                Optional.ofNullable(builder.healthProbe),
                config,
                builder.restartPolicy,
                Optional.ofNullable(builder.stopRequest)));
        Executor blocking = builder.blockingExecutor != null ? builder.blockingExecutor : builder.scheduler;
        ProcessController processes =
                builder.processController != null ? builder.processController : LocalProcessController.create();
        orphans = reapOrphans(processes);
        exits = new ExitProcessor(registry, workers, builder.ports, blocking, builder.hookDeadline != null);
        StopLoop stops = new StopLoop(registry, workers, exits);
        PauseTracker pauses =
                new PauseTracker(config.tickInterval(), registry.clock().instant());
        LoopSchedule loops = new LoopSchedule(registry.clock(), pauses);
        LoopRunner runner = new LoopRunner(loops, config.tickInterval(), workers::hasOpenStops);
        stopper = new Stopper(registry, workers, exits, stops, runner);
        readiness = new Readiness(registry, workers, supervisors);
        spawner = new Spawner(
                registry,
                workers,
                new ProcessStarter(processes),
                builder.ports,
                rules -> new StopSequence(rules.lifecycle().killTimeout(), pauses),
                stops,
                exits,
                readiness,
                runner,
                blocking);
        access = new SupervisorAccess(builder.scheduler, blocking, workers, exits, spawner, pauses);
        restarts = new RestartLoop(registry, workers, spawner, stopper, exits);
        replacer = new Replacer(registry, workers, spawner, stopper, restarts, blocking);
        SupervisedRecords records =
                new SupervisedRecords(registry, supervisors.add(workers, builder.superviseRegistered));
        MassFailureGuard massFailureGuard = new MassFailureGuard(registry, stopper, config.suspicionTimeout(), pauses);
        loops.addUrgent("liveness", config.tickInterval(), new LivenessLoop(registry.clock(), workers, exits));
        loops.addUrgent("record", config.tickInterval(), new RecordLoop(registry, workers, stopper));
        loops.addUrgent("dropped start", config.tickInterval(), new DroppedStartLoop(workers, spawner, exits));
        loops.addUrgent("stop", config.tickInterval(), stops);
        loops.add("output", config.tickInterval(), new OutputLoop(workers)); // before the probes, see LoadProgress
        StallDetector stalls = new StallDetector(workers, pauses);
        ProbeQueue queue = new ProbeQueue(builder.scheduler);
        ProbeEvaluator evaluator =
                new ProbeEvaluator(registry, records, workers, readiness, stopper, massFailureGuard, pauses);
        ProbeLoop probes = new ProbeLoop(registry, records, workers, queue, evaluator, stalls, pauses);
        loops.add("probe", config.tickInterval(), probes);
        loops.add("evaluation", config.tickInterval(), evaluator);
        FailedLeaseLoop failedLeases =
                new FailedLeaseLoop(registry, records, workers, exits, stopper, queue, pauses, builder.scheduler);
        loops.add("failed leases", config.tickInterval(), failedLeases);
        output = new WorkerOutput(registry, workers);
        diagnosis = new LoadDiagnosis(probes, workers);
        loops.add("slow load", SlowLoadLoop.PERIOD, new SlowLoadLoop(records, diagnosis, pauses));
        loops.add(
                "heartbeat",
                config.tickInterval(),
                new HeartbeatLoop(registry, records, workers, stopper, massFailureGuard, pauses));
        loops.add("mass failure guard", config.tickInterval(), massFailureGuard);
        loops.add("restart", config.tickInterval(), restarts);
        loops.add("dropped replacement", config.tickInterval(), replacer);
        loops.add("leaks", Duration.ofSeconds(1), now -> registry.supervision().reportLeaks());
        loops.add("load", LoadLoop.PERIOD, new LoadLoop(records, workers, stopper, stalls, diagnosis, pauses));
        loops.add("busy", BusyLoop.PERIOD, new BusyLoop(registry, records, workers, stopper, pauses));
        IdleLoop idle = new IdleLoop(registry, records, workers, stopper, pauses);
        loops.add("idle", idle::period, idle);
        shutdown = new Shutdown(registry, workers, stopper, exits, runner, config, () -> {
            failedLeases.close();
            replacer.close();
            supervisors.remove(workers);
        });
        if (builder.hookDeadline != null) {
            shutdown.hook(builder.hookDeadline); // first: while the JVM shuts down, it is refused
        }
        try {
            runner.start(builder.scheduler);
        } catch (Throwable refused) { // build() fails: undo what the constructor has registered
            shutdown.unhook();
            supervisors.remove(workers);
            throw refused;
        }
        failedLeases.register();
    }

    /** Runs before anything is started, so that memory and ports are free. */
    private OrphanReport reapOrphans(ProcessController processes) {
        OrphanReport report;
        try {
            report = requireNonNull(processes.reapOrphans(), "the process controller's report");
        } catch (Throwable t) { // foreign code: orphans left running do not prevent the start
            log.warn("search for orphans of an earlier hive failed", LogText.of(t));
            report = OrphanReport.unsupported();
        }
        return report;
    }

    /**
     * A builder with the defaults set.
     *
     * @param registry holds the workers; the supervisor uses its clock
     * @param scheduler the hive's scheduler, on which the loops run; one thread is enough
     * @return a new builder
     */
    public static Builder builder(WorkerRegistry registry, ScheduledExecutorService scheduler) {
        return new Builder(requireNonNull(registry, "registry"), requireNonNull(scheduler, "scheduler"));
    }

    /**
     * Starts a worker. Blocks until the process has been started, not until it has loaded.
     *
     * @param spec what to start
     * @return the worker, Loading, with its pid
     * @throws SpawnException if the process could not be started, or another process already listens at the spec's url;
     *     nothing stays registered and the port is released
     * @throws io.github.workerregistry.DuplicateWorkerException if the spec's id is taken
     * @throws PortsExhaustedException if the worker needs a port and none is free
     * @throws IllegalArgumentException if the url or the program is malformed after its placeholders are substituted
     * @throws IllegalStateException if this supervisor is shutting down, or the hive's scheduler has been shut down
     */
    public WorkerInfo spawn(WorkerSpec spec) {
        return spawner.spawn(requireNonNull(spec, "spec"));
    }

    /**
     * Reports that a worker has loaded and accepts requests. The worker becomes ready by this call or by the first
     * healthy probe, whichever is earlier. If workers are restarted, prefer {@link #reportReady(String, int)}: here, a
     * late call of an earlier generation makes the next one ready while it is still loading.
     *
     * @param id the worker's id
     * @return true if the worker is ready, also if it was before, or will be as soon as the start of its process has
     *     returned; false if the id is unknown, another supervisor spawned the worker, or it is stopping, backing off,
     *     or not yet being started
     */
    public boolean reportReady(String id) {
        return calledBack(requireNonNull(id, "id"), worker -> true);
    }

    /**
     * Reports that one generation of a worker has loaded. The process has its generation in its environment as
     * {@code WORKER_GENERATION}. A late call of an earlier generation has no effect.
     *
     * @param id the worker's id
     * @param generation the generation that has loaded, as in {@link WorkerInfo#generation()}
     * @return as {@link #reportReady(String)}; false also if the worker is in another generation
     */
    public boolean reportReady(String id, int generation) {
        return calledBack(requireNonNull(id, "id"), worker -> worker.generation() == generation);
    }

    private boolean calledBack(String id, Predicate<WorkerInfo> meant) {
        boolean ready = readiness.calledBack(id, meant);
        if (ready) {
            diagnosis.calledBack();
        }
        return ready;
    }

    /**
     * Returns a stage that completes when the worker's current generation is ready.
     *
     * @param id the worker's id
     * @return completes, on any thread, with the worker when it is ready; exceptionally with
     *     {@link WorkerEndedException}, which has the cause, if its process exits first, even if a restart follows; or
     *     with {@link NoSuchWorkerException} if no such worker is supervised here
     */
    public CompletionStage<WorkerInfo> whenReady(String id) {
        SupervisedWorker worker = workers.get(requireNonNull(id, "id"));
        return worker == null
                ? CompletableFuture.failedFuture(new NoSuchWorkerException(id))
                : HiveFutures.forHive(worker.ready);
    }

    /**
     * Reports load progress that a worker's output does not show. If output is not recorded, the first report also
     * starts stall detection: from then on, the load fails after {@link LifecycleConfig#loadStallTimeout()} without
     * another report.
     *
     * @param id the worker's id
     * @return false if no such worker is supervised here
     */
    public boolean reportProgress(String id) {
        return reportProgress(workers.get(requireNonNull(id, "id")));
    }

    /**
     * Reports load progress of one generation of a worker. A late report of an earlier generation has no effect.
     *
     * @param id the worker's id
     * @param generation the generation that makes progress, as in {@code WORKER_GENERATION}
     * @return false if no such worker is supervised here, or it is in another generation; then nothing is recorded
     */
    public boolean reportProgress(String id, int generation) {
        SupervisedWorker worker = workers.get(requireNonNull(id, "id"));
        return reportProgress(worker == null || worker.generation != generation ? null : worker);
    }

    private boolean reportProgress(@Nullable SupervisedWorker worker) {
        if (worker != null) {
            worker.load.report(registry.clock().instant());
        }
        return worker != null;
    }

    /**
     * Restarts a worker at an operator's request: stops it as {@link #stop} does, then starts the next generation at
     * once, whatever the exit status. Id, port and url stay the same, unless another process now listens on the port.
     * The restart does not count against the {@link RestartPolicy}. A worker that is backing off is restarted now; one
     * whose process is being started is not restarted.
     *
     * @param id the worker's id
     * @return completes, on any thread, with the worker, Loading, when its new process has been started; exceptionally
     *     with {@link SpawnException} if that failed, with {@link WorkerEndedException} if the worker was stopped or
     *     the hive removed its record meanwhile, with {@link UnkillableException} if its process does not exit, with
     *     {@code IllegalStateException} if the worker is to {@linkplain #replace replace} another one and has not done
     *     so yet, or with {@link NoSuchWorkerException} if no such worker is supervised here, or its record was removed
     *     while it was backing off
     */
    public CompletionStage<WorkerInfo> restart(String id) {
        return HiveFutures.forHive(restarts.restart(requireNonNull(id, "id")));
    }

    /**
     * Replaces a worker by another one without a gap (<em>surge</em>): starts the new worker, waits until it is ready,
     * then stops the old one with {@link StopReason#REPLACED}. The old one serves until the new one is ready; then it
     * gets no new leases, its open leases run to their end without a limit, and it is stopped as by {@link #stop}.
     *
     * <p>If the new worker ends before it is ready, it is not restarted, the old one goes on, and the stage fails. Once
     * it is ready, it is a worker like any other. Whatever happens to the old worker meanwhile has no effect on the new
     * one: it may be stopped or exit; if it is backing off or loading when the new one is ready, it is removed in place
     * of being restarted. Until the stage is complete, {@link #restart} and replacements of the new worker fail with
     * {@code IllegalStateException}.
     *
     * <p>The new worker is started on the {@link Builder#blockingExecutor}; both exist at the same time, with ports and
     * memory of their own. To replace a worker on its own port, or where there is no room for two, call
     * {@link #replaceInPlace}.
     *
     * @param id the id of the worker to replace
     * @param spec the new worker, of the same model. Its id, if it has one, must be free; by default it is generated
     * @return completes, on any thread, with the new worker when it is ready and no slot of the old one can be acquired
     *     any more; exceptionally with {@link WorkerEndedException}, which has the exit of the new worker, if that ends
     *     before it is ready; with {@link UnkillableException} if it cannot be ended then; as {@link #spawn} throws if
     *     it could not be started; with {@code IllegalStateException} if a replacement of this worker has begun and has
     *     not ended, or this supervisor is shutting down; or with {@link NoSuchWorkerException} if no such worker is
     *     supervised here
     * @throws IllegalArgumentException if the spec is of another model
     */
    public CompletionStage<WorkerInfo> replace(String id, WorkerSpec spec) {
        requireNonNull(id, "id");
        return HiveFutures.forHive(replacer.replace(id, requireNonNull(spec, "spec")));
    }

    /**
     * Replaces a worker by its own next generation: closes it to new leases, lets its open leases run to their end
     * without a limit, ends its process as {@link #stop} does, and then starts the new spec with the same id and on the
     * same port. Meanwhile the record stays: {@code Stopping} with {@link StopReason#REPLACED} and
     * {@link io.github.workerregistry.WorkerState.Stopping#inPlace()}, then {@code Loading} with the next generation,
     * with url, backend, device, slots and labels of the new spec. The replacement counts in
     * {@link WorkerInfo#restarts()}, but not against the {@link RestartPolicy}.
     *
     * <p>If the new generation ends before it is ready, or cannot be started, also because another process listens on
     * the port, the stage fails. The worker then has the new spec, and its restart policy decides, with failures
     * counted anew; to go back, replace it again. A restart after such a failure may use another port.
     *
     * <p>An exit of the old process meanwhile, also by a crash, is followed by the new generation at once, and so is a
     * call for a worker that is backing off. A {@link #stop} during the drain ends the worker, and one that is being
     * stopped is not replaced. If the process is just being started, the replacement begins when the start has
     * returned.
     *
     * @param id the worker's id
     * @param spec the next generation, of the same model. It has no id, or this one. It may use {@code {port}} if the
     *     worker's present spec does; its url, if given by hand, may differ from the present one
     * @return completes, on any thread, with the worker when its new generation is ready; exceptionally with
     *     {@link WorkerEndedException}, which has the exit, if that ends before it is ready, or the worker is stopped
     *     or its record removed meanwhile; with {@link UnkillableException} if the old process does not exit (if it
     *     exits later, the new generation follows); with {@code IllegalStateException} if a replacement of this worker,
     *     or by it, has begun and has not ended, or this supervisor is shutting down; with
     *     {@code IllegalArgumentException} if the url or the program is malformed after its placeholders are
     *     substituted; or with {@link NoSuchWorkerException} if no such worker is supervised here, or its record was
     *     removed while it was backing off
     * @throws IllegalArgumentException if the spec is of another model, has another id, or uses {@code {port}} and the
     *     worker has no port
     */
    public CompletionStage<WorkerInfo> replaceInPlace(String id, WorkerSpec spec) {
        requireNonNull(id, "id");
        return HiveFutures.forHive(replacer.replaceInPlace(id, requireNonNull(spec, "spec")));
    }

    /**
     * Stops a worker gracefully. It gets no new leases; open leases may end within the drain time. Then the
     * {@link StopRequest}, if there is one, is sent, then SIGTERM; when the grace period is over, the whole process
     * tree is killed. The remaining steps are skipped as soon as the process has exited.
     *
     * @param id the worker's id
     * @return completes, on any thread, when the process has exited; exceptionally with {@link UnkillableException}, or
     *     with {@link NoSuchWorkerException} if no such worker is supervised here
     */
    public CompletionStage<ExitStatus> stop(String id) {
        return exitOf(stopper.stop(requireNonNull(id, "id")));
    }

    /**
     * Stops a worker gracefully, with the given reason and drain time.
     *
     * @param id the worker's id
     * @param reason recorded in {@link io.github.workerregistry.WorkerState.Stopping} and as the cause of the exit; not
     *     {@link StopReason#RESTART}, see {@link #restart}
     * @param drain the longest wait for open leases, &gt; 0; empty: no limit
     * @return as {@link #stop(String)}
     * @throws IllegalArgumentException if {@code drain} is out of range, or {@code reason} is {@code RESTART}
     */
    public CompletionStage<ExitStatus> stop(String id, StopReason reason, Optional<Duration> drain) {
        requireNonNull(id, "id");
        requireNoRestart(reason);
        requireNonNull(drain, "drain").ifPresent(time -> requireInRange(time, "drain"));
        return exitOf(stopper.stop(id, reason, drain));
    }

    /**
     * Stops a worker at once, without a drain, if it is unchanged since it was read: same incarnation, same state, and
     * if it was Idle, not leased since. So an idle worker that has just been leased is not stopped.
     *
     * @param seen the snapshot to compare with
     * @param reason recorded as in {@link #stop(String, StopReason, Optional)}
     * @return whether the worker is being stopped; false also if another supervisor spawned it
     * @throws IllegalArgumentException if {@code reason} is {@link StopReason#RESTART}, see {@link #restart}
     */
    public boolean stopIfUnchanged(WorkerInfo seen, StopReason reason) {
        requireNonNull(seen, "seen");
        requireNoRestart(reason);
        return !supervisors.isSpawnedByOther(workers, seen) && stopper.endIfUnchanged(seen, reason);
    }

    /** A stop removes the worker; a worker that is Stopping for a restart counts as one that will serve again. */
    private static void requireNoRestart(StopReason reason) {
        if (requireNonNull(reason, "reason") == StopReason.RESTART) {
            throw new IllegalArgumentException("reason must not be RESTART: a stop starts nothing; call restart(id)");
        }
    }

    /**
     * Kills a worker's whole process tree at once. Its open leases end.
     *
     * @param id the worker's id
     * @return as {@link #stop}
     */
    public CompletionStage<ExitStatus> forceKill(String id) {
        return exitOf(stopper.forceKill(requireNonNull(id, "id")));
    }

    private static CompletableFuture<ExitStatus> exitOf(CompletableFuture<SupervisedWorker> ending) {
        CompletableFuture<ExitStatus> exit = new CompletableFuture<>();
        ending.whenComplete((worker, failure) -> {
            if (failure != null) {
                exit.completeExceptionally(failure);
            } else {
                HiveFutures.relay(worker.exit, exit);
            }
        });
        return HiveFutures.forHive(exit);
    }

    /**
     * The last lines that a running worker wrote to stdout and stderr. Reads a file on the calling thread.
     *
     * @param id the worker's id
     * @param maxLines the maximum number of lines, &gt; 0; more than 64 KiB of output are not read
     * @return the last lines of the current generation, oldest first, without line ends, cut after 1,000 characters; of
     *     a worker that is backing off, the last lines of its exit. Empty if it has written nothing, if its process is
     *     being started, or if no such worker is supervised here
     * @throws IllegalArgumentException if {@code maxLines} is not positive
     * @throws UnsupportedOperationException if the worker's output is not recorded
     *     ({@link LocalProcessController.Builder#discardOutput}, {@link LocalProcessController.Builder#inheritOutput})
     */
    public List<String> output(String id, int maxLines) {
        return output.last(requireNonNull(id, "id"), requireAtLeast(1, maxLines, "maxLines"));
    }

    /**
     * Passes the lines that a worker writes from now on to a listener, over all restarts, until the worker is removed.
     * The worker itself is never slowed: its output goes to a file, which is read at every tick (new lines arrive after
     * about {@link LifecycleConfig#tickInterval()}), at most 1 MiB each time. What a process wrote before it exited is
     * passed on before the exit is reported, at most 1 MiB.
     *
     * <p>Each listener has a queue of at most 10,000 lines and 1,048,576 characters. When it is full, further lines are
     * dropped until the listener has emptied it; the listener then gets their number once, see
     * {@link OutputListener#onDropped}.
     *
     * <p>A follower that joins in the middle of a line may receive only the rest of that line.
     *
     * @param id the worker's id
     * @param listener receives the lines; {@link OutputListener#onEnd} is called after the last one. If no such worker
     *     is supervised here, that is its only call
     * @param executor runs the listener; one that runs tasks on the calling thread lets a listener that blocks hold up
     *     the supervisor. Tasks that it refuses are submitted again; if it has been shut down, or has refused every
     *     task for a minute, the subscription ends with a WARN
     * @return closing it ends the subscription; undelivered lines are dropped
     * @throws UnsupportedOperationException if the worker's output is not recorded
     *     ({@link LocalProcessController.Builder#discardOutput}, {@link LocalProcessController.Builder#inheritOutput}),
     *     or the process controller does not support {@link io.github.workerregistry.process.WorkerProcess#readOutput};
     *     if that turns out only when a process has been started, it is logged at WARN and the subscription ends
     */
    public Subscription follow(String id, OutputListener listener, Executor executor) {
        requireNonNull(id, "id");
        requireNonNull(listener, "listener");
        return output.follow(id, listener, requireNonNull(executor, "executor"));
    }

    /**
     * What a worker's whole process tree uses now. Reads on the calling thread: with {@link LocalProcessController}
     * some files for each process and thread of the tree, at about 10 microseconds each; where the kernel has no lists
     * of children ({@code CONFIG_PROC_CHILDREN}), usually also each other process of the machine once in 10 s.
     *
     * @param id the worker's id
     * @return memory, CPU time, threads and processes; empty if the system is not Linux or they cannot be read, if no
     *     process runs, or if no such worker is supervised here
     */
    public Optional<ProcessUsage> usage(String id) {
        return output.usage(requireNonNull(id, "id"));
    }

    /**
     * The last 100 exits: worker, cause, exit status, last output lines.
     *
     * @return an unmodifiable list, oldest first
     */
    public List<Exit> recentExits() {
        return exits.recent();
    }

    /**
     * The orphans of an earlier run of this hive: those that were terminated, and those that could not be.
     *
     * @return the report of {@link ProcessController#reapOrphans()}, which ran once, before this supervisor started
     *     anything
     */
    public OrphanReport orphansAtStart() {
        return orphans;
    }

    /**
     * Stops all workers concurrently, under one deadline. From now on {@link #spawn} is rejected, and a worker whose
     * process is being started is stopped. Workers may drain as long as the grace period still fits before the
     * deadline; then follow the stop request, SIGTERM and, at the deadline, the kill. The loops end when all workers
     * have ended. Continues without the scheduler if the hive shuts that down.
     *
     * <p>All stops begin before the calling thread calls a listener or sends a stop request. If one of these blocks it,
     * the stops go on on the scheduler, or on the JDK's timer thread.
     *
     * <p>Idempotent: a later call returns the same report; an earlier deadline replaces the current one.
     *
     * @param deadline the time after which remaining processes are killed, &gt; 0
     * @return completes, on any thread, when every worker has exited or is found unkillable; exceptionally only if the
     *     JVM is out of memory, or foreign code (the scheduler, the log) fails
     * @throws IllegalArgumentException if the deadline is out of range
     */
    public CompletionStage<ShutdownReport> shutdown(Duration deadline) {
        return shutdown.begin(requireInRange(deadline, "deadline"));
    }

    /**
     * Stops all workers gracefully and waits: as {@link #shutdown} with {@link LifecycleConfig#stopGrace()} as the
     * deadline. Waits at most {@code stopGrace + killTimeout} (of the supervisor, whatever a worker's own are) of real
     * time, or until the thread is interrupted, and keeps the interrupt status; remaining processes are then killed as
     * by {@link #closeNow()}. May be called on the scheduler's thread or by a listener: the calling thread then runs
     * the loops itself. A listener or stop request that blocks the calling thread delays the return, but neither the
     * other stops nor the kills. Idempotent.
     */
    @Override
    public void close() {
        shutdown.andWait(config.stopGrace(), config.stopGrace().plus(config.killTimeout()));
    }

    /**
     * Kills all remaining processes and cancels the loops on the hive's scheduler. Does not wait: outstanding exits are
     * detected, and kills repeated, on the JDK's timer thread, for at most {@code killTimeout} (the longest of all
     * workers) + 2 s. Idempotent.
     *
     * <p>If the JVM ends right after this call, a process of a worker whose parent has exited before may be left
     * running: such processes are searched for after the call. The next run of the hive kills them.
     */
    public void closeNow() {
        shutdown.now();
    }

    /**
     * What code needs that decides itself which workers run, such as a pool.
     *
     * @return always the same object
     */
    public SupervisorAccess access() {
        return access;
    }

    /** The number of supervised processes and the registry, for logs. Takes no lock. */
    @Override
    public String toString() {
        long processes = workers.all().stream()
                .filter(worker -> worker.process() != null && !worker.hasExited())
                .count();
        return "WorkerSupervisor[processes: " + processes + ", " + registry + "]";
    }

    /**
     * Builds a {@link WorkerSupervisor}. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private final WorkerRegistry registry;
        private final ScheduledExecutorService scheduler;
        private @Nullable ProcessController processController;
        private @Nullable HealthProbe healthProbe;
        private @Nullable StopRequest stopRequest;
        private @Nullable Executor blockingExecutor;
        private @Nullable Duration hookDeadline;
        private boolean superviseRegistered = true;
        private RestartPolicy restartPolicy = RestartPolicy.onFailure();
        private LifecycleConfig lifecycle = LifecycleConfig.defaults();
        private PortPool ports = PortPool.of(8100, 8199);

        private Builder(WorkerRegistry registry, ScheduledExecutorService scheduler) {
            this.registry = registry;
            this.scheduler = scheduler;
        }

        /**
         * Sets how processes are started.
         *
         * @param processController default {@link LocalProcessController#create()}
         * @return this builder
         */
        public Builder processController(ProcessController processController) {
            this.processController = requireNonNull(processController, "processController");
            return this;
        }

        /**
         * Sets how workers are probed.
         *
         * <p>A load that takes more than 10 s is logged at WARN, once per generation, with the last answer of the
         * probe. Without a probe there is one such warning in total, and none after the first call of
         * {@link WorkerSupervisor#reportReady}.
         *
         * @param healthProbe default: none; then only {@link WorkerSupervisor#reportReady} makes a worker ready, and no
         *     health check fails, except for workers with a {@link WorkerSpec.Builder#healthProbe} of their own
         * @return this builder
         */
        public Builder healthProbe(HealthProbe healthProbe) {
            this.healthProbe = requireNonNull(healthProbe, "healthProbe");
            return this;
        }

        /**
         * Sets the request that asks a worker to exit before it is signalled.
         *
         * @param stopRequest default: none; a stop begins with SIGTERM
         * @return this builder
         */
        public Builder stopRequest(StopRequest stopRequest) {
            this.stopRequest = requireNonNull(stopRequest, "stopRequest");
            return this;
        }

        /**
         * Sets intervals, timeouts and limits.
         *
         * @param lifecycle default {@link LifecycleConfig#defaults()}
         * @return this builder
         */
        public Builder lifecycle(LifecycleConfig lifecycle) {
            this.lifecycle = requireNonNull(lifecycle, "lifecycle");
            return this;
        }

        /**
         * Sets whether and when workers are restarted.
         *
         * @param restartPolicy default {@link RestartPolicy#onFailure()}
         * @return this builder
         */
        public Builder restartPolicy(RestartPolicy restartPolicy) {
            this.restartPolicy = requireNonNull(restartPolicy, "restartPolicy");
            return this;
        }

        /**
         * Sets the ports that workers listen on.
         *
         * @param ports default 8100 to 8199
         * @return this builder
         */
        public Builder ports(PortPool ports) {
            this.ports = requireNonNull(ports, "ports");
            return this;
        }

        /**
         * Sets the executor of work that may block: starting a process on a restart, removing files.
         *
         * @param blockingExecutor default: the scheduler
         * @return this builder
         */
        public Builder blockingExecutor(Executor blockingExecutor) {
            this.blockingExecutor = requireNonNull(blockingExecutor, "blockingExecutor");
            return this;
        }

        /**
         * Sets whether this supervisor evaluates workers that the hive registered itself: probes them, checks them
         * after a failed lease, times them out, and stops them when they fail. If a registry has several supervisors,
         * the setting of the first one built decides; if it is false, nothing evaluates these workers. A spawned worker
         * is evaluated only by the supervisor that spawned it.
         *
         * @param superviseRegistered default true
         * @return this builder
         */
        public Builder superviseRegistered(boolean superviseRegistered) {
            this.superviseRegistered = superviseRegistered;
            return this;
        }

        /**
         * Adds a JVM shutdown hook that calls {@link WorkerSupervisor#shutdown} and waits for it: on SIGTERM, Ctrl-C
         * and {@code System.exit}, and not on SIGKILL. The JVM waits at most the deadline + the kill timeout + 3 s (1 s
         * of them for listeners that run on the supervisor's threads); remaining processes are then killed. The stops
         * begin on the JDK's timer thread, so a listener or stop request there may block or call {@code System.exit}.
         * The hook is removed when the supervisor has been shut down or closed.
         *
         * <p>A service manager may signal the hive and its workers at the same time (systemd does with
         * {@code KillMode=control-group}, its default; {@code KillMode=mixed} lets workers drain). Therefore, with the
         * hook, an exit by a SIGTERM or SIGINT that the supervisor did not send is processed 200 ms later, and is no
         * crash if the shutdown has begun by then.
         *
         * @param deadline the time after which remaining processes are killed, &gt; 0
         * @return this builder
         */
        public Builder shutdownHook(Duration deadline) {
            this.hookDeadline = requireNonNull(deadline, "deadline");
            return this;
        }

        /**
         * Builds the supervisor. First terminates the orphans of an earlier run of this hive (see
         * {@link ProcessController#reapOrphans()}; milliseconds, or seconds if there are orphans), then starts the
         * loops.
         *
         * @return a new supervisor
         * @throws java.util.concurrent.RejectedExecutionException if the scheduler has been shut down
         * @throws IllegalArgumentException if the deadline of the shutdown hook is out of range
         */
        public WorkerSupervisor build() {
            if (hookDeadline != null) {
                requireInRange(hookDeadline, "shutdownHook deadline");
            }
            return new WorkerSupervisor(this);
        }
    }
}
