package io.github.workerregistry.lifecycle;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.LogText;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.process.LocalProcessController;
import io.github.workerregistry.process.OrphanReport;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.SpawnException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The life of workers' processes: ends orphans of an earlier run, starts workers, finds out when they are ready, judges
 * them, restarts those that fail, stops those that idle, and ends them in good order.
 *
 * <pre>{@code
 * WorkerRegistry registry = WorkerRegistry.create();
 * WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
 *         .health(HttpHealthProbe.at("/v1/health"))
 *         .build();
 * supervisor.spawn(WorkerSpec.builder()
 *         .modelRef("tiny").command("llama-server", "-m", "tiny.gguf", "--port", "{port}").build());
 * }</pre>
 *
 * <p>It starts no thread of its own. Its loops run as one periodic task of the hive's scheduler and do not block it. A
 * stop or shutdown that the scheduler does not run goes on, in real time, on the timer thread that the JDK keeps for
 * {@link CompletableFuture}. What may block (the start of a process on a restart, the removal of files) runs on the
 * executor given to {@link Builder#blocking}; without one, on the scheduler too. The hive's executors are still running
 * after {@link #close()}. All methods are thread-safe. Workers that the hive registered itself are probed and timed out
 * too, but they have no process here: ending one removes its record. A registry may have several supervisors, each with
 * its own settings: each evaluates the workers that it spawned, and the first one those that the hive registered
 * ({@link Builder#superviseRegistered}).
 */
public final class WorkerSupervisor implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers = new SupervisedWorkers();
    private final Stopper stopper;
    private final Exits exits;
    private final Readiness readiness;
    private final Spawner spawner;
    private final RestartLoop restarts;
    private final LoadDiagnosis diagnosis;
    private final Shutdown shutdown;
    private final OrphanReport orphans;

    private WorkerSupervisor(Builder builder) {
        registry = builder.registry;
        LifecycleConfig config = builder.config;
        Executor blocking = builder.blocking != null ? builder.blocking : builder.scheduler;
        ProcessController processes = builder.processes != null ? builder.processes : LocalProcessController.create();
        orphans = reapOrphans(processes);
        exits = new Exits(
                registry,
                workers,
                builder.ports,
                builder.restart,
                blocking,
                builder.hookDeadline != null,
                config.killWait());
        StopLoop stops = new StopLoop(registry, workers, exits, builder.stopRequest);
        Presence presence = new Presence(config.sweep(), registry.clock().instant());
        Loops loops = new Loops(registry.clock(), presence);
        LoopRunner runner = new LoopRunner(loops, config.sweep(), workers::areStopping);
        stopper = new Stopper(registry, workers, exits, config, stops, runner);
        readiness = new Readiness(registry, workers);
        spawner = new Spawner(
                registry,
                workers,
                new ProcessStarter(processes),
                builder.ports,
                builder.restart,
                () -> new StopSequence(config.killWait(), presence),
                stops,
                exits,
                readiness,
                runner,
                blocking);
        restarts = new RestartLoop(registry, workers, spawner, stopper, exits);
        RegistrySupervisors supervisors = RegistrySupervisors.of(registry);
        SupervisedRecords records =
                new SupervisedRecords(registry, supervisors.join(workers, builder.superviseRegistered));
        Suspects suspects = new Suspects(registry, stopper, config.suspectLimit(), presence);
        loops.addUrgent("liveness", config.sweep(), new LivenessLoop(registry, workers, spawner, stopper, exits));
        loops.addUrgent("stop", config.sweep(), stops);
        loops.add("output", config.sweep(), new OutputLoop(workers)); // before the probes, see LoadProgress
        Stalls stalls = new Stalls(workers, config.loadStall(), presence);
        ProbeQueue probe = builder.probe == null ? null : new ProbeQueue(builder.probe, builder.scheduler);
        ProbeLoop probes = null;
        if (probe != null) {
            Verdict verdict = new Verdict(registry, records, readiness, stopper, suspects, presence, config);
            probes = new ProbeLoop(registry, records, workers, probe, config, verdict, stalls, presence);
            loops.add("probe", config.sweep(), probes);
            loops.add("verdict", config.sweep(), verdict);
        }
        FailedLeases failedLeases = new FailedLeases(
                registry, records, workers, exits, probe, config.healthTimeout(), presence, builder.scheduler);
        loops.add("failed leases", config.sweep(), failedLeases);
        diagnosis = new LoadDiagnosis(probes, workers);
        loops.add("slow load", SlowLoadLoop.PERIOD, new SlowLoadLoop(records, diagnosis, presence));
        loops.add(
                "heartbeat", config.sweep(), new HeartbeatLoop(registry, records, stopper, suspects, config, presence));
        loops.add("suspects", config.sweep(), suspects);
        loops.add("restart", config.sweep(), restarts);
        loops.add("leaks", Duration.ofSeconds(1), now -> registry.reportLeaks());
        loops.add("load", LoadLoop.PERIOD, new LoadLoop(records, stopper, stalls, diagnosis, config, presence));
        config.busyLimit()
                .ifPresent(limit ->
                        loops.add("busy", BusyLoop.PERIOD, new BusyLoop(registry, records, stopper, limit, presence)));
        config.idleTimeout()
                .ifPresent(timeout ->
                        loops.add("idle", config.idleCheck(), new IdleLoop(records, stopper, timeout, presence)));
        shutdown = new Shutdown(registry, workers, stopper, exits, runner, config, () -> {
            failedLeases.close();
            supervisors.leave(workers);
        });
        if (builder.hookDeadline != null) {
            shutdown.hook(builder.hookDeadline); // first: while the JVM shuts down, it is refused
        }
        try {
            runner.start(builder.scheduler);
        } catch (Throwable refused) { // nobody will ever have this supervisor: nothing of it may stay
            shutdown.unhook();
            supervisors.leave(workers);
            throw refused;
        }
        failedLeases.register();
    }

    /** Before anything is started: memory and ports are to be free. */
    private OrphanReport reapOrphans(ProcessController processes) {
        OrphanReport report;
        try {
            report = requireNonNull(processes.reapOrphans(), "the process controller's report");
        } catch (Throwable t) { // foreign code; what is left running is no reason not to start
            log.warn("orphans of an earlier hive could not be looked for", LogText.of(t));
            report = OrphanReport.unsupported();
        }
        registry.noteReapedOrphans(report.ended().size());
        return report;
    }

    /**
     * A builder with the defaults set.
     *
     * @param registry where the workers are kept; its clock is the supervisor's
     * @param scheduler the host's scheduler, on which the loops run; one thread is enough
     * @return a new builder
     */
    public static Builder builder(WorkerRegistry registry, ScheduledExecutorService scheduler) {
        return new Builder(requireNonNull(registry, "registry"), requireNonNull(scheduler, "scheduler"));
    }

    /**
     * Starts a worker. Blocks the caller for as long as starting a process takes, but not for the load.
     *
     * @param spec what to start
     * @return the worker, Loading, with its pid
     * @throws SpawnException if the process could not be started, or another process listens at the url that the spec
     *     gives it; then nothing stays registered and no port stays taken
     * @throws io.github.workerregistry.DuplicateWorkerException if the spec's id is taken
     * @throws PortsExhaustedException if the worker needs a port and none is free
     * @throws IllegalArgumentException if the url or the program is malformed once its placeholders are filled
     * @throws IllegalStateException if this supervisor is shutting down, or the hive's scheduler has been shut down
     */
    public WorkerInfo spawn(WorkerSpec spec) {
        return spawner.spawn(requireNonNull(spec, "spec"));
    }

    /**
     * The worker's call-back: it has loaded and takes requests. Either this or the first healthy probe makes it ready,
     * whichever comes first. Where workers are restarted, {@link #ready(String, int)} is safer: a late call-back of the
     * last generation would make the next one ready, which still loads.
     *
     * @param id the worker's id
     * @return true if the worker is ready now, also if it was before, or will be as soon as the start of its process
     *     has returned; false if the id is unknown, or the worker is stopping, backing off, or waits to be started
     */
    public boolean ready(String id) {
        return calledBack(requireNonNull(id, "id"), worker -> true);
    }

    /**
     * The call-back of one generation of a worker, which it finds in its environment as {@code WORKER_GENERATION}. A
     * late call of an earlier generation makes no later one ready.
     *
     * @param id the worker's id
     * @param generation the generation that has loaded, as in {@link WorkerInfo#generation()}
     * @return as {@link #ready(String)}; false also if the worker is in another generation
     */
    public boolean ready(String id, int generation) {
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
     * Waits for a worker's present generation to become ready.
     *
     * @param id the worker's id
     * @return completes, on any thread, with the worker when it is ready; exceptionally with
     *     {@link WorkerEndedException}, which has the cause, as soon as its process has ended before, even if a restart
     *     follows; or with {@link NoSuchWorkerException} if no such worker is supervised here
     */
    public CompletionStage<WorkerInfo> whenReady(String id) {
        SupervisedWorker worker = workers.get(requireNonNull(id, "id"));
        return worker == null
                ? CompletableFuture.failedFuture(new NoSuchWorkerException(id))
                : Stages.forHive(worker.ready);
    }

    /**
     * The host's word that a worker's load makes progress, where its output does not show it. Where output is not
     * recorded, the first call also begins the watch: from then on, {@link LifecycleConfig#loadStall()} without another
     * one ends the load.
     *
     * @param id the worker's id
     * @return false if no such worker is supervised here
     */
    public boolean progress(String id) {
        SupervisedWorker worker = workers.get(requireNonNull(id, "id"));
        if (worker != null) {
            worker.load.report(registry.clock().instant());
        }
        return worker != null;
    }

    /**
     * The same of one generation of a worker: what the last one reports late is no progress of the next one.
     *
     * @param id the worker's id
     * @param generation the generation that makes progress, as in {@code WORKER_GENERATION}
     * @return false if no such worker is supervised here, or it is in another generation; then nothing is noted
     */
    public boolean progress(String id, int generation) {
        SupervisedWorker worker = workers.get(requireNonNull(id, "id"));
        if (worker == null || worker.generation != generation) {
            return false;
        }
        worker.load.report(registry.clock().instant());
        return true;
    }

    /**
     * Restarts a worker at an operator's request: stops it as {@link #stop} does, and starts the next generation at
     * once, with the same id, however it ended, and with the same port and url, unless another process has taken the
     * port. The restart is not counted against its {@link RestartPolicy}. A worker that backs off is restarted now; one
     * that is just being started is left alone.
     *
     * @param id the worker's id
     * @return completes, on any thread, with the worker, Loading, when its new process has been started; exceptionally
     *     with {@link SpawnException} if that failed, with {@link WorkerEndedException} if the worker was stopped
     *     meanwhile, with {@link UnkillableException} if its process does not end, or with
     *     {@link NoSuchWorkerException} if no such worker is supervised here, or the host removed its record
     */
    public CompletionStage<WorkerInfo> restart(String id) {
        return Stages.forHive(restarts.restart(requireNonNull(id, "id")));
    }

    /**
     * Stops a worker in good order: no new leases; open ones may run to their end for the drain time; then it is asked
     * to end if there is a way to ask, then signalled with SIGTERM, and at the end of the grace killed with all its
     * tree. Each step is skipped as soon as the process has gone.
     *
     * @param id the worker's id
     * @return completes, on any thread, when the process has gone, or exceptionally with {@link UnkillableException},
     *     or with {@link NoSuchWorkerException} if no such worker is supervised here
     */
    public CompletionStage<ExitStatus> stop(String id) {
        return gone(stopper.stop(requireNonNull(id, "id")));
    }

    /**
     * Kills a worker's whole process tree, now. Open leases end with the process.
     *
     * @param id the worker's id
     * @return as {@link #stop}
     */
    public CompletionStage<ExitStatus> forceKill(String id) {
        return gone(stopper.forceKill(requireNonNull(id, "id")));
    }

    private static CompletableFuture<ExitStatus> gone(CompletableFuture<SupervisedWorker> ending) {
        CompletableFuture<ExitStatus> gone = new CompletableFuture<>();
        ending.whenComplete((worker, failure) -> {
            if (failure != null) {
                gone.completeExceptionally(failure);
            } else {
                Stages.relay(worker.gone, gone);
            }
        });
        return Stages.forHive(gone);
    }

    /**
     * The last 100 exits: who, why, exit code, and the last lines of output.
     *
     * @return an unmodifiable list, oldest first
     */
    public List<Exit> recentExits() {
        return exits.recent();
    }

    /**
     * What an earlier run of this hive had left running: what was ended, and what could not be.
     *
     * @return the report of the one search, which {@link ProcessController#reapOrphans()} made before this supervisor
     *     started anything
     */
    public OrphanReport orphansAtStart() {
        return orphans;
    }

    /**
     * Ends all workers, side by side, under one deadline. From now on {@link #spawn} is refused, and a spawn in flight
     * is ended. Workers may drain for as long as their grace still fits before the deadline; then they are asked,
     * signalled, and at the deadline killed. When all is over, the loops end. Goes on without the scheduler if the host
     * shuts that down.
     *
     * <p>Idempotent: a later call gives the same report; if its deadline is earlier, it hurries.
     *
     * @param deadline the time until whatever is left is killed, &gt; 0
     * @return completes, on any thread, when every worker has gone or is found unkillable; never exceptionally
     * @throws IllegalArgumentException if the deadline is out of range
     */
    public CompletionStage<ShutdownReport> shutdown(Duration deadline) {
        return shutdown.begin(LifecycleConfig.requireInRange(deadline, "deadline"));
    }

    /**
     * Kills what still runs, and takes the loops off the host's scheduler. Does not wait: what is left to be noticed or
     * killed again is seen to on the timer thread that the JDK has, for the kill wait and 2 s more at the longest. To
     * end workers in good order, use {@link #shutdown} first. Idempotent.
     */
    @Override
    public void close() {
        shutdown.now();
    }

    /** How many processes it supervises, and of which registry, for logs. Takes no lock. */
    @Override
    public String toString() {
        long processes = workers.all().stream()
                .filter(worker -> worker.process() != null && !worker.hasExited())
                .count();
        return "WorkerSupervisor[processes: " + processes + ", " + registry + "]";
    }

    /** Settings of a supervisor; every method returns the builder. Not thread-safe. */
    public static final class Builder {
        private final WorkerRegistry registry;
        private final ScheduledExecutorService scheduler;
        private @Nullable ProcessController processes;
        private @Nullable HealthProbe probe;
        private @Nullable StopRequest stopRequest;
        private @Nullable Executor blocking;
        private @Nullable Duration hookDeadline;
        private boolean superviseRegistered = true;
        private RestartPolicy restart = RestartPolicy.onFailure();
        private LifecycleConfig config = LifecycleConfig.defaults();
        private PortRange ports = PortRange.of(8100, 8199);

        private Builder(WorkerRegistry registry, ScheduledExecutorService scheduler) {
            this.registry = registry;
            this.scheduler = scheduler;
        }

        /**
         * Sets how processes are started.
         *
         * @param processes default {@link LocalProcessController#create()}
         * @return this builder
         */
        public Builder processes(ProcessController processes) {
            this.processes = requireNonNull(processes, "processes");
            return this;
        }

        /**
         * Sets how workers are probed.
         *
         * <p>A load that takes more than 10 s is warned of, once for each generation, with the last answer. Without a
         * probe there is one such warning in all, and none once a worker has called back.
         *
         * @param probe default: none; then only the call-back makes a worker ready, and no health check can fail
         * @return this builder
         */
        public Builder health(HealthProbe probe) {
            this.probe = requireNonNull(probe, "probe");
            return this;
        }

        /**
         * Sets how a worker is asked to end before it is signalled.
         *
         * @param stopRequest default: it is not; a stop begins with SIGTERM
         * @return this builder
         */
        public Builder stopRequest(StopRequest stopRequest) {
            this.stopRequest = requireNonNull(stopRequest, "stopRequest");
            return this;
        }

        /**
         * Sets when to act.
         *
         * @param config default {@link LifecycleConfig#defaults()}
         * @return this builder
         */
        public Builder config(LifecycleConfig config) {
            this.config = requireNonNull(config, "config");
            return this;
        }

        /**
         * Sets whether and when workers are restarted.
         *
         * @param restart default {@link RestartPolicy#onFailure()}
         * @return this builder
         */
        public Builder restart(RestartPolicy restart) {
            this.restart = requireNonNull(restart, "restart");
            return this;
        }

        /**
         * Sets the ports that workers listen on.
         *
         * @param ports default 8100 to 8199
         * @return this builder
         */
        public Builder ports(PortRange ports) {
            this.ports = requireNonNull(ports, "ports");
            return this;
        }

        /**
         * Sets where work runs that may block: starting a process on a restart, removing files.
         *
         * @param blocking default: the scheduler
         * @return this builder
         */
        public Builder blocking(Executor blocking) {
            this.blocking = requireNonNull(blocking, "blocking");
            return this;
        }

        /**
         * Sets whether workers that the hive registered itself are evaluated here: probed, checked when a lease of them
         * has failed, timed out, and ended when they fail. Where a registry has several supervisors, that is up to the
         * one that was built first; if it says false, nothing evaluates them. A worker that was spawned is evaluated by
         * the supervisor that spawned it, and by no other.
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
         * and {@code System.exit}, and not on SIGKILL. The JVM waits no longer than the deadline, the kill wait and 3 s
         * (1 s of them for listeners that run on the supervisor's threads); what is left then is killed. The hook is
         * taken away when the supervisor has been shut down or closed.
         *
         * <p>A service manager may signal the hive and its workers at once (systemd does with
         * {@code KillMode=control-group}, its default; {@code KillMode=mixed} lets workers drain). So with the hook,
         * the exit of a worker by SIGTERM or SIGINT that nobody here sent is dealt with 200 ms later, and is no crash
         * if the shutdown has begun by then.
         *
         * @param deadline the time until whatever is left is killed
         * @return this builder
         * @throws IllegalArgumentException if the deadline is out of range
         */
        public Builder shutdownHook(Duration deadline) {
            this.hookDeadline = LifecycleConfig.requireInRange(deadline, "deadline");
            return this;
        }

        /**
         * Builds the supervisor: ends what an earlier run of this hive left running, see
         * {@link ProcessController#reapOrphans()}, which takes some milliseconds, or seconds if there are orphans; then
         * its loops run.
         *
         * @return a new supervisor
         * @throws java.util.concurrent.RejectedExecutionException if the scheduler has been shut down
         */
        public WorkerSupervisor build() {
            return new WorkerSupervisor(this);
        }
    }
}
