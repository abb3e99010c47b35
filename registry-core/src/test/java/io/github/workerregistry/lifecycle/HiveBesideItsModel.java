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
import io.github.workerregistry.lifecycle.WorkerLifeProperties.Step;
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
 * A supervisor with its workers in virtual time, and a {@link ModelledLife} beside each of them. What is done is told
 * to the model and then done; what is heard is held against the model, at once.
 */
final class HiveBesideItsModel {

    private static final int PORTS = 16;
    private static final Duration LONG_AGO = Duration.ofDays(-1);

    private final VirtualTime time = new VirtualTime();
    private final Instant start = time.instant();
    final MachineClock clock = new MachineClock(time);
    final WorkerRegistry registry = WorkerRegistry.builder().clock(clock).build();
    final FakeProcessController processes = new FakeProcessController();
    final ScriptedHealthProbe probe = new ScriptedHealthProbe();
    private final PortRange ports = FreePorts.range(PORTS);
    final RestartPolicy.Mode mode;
    final WorkerSupervisor supervisor;
    private final ScheduledFuture<?> afterRounds;

    final Map<String, ModelledLife> lives = new LinkedHashMap<>();
    final List<Exit> exits = new ArrayList<>();
    final Set<String> started = new HashSet<>();
    final List<Lease> leases = new ArrayList<>();
    final List<Promise> promises = new ArrayList<>();
    final Map<Class<?>, Long> told = new HashMap<>();
    private final HiveSteps steps = new HiveSteps(this);
    private final HiveComparison comparison = new HiveComparison(this);
    private Optional<CompletableFuture<ShutdownReport>> shutdown = Optional.empty();
    private Optional<Throwable> failure = Optional.empty();
    boolean failNextStart;
    private boolean loopsHaveEnded;
    private boolean advancing;
    private boolean awayUntilNextRound;
    private Duration lastPause = LONG_AGO;
    private Duration lastMany = LONG_AGO;

    record Lease(SlotLease lease, ModelledLife life, int generation) {
        boolean mustBeValid() {
            return life.holdsLeases() && life.generation == generation;
        }
    }

    /** A process whose output is discarded. */
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

    /** What a stop of a worker's generation gave; one that was in vain can be followed by another attempt. */
    record Promise(CompletableFuture<ExitStatus> gone, ModelledLife life, int generation, int attempt) {}

    HiveBesideItsModel(RestartPolicy.Mode mode) {
        this.mode = mode;
        registry.subscribe(this::hear, Runnable::run);
        supervisor = WorkerSupervisor.builder(registry, time)
                .processes(this::startProcess)
                .health(this::probe)
                .ports(ports)
                .restart(LifeRules.policy(mode))
                .config(LifeRules.config())
                .build();
        long round = LifeRules.ROUND.toSeconds();
        afterRounds = time.scheduleWithFixedDelay(() -> keepFailure(this::afterRound), round, round, TimeUnit.SECONDS);
    }

    void spawnAll() {
        steps.spawnAll();
    }

    void take(Step step) {
        steps.take(step);
    }

    /** Everything that can be seen, after a step. */
    void compare() {
        failure.ifPresent(t -> {
            throw new AssertionError(t.getMessage(), t);
        });
        noteEndOfLoops();
        comparison.compare();
    }

    // ---- time ----

    Moment now() {
        Duration ran = Duration.between(start, time.instant());
        Duration nextRound = Duration.ofSeconds(ran.toSeconds() + 1);
        return new Moment(awayUntilNextRound ? nextRound : ran, nextRound, clock.instant());
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
        awayUntilNextRound = true;
        lastPause = now().nextRound();
    }

    /** Runs with the supervisor's round, right behind it. */
    private void afterRound() {
        awayUntilNextRound = false;
        if (loopsHaveEnded) {
            return;
        }
        Moment now = now();
        lives.values().forEach(life -> life.round(now));
        if (others().alive() >= LifeRules.MANY) {
            lastMany = now.present();
        }
        if (lastPause.compareTo(now.present()) > 0) {
            lastPause = now.present();
        }
        boolean few = now.present().minus(lastMany).compareTo(Duration.ofMinutes(1)) > 0;
        noteEndOfLoops();
        if (shutdown.isEmpty()) {
            lives.values().forEach(life -> life.requireNothingOverdue(now, lastPause, few));
        }
        lives.values().forEach(ModelledLife::requireAllTold);
    }

    /** A shutdown that is complete ends the loops, also if it leaves something behind that cannot be killed. */
    private void noteEndOfLoops() {
        loopsHaveEnded |= shutdown.filter(CompletableFuture::isDone).isPresent();
        if (loopsHaveEnded) {
            lives.values().forEach(ModelledLife::loopsHaveEnded);
        }
    }

    private ModelledLife.Others others() {
        Moment now = now();
        return new ModelledLife.Others(
                (int) lives.values().stream().filter(ModelledLife::isAlive).count(), (int) lives.values().stream()
                        .filter(life -> life.isSilentSoon(now, LifeRules.BEAT))
                        .count());
    }

    /** What is thrown where the library or virtual time would catch it. */
    private void keepFailure(Runnable check) {
        try {
            check.run();
        } catch (Throwable t) {
            failure = failure.or(() -> Optional.of(t));
        }
    }

    private void hear(WorkerEvent event) {
        WorkerEvent.OfWorker one = (WorkerEvent.OfWorker) event;
        told.merge(event.getClass(), 1L, Long::sum);
        boolean wasAway = awayUntilNextRound;
        awayUntilNextRound &= !advancing;
        keepFailure(() -> lives.get(one.worker().id()).hears(one, advancing, others(), now()));
        awayUntilNextRound = wasAway;
    }

    // ---- what the supervisor calls ----

    private WorkerProcess startProcess(ProcessSpec spec) {
        boolean fails = failNextStart;
        failNextStart = false;
        lives.get(spec.workerId()).starts(fails, now());
        if (fails) {
            throw new SpawnException(spec.command(), "out of memory", null);
        }
        started.add(spec.workerId());
        WorkerProcess process = processes.start(spec);
        return LifeRules.recordsOutput(spec.workerId()) ? process : new Unrecorded(process);
    }

    private CompletionStage<HealthStatus> probe(WorkerInfo worker, Duration timeout) {
        ModelledLife life = lives.get(worker.id());
        life.isProbed(now());
        if (life.process().logsProbes()) {
            processes.print(life.id, ModelledLife.PROBED);
        }
        return probe.probe(worker, timeout);
    }

    // ---- the end ----

    boolean isShuttingDown() {
        return shutdown.isPresent();
    }

    void shutDown(Duration deadline) {
        Duration grace = min(LifeRules.GRACE, deadline.dividedBy(2));
        Duration drain = min(LifeRules.DRAIN, deadline.minus(grace));
        lives.values().stream()
                .filter(ModelledLife::isSupervised)
                .forEach(life -> life.stop(Cause.SHUTDOWN, drain, deadline, now()));
        CompletableFuture<ShutdownReport> report = supervisor.shutdown(deadline).toCompletableFuture();
        shutdown = Optional.of(shutdown.orElse(report));
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }

    /** Ends the supervisor and whatever is left, and looks for remains. */
    void end(boolean inGoodOrder) {
        for (ModelledLife life : lives.values()) {
            if (life.process().isStuck()) {
                life.exits(137, now());
                processes.exit(life.id, 137);
            }
        }
        compare();
        if (inGoodOrder) {
            shutDown(Duration.ofSeconds(10));
            advance(Duration.ofSeconds(12));
            assertThat(shutdown.orElseThrow()).isCompleted();
        } else {
            lives.values().stream()
                    .filter(ModelledLife::isSupervised)
                    .forEach(life -> life.stop(Cause.FORCED, Duration.ZERO, Duration.ZERO, now()));
            shutdown = Optional.of(shutdown.orElse(new CompletableFuture<>()));
            supervisor.close();
            advance(Duration.ZERO);
        }
        compare();
        assertThat(registry.list()).isEmpty();
        assertThat(processes.running()).isEmpty();
        assertThat(leases).noneMatch(lease -> lease.lease.isValid());
        afterRounds.cancel(false);
        assertThat(time.pendingTasks()).as("tasks of ours left behind").isZero();
        requireAllPortsGivenBack();
    }

    Set<Cause> causesOfEnds() {
        return exits.stream().map(Exit::cause).collect(Collectors.toSet());
    }

    private void requireAllPortsGivenBack() {
        List<Integer> taken = new ArrayList<>();
        assertThatExceptionOfType(PortsExhaustedException.class)
                .isThrownBy(() -> {
                    while (true) {
                        taken.add(ports.take());
                    }
                })
                .satisfies(e -> assertThat(e.getMessage()).contains(": " + taken.size() + " taken by workers"));
        taken.forEach(ports::giveBack);
    }

    static void allowWarnings() {
        UnexpectedWarnings.allow(
                "is gone: CRASHED",
                "is gone: CRASH_LOOP",
                "is gone: START_FAILED",
                "is given up",
                "is not ready after",
                "under suspicion",
                "no verdict: unclear",
                "keeps its slots and its port");
    }
}
