package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.workerregistry.Exit;
import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.MachineClock;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.lifecycle.HiveModelProperties.Step;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.ForwardingProcess;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * A supervisor with its workers in virtual time, and a {@link WorkerModel} for each of them. Every action is applied to
 * the model and then to the supervisor; every event is checked against the model at once.
 */
final class ModelCheckedHive {

    private static final int PORTS = 16;
    private static final Duration LONG_AGO = Duration.ofDays(-1);

    private final VirtualTime time = new VirtualTime();
    private final Instant start = time.instant();
    final MachineClock clock = new MachineClock(time);
    final WorkerRegistry registry = WorkerRegistry.builder().clock(clock).build();
    final FakeProcessController processes = new FakeProcessController();
    final ScriptedHealthProbe probe = new ScriptedHealthProbe();
    private final PortPool ports = FreePorts.range(PORTS);
    private final RestartPolicy.Mode mode;
    private final boolean probed;
    private final List<ModelOverrides> overrides;
    private int spawned;
    final WorkerSupervisor supervisor;
    private final ScheduledFuture<?> afterTicks;

    final Map<String, WorkerModel> models = new LinkedHashMap<>();
    final List<Exit> exits = new ArrayList<>();
    final Set<String> started = new HashSet<>();
    final List<Lease> leases = new ArrayList<>();
    final List<PendingStop> pendingStops = new ArrayList<>();
    final Map<Class<?>, Long> received = new HashMap<>();
    private final HiveSteps steps = new HiveSteps(this);
    private final ModelComparison comparison = new ModelComparison(this);
    private Optional<CompletableFuture<ShutdownReport>> shutdown = Optional.empty();
    private Optional<Throwable> failure = Optional.empty();
    boolean failNextStart;
    private boolean loopsHaveEnded;
    private boolean advancing;
    private boolean pausedUntilNextTick;
    private Duration lastPause = LONG_AGO;
    private Duration lastMassFailure = LONG_AGO;

    record Lease(SlotLease lease, WorkerModel model, int generation) {
        boolean mustBeValid() {
            return model.holdsLeases() && model.generation == generation;
        }
    }

    /** A process model output is discarded. */
    private static final class Unrecorded extends ForwardingProcess {
        Unrecorded(WorkerProcess process) {
            super(process);
        }

        @Override
        public boolean recordsOutput() {
            return false;
        }

        @Override
        public long outputBytes() {
            return 0;
        }

        @Override
        public List<String> outputTail(int maxLines) {
            return List.of();
        }
    }

    /** The stage of a stop of one generation; a stop that ended as unkillable can be followed by another attempt. */
    record PendingStop(CompletableFuture<ExitStatus> stage, WorkerModel model, int generation, int attempt) {}

    /**
     * A hive without workers.
     *
     * @param probed whether the supervisor has a probe
     * @param overrides the rules of the workers' own, for one spawn after another, in turn
     */
    ModelCheckedHive(RestartPolicy.Mode mode, boolean probed, List<ModelOverrides> overrides) {
        this.mode = mode;
        this.probed = probed;
        this.overrides = overrides;
        registry.subscribe(this::receive, Runnable::run);
        WorkerSupervisor.Builder builder = WorkerSupervisor.builder(registry, time)
                .processController(this::startProcess)
                .ports(ports)
                .restartPolicy(ModelConfig.policy(mode))
                .lifecycle(ModelConfig.config());
        supervisor =
                (probed ? builder.healthProbe((worker, timeout) -> probe(worker, timeout, false)) : builder).build();
        long tick = ModelConfig.TICK.toSeconds();
        afterTicks = time.scheduleWithFixedDelay(() -> keepFailure(this::afterTick), tick, tick, TimeUnit.SECONDS);
    }

    /** The rules of the next worker to be spawned. */
    ModelRules nextRules() {
        return ModelRules.of(overrides.get(spawned++ % overrides.size()), mode, probed);
    }

    /** Puts a worker's own rules into its spec. */
    WorkerSpec.Builder with(ModelOverrides own, WorkerSpec.Builder spec) {
        own.lifecycle().ifPresent(spec::lifecycle);
        own.restartPolicy().ifPresent(spec::restartPolicy);
        if (own.stopRequest()) {
            spec.stopRequest(this::ask);
        }
        return own.healthProbe() ? spec.healthProbe((worker, timeout) -> probe(worker, timeout, true)) : spec;
    }

    void spawnAll() {
        steps.spawnAll();
    }

    void apply(Step step) {
        steps.apply(step);
    }

    /** Compares everything that is observable, after a step. */
    void compare() {
        failure.ifPresent(t -> {
            throw new AssertionError(t.getMessage(), t);
        });
        noteEndOfLoops();
        comparison.compare();
    }

    // ---- time ----

    ModelTime now() {
        Duration ran = Duration.between(start, time.instant());
        Duration nextTick = Duration.ofSeconds(ran.toSeconds() + 1);
        return new ModelTime(pausedUntilNextTick ? nextTick : ran, nextTick, clock.instant());
    }

    void advance(Duration duration) {
        advancing = true;
        try {
            time.advance(duration);
        } finally {
            advancing = false;
        }
    }

    void suspend(Duration howLong) {
        clock.suspend(howLong);
        pausedUntilNextTick = true;
        lastPause = now().nextTick();
    }

    /** Runs right after the supervisor's tick. */
    private void afterTick() {
        pausedUntilNextTick = false;
        if (loopsHaveEnded) {
            return;
        }
        ModelTime now = now();
        models.values().forEach(model -> model.tick(now));
        if (others().alive() >= ModelConfig.MANY) {
            lastMassFailure = now.active();
        }
        if (lastPause.compareTo(now.active()) > 0) {
            lastPause = now.active();
        }
        boolean few = now.active().minus(lastMassFailure).compareTo(Duration.ofMinutes(1)) > 0;
        noteEndOfLoops();
        if (shutdown.isEmpty()) {
            models.values().forEach(model -> model.requireNothingOverdue(now, lastPause, few));
        }
        models.values().forEach(WorkerModel::requireAllReceived);
    }

    /** A complete shutdown ends the loops, even if an unkillable process is left. */
    private void noteEndOfLoops() {
        loopsHaveEnded |= shutdown.filter(CompletableFuture::isDone).isPresent();
        if (loopsHaveEnded) {
            models.values().forEach(WorkerModel::loopsHaveEnded);
        }
    }

    private WorkerModel.Others others() {
        ModelTime now = now();
        return new WorkerModel.Others(
                (int) models.values().stream().filter(WorkerModel::isAlive).count(), (int) models.values().stream()
                        .filter(model -> model.isSilentSoon(now))
                        .count());
    }

    /** Keeps a failure that the library or virtual time would catch. */
    private void keepFailure(Runnable check) {
        try {
            check.run();
        } catch (Throwable t) {
            failure = failure.or(() -> Optional.of(t));
        }
    }

    private void receive(WorkerEvent event) {
        WorkerEvent.OfWorker one = (WorkerEvent.OfWorker) event;
        received.merge(event.getClass(), 1L, Long::sum);
        boolean wasPaused = pausedUntilNextTick;
        pausedUntilNextTick &= !advancing;
        keepFailure(() -> models.get(one.worker().id()).receives(one, advancing, others(), now()));
        pausedUntilNextTick = wasPaused;
    }

    // ---- SPIs ----

    private WorkerProcess startProcess(ProcessSpec spec) {
        boolean fails = failNextStart;
        failNextStart = false;
        models.get(spec.workerId()).starts(fails, now());
        if (fails) {
            throw new SpawnException(spec.command(), "out of memory", null);
        }
        started.add(spec.workerId());
        WorkerProcess process = processes.start(spec);
        return ModelConfig.recordsOutput(spec.workerId()) ? process : new Unrecorded(process);
    }

    /** Declines, so that SIGTERM follows at once. */
    private CompletionStage<Boolean> ask(WorkerInfo worker) {
        keepFailure(() -> assertThat(models.get(worker.id()).rules.overrides().stopRequest())
                .isTrue());
        return CompletableFuture.completedFuture(false);
    }

    private CompletionStage<HealthStatus> probe(WorkerInfo worker, Duration timeout, boolean own) {
        WorkerModel model = models.get(worker.id());
        keepFailure(() -> {
            assertThat(own).isEqualTo(model.rules.overrides().healthProbe());
            assertThat(timeout).isEqualTo(model.rules.lifecycle().healthTimeout());
        });
        model.isProbed(now());
        if (model.process().logsProbes()) {
            processes.print(model.id, WorkerModel.PROBED);
        }
        return probe.probe(worker, timeout);
    }

    // ---- the end ----

    boolean isShuttingDown() {
        return shutdown.isPresent();
    }

    void shutDown(Duration deadline) {
        models.values().stream().filter(WorkerModel::isSupervised).forEach(model -> {
            Duration grace = min(model.grace(), deadline.dividedBy(2));
            model.stop(Cause.SHUTDOWN, min(model.drain(), deadline.minus(grace)), deadline, now());
        });
        CompletableFuture<ShutdownReport> report = supervisor.shutdown(deadline).toCompletableFuture();
        shutdown = Optional.of(shutdown.orElse(report));
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }

    /** Ends the supervisor and its workers, and asserts that nothing is left. */
    void end(boolean inGoodOrder) {
        for (WorkerModel model : models.values()) {
            if (model.process().isStuck()) {
                model.exits(137, now());
                processes.exit(model.id, 137);
            }
        }
        compare();
        if (inGoodOrder) {
            shutDown(Duration.ofSeconds(10));
            advance(Duration.ofSeconds(12));
            assertThat(shutdown.orElseThrow()).isCompleted();
        } else {
            models.values().stream()
                    .filter(WorkerModel::isSupervised)
                    .forEach(model -> model.stop(Cause.FORCED, Duration.ZERO, Duration.ZERO, now()));
            shutdown = Optional.of(shutdown.orElse(new CompletableFuture<>()));
            supervisor.closeNow();
            advance(Duration.ZERO);
        }
        compare();
        assertThat(registry.list()).isEmpty();
        assertThat(processes.running()).isEmpty();
        assertThat(leases).noneMatch(lease -> lease.lease.isValid());
        afterTicks.cancel(false);
        assertThat(time.pendingTasks()).as("no task is left").isZero();
        requireAllPortsReleased();
    }

    Set<Cause> causesOfExits() {
        return exits.stream().map(Exit::cause).collect(Collectors.toSet());
    }

    private void requireAllPortsReleased() {
        List<Integer> acquired = new ArrayList<>();
        assertThatExceptionOfType(PortsExhaustedException.class)
                .isThrownBy(() -> {
                    while (true) {
                        acquired.add(ports.acquire());
                    }
                })
                .satisfies(e -> assertThat(e.getMessage()).contains(": " + acquired.size() + " acquired by workers"));
        acquired.forEach(ports::release);
    }

    static void allowWarnings() {
        UnexpectedWarnings.allow(
                Warnings.CRASHED,
                Warnings.CRASH_LOOP,
                Warnings.START_FAILED,
                Warnings.STOPPED,
                "is not ready after",
                Warnings.SUSPECTED,
                Warnings.NO_RESULT + ": unclear",
                "keeps its slots and its port");
    }
}
