package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.workerregistry.DuplicateWorkerException;
import io.github.workerregistry.Exit;
import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.MachineClock;
import io.github.workerregistry.RegistryStats;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.lifecycle.ModelledLife.Health;
import io.github.workerregistry.lifecycle.ModelledLife.Moment;
import io.github.workerregistry.lifecycle.WorkerLifeProperties.Step;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
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

    private static final String MODEL = "tiny";
    private static final List<String> IDS = List.of("a", "b", "c");
    private static final int PORTS = 16;
    private static final int FIRST_PORT = FreePorts.range(PORTS).take();
    private static final List<Health> HEALTHS = List.of(Health.values());
    private static final List<Duration> PAUSES =
            List.of(Duration.ofSeconds(3), Duration.ofSeconds(30), Duration.ofMinutes(10));

    /** So many absences the supervisor remembers; with more, its deadlines move no further. */
    private static final int PAUSES_AT_MOST = 15;

    private static final Duration LONG_AGO = Duration.ofDays(-1);

    private final VirtualTime time = new VirtualTime();
    private final Instant start = time.instant();
    private final MachineClock clock = new MachineClock(time);
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(clock).build();
    private final FakeProcessController processes = new FakeProcessController();
    private final ScriptedHealthProbe probe = new ScriptedHealthProbe();
    private final PortRange ports = PortRange.of(FIRST_PORT, FIRST_PORT + PORTS - 1);
    private final RestartPolicy.Mode mode;
    private final WorkerSupervisor supervisor;
    private final ScheduledFuture<?> afterRounds;

    private final Map<String, ModelledLife> lives = new LinkedHashMap<>();
    private final List<Exit> exits = new ArrayList<>();
    private final Set<String> started = new HashSet<>();
    private final List<Lease> leases = new ArrayList<>();
    private final List<Promise> promises = new ArrayList<>();
    private final Map<Class<?>, Long> told = new HashMap<>();
    private Optional<CompletableFuture<ShutdownReport>> shutdown = Optional.empty();
    private Optional<Throwable> failure = Optional.empty();
    private boolean failNextStart;
    private boolean loopsHaveEnded;
    private boolean advancing;
    private boolean awayUntilNextRound;
    private int pauses;
    private Duration lastPause = LONG_AGO;
    private Duration lastMany = LONG_AGO;

    private record Lease(SlotLease lease, ModelledLife life, int generation) {}

    /** What a stop of a worker's generation gave. */
    private record Promise(CompletableFuture<ExitStatus> gone, ModelledLife life, int generation) {}

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
        IDS.forEach(this::spawn);
    }

    // ---- time ----

    private Moment now() {
        Duration ran = Duration.between(start, time.instant());
        Duration nextRound = Duration.ofSeconds(ran.toSeconds() + 1);
        return new Moment(awayUntilNextRound ? nextRound : ran, nextRound, clock.instant());
    }

    private void advance(Duration duration) {
        advancing = true;
        try {
            time.advance(duration);
        } finally {
            advancing = false;
        }
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

    // ---- steps ----

    private WorkerProcess startProcess(ProcessSpec spec) {
        boolean fails = failNextStart;
        failNextStart = false;
        lives.get(spec.workerId()).starts(fails, now());
        if (fails) {
            throw new SpawnException(spec.command(), "out of memory", null);
        }
        started.add(spec.workerId());
        return processes.start(spec);
    }

    private CompletionStage<HealthStatus> probe(WorkerInfo worker, Duration timeout) {
        lives.get(worker.id()).isProbed();
        return probe.probe(worker, timeout);
    }

    void take(Step step) {
        String id = IDS.get(step.x() % IDS.size());
        ModelledLife life = lives.get(id);
        boolean running = life != null && life.hasProcess();
        switch (step.action()) {
            case SPAWN -> spawn(id);
            case FAIL_NEXT_START -> failNextStart = true;
            case READY -> {
                boolean ready = life != null && life.ready(now());
                assertThat(supervisor.ready(id)).isEqualTo(ready);
            }
            case LEASE -> lease(id, life);
            case GIVE_BACK -> giveBack(step.x());
            case EXIT -> exit(id, life, List.of(0, 1, 137, 139).get(step.y() % 4));
            case EXIT_UNNOTICED -> {
                if (running) {
                    life.exitsUnnoticed(step.y() % 3);
                    processes.exitUnnoticed(id, step.y() % 3);
                }
            }
            case ANSWER -> answer(id, life, HEALTHS.get(step.y() % HEALTHS.size()));
            case ANSWER_ALL -> lives.forEach((each, one) -> answer(each, one, HEALTHS.get(step.y() % HEALTHS.size())));
            case BEAT_ALL -> IDS.forEach(each -> beat(each, lives.get(each)));
            case IGNORE_TERMINATE -> {
                if (running) {
                    life.ignoresTerminate();
                    processes.ignoreTerminate(id);
                }
            }
            case IGNORE_KILL -> {
                if (running) {
                    life.ignoresKill();
                    processes.ignoreKill(id);
                }
            }
            case PRINT -> {
                if (running) {
                    life.prints("line " + step.y(), now());
                    processes.print(id, "line " + step.y());
                }
            }
            case PROGRESS -> {
                boolean supervised = life != null && life.isSupervised();
                assertThat(supervisor.progress(id)).isEqualTo(supervised);
                if (supervised) {
                    life.progress(now());
                }
            }
            case BEAT -> beat(id, life);
            case STOP -> stop(id, life, false);
            case FORCE_KILL -> stop(id, life, true);
            case REPLACE -> {
                stop(id, life, true);
                spawn(id);
            }
            case RESTART -> restart(id, life);
            case REMOVE -> {
                if (life != null) {
                    life.deregister();
                }
                registry.remove(id);
            }
            case SET_WALL_CLOCK -> clock.setWallClock(Duration.ofMinutes(step.y() % 2 == 0 ? -90 : 90));
            case PAUSE -> pause(PAUSES.get(step.y() % PAUSES.size()));
            case PASS_TIME -> advance(Duration.ofMillis(step.y() * 500L));
            case SHUT_DOWN -> shutDown(Duration.ofSeconds(1 + step.y()));
        }
    }

    private void spawn(String id) {
        WorkerSpec spec = WorkerSpec.builder()
                .id(id)
                .modelRef(MODEL)
                .slots(LifeRules.SLOTS)
                .command("serve", "{port}")
                .build();
        ModelledLife known = lives.get(id);
        if (shutdown.isPresent()) {
            assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> supervisor.spawn(spec));
        } else if (known != null && known.isSupervised()) {
            assertThatExceptionOfType(DuplicateWorkerException.class).isThrownBy(() -> supervisor.spawn(spec));
        } else {
            boolean fails = failNextStart;
            Health health = known == null ? Health.WELL : known.health();
            lives.put(id, new ModelledLife(id, MODEL, mode, exits, health, now()));
            if (fails) {
                assertThatExceptionOfType(SpawnException.class).isThrownBy(() -> supervisor.spawn(spec));
            } else {
                WorkerInfo spawned = supervisor.spawn(spec);
                assertThat(spawned.pid()).isPresent();
                assertThat(registry.list())
                        .filteredOn(other -> other.url().equals(spawned.url()))
                        .hasSize(1);
            }
        }
    }

    /** The process ends and this is noticed; or it has ended, and the notice comes late. */
    private void exit(String id, ModelledLife life, int code) {
        if (started.contains(id)) {
            life.exits(code, now());
            processes.exit(id, code);
        }
    }

    private void lease(String id, ModelledLife life) {
        Optional<SlotLease> lease = registry.tryAcquireFrom(id);
        assertThat(lease.isPresent()).isEqualTo(life != null && life.canLease());
        lease.ifPresent(taken -> {
            life.lease();
            leases.add(new Lease(taken, life, life.generation));
        });
    }

    private void giveBack(int choice) {
        if (!leases.isEmpty()) {
            Lease lease = leases.remove(choice % leases.size());
            if (isValid(lease)) {
                lease.life.giveBack(now());
            }
            lease.lease.close();
        }
    }

    private boolean isValid(Lease lease) {
        return lease.life.holdsLeases() && lease.life.generation == lease.generation;
    }

    private void answer(String id, ModelledLife life, Health health) {
        if (life != null) {
            life.answers(health, now());
            switch (health) {
                case WELL -> probe.answer(id, HealthStatus.healthy());
                case ILL -> probe.answer(id, HealthStatus.unhealthy("ill"));
                case SILENT -> probe.hang(id);
                case UNCLEAR -> probe.answer(id, HealthStatus.unknown("unclear"));
            }
        }
    }

    private void beat(String id, ModelledLife life) {
        boolean known = life != null && life.hasRecord();
        assertThat(registry.heartbeat(id)).isEqualTo(known);
        if (known) {
            life.beat(now());
        }
    }

    private void stop(String id, ModelledLife life, boolean now) {
        boolean supervised = life != null && life.isSupervised();
        int generation = supervised ? life.generation : 0;
        if (supervised && now) {
            life.stop(Cause.FORCED, Duration.ZERO, Duration.ZERO, now());
        } else if (supervised) {
            life.stop(Cause.REQUESTED, LifeRules.DRAIN, LifeRules.DRAIN.plus(LifeRules.GRACE), now());
        }
        CompletionStage<ExitStatus> gone = now ? supervisor.forceKill(id) : supervisor.stop(id);
        if (supervised) {
            promises.add(new Promise(gone.toCompletableFuture(), life, generation));
        } else {
            assertThat(gone.toCompletableFuture()).isCompletedExceptionally();
        }
    }

    private void restart(String id, ModelledLife life) {
        boolean supervised = life != null && life.isSupervised();
        if (supervised) {
            life.restart(now());
        }
        CompletableFuture<WorkerInfo> restarted = supervisor.restart(id).toCompletableFuture();
        assertThat(supervised || restarted.isCompletedExceptionally()).isTrue();
    }

    private void pause(Duration howLong) {
        if (pauses++ < PAUSES_AT_MOST) {
            clock.suspend(howLong);
            awayUntilNextRound = true;
            lastPause = now().nextRound();
        }
    }

    private void shutDown(Duration deadline) {
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

    // ---- comparisons ----

    /** Everything that can be seen, after a step. */
    void compare() {
        failure.ifPresent(t -> {
            throw new AssertionError(t.getMessage(), t);
        });
        noteEndOfLoops();
        lives.values().forEach(ModelledLife::requireAllTold);
        List<ModelledLife> members =
                lives.values().stream().filter(ModelledLife::hasRecord).toList();
        List<WorkerInfo> workers = registry.list();
        assertThat(workers)
                .extracting(HiveBesideItsModel::text)
                .containsExactlyInAnyOrderElementsOf(
                        members.stream().map(HiveBesideItsModel::text).toList());
        assertThat(processes.running())
                .containsExactlyInAnyOrderElementsOf(lives.values().stream()
                        .filter(ModelledLife::hasProcess)
                        .map(life -> life.id)
                        .toList());
        for (Lease lease : leases) {
            assertThat(lease.lease.isValid()).isEqualTo(isValid(lease));
        }
        for (Promise promise : promises) {
            assertThat(promise.gone.isDone())
                    .as("the end of %s", promise.life)
                    .isEqualTo(promise.life.isOver(promise.generation) || promise.life.isGivenUp());
        }
        compareStats(workers);
        compareExits();
    }

    private static String text(WorkerInfo worker) {
        return worker.id() + " #" + worker.generation() + " " + worker.state().label() + " " + worker.slotsInUse()
                + (worker.pid().isPresent() ? " with a process" : "");
    }

    private static String text(ModelledLife life) {
        return life.id + " #" + life.generation + " " + life.state() + " " + life.leases
                + (life.running ? " with a process" : "");
    }

    private void compareStats(List<WorkerInfo> workers) {
        RegistryStats stats = registry.stats();
        assertThat(stats.workers()).isEqualTo(workers.size());
        assertThat(List.of(stats.loading(), stats.idle(), stats.busy(), stats.backingOff(), stats.stopping()))
                .isEqualTo(List.of(
                        count("loading"), count("idle"), count("busy"), count("backing_off"), count("stopping")));
        assertThat(stats.registered()).isEqualTo(told.getOrDefault(WorkerEvent.Registered.class, 0L));
        assertThat(stats.becameReady()).isEqualTo(told.getOrDefault(WorkerEvent.BecameReady.class, 0L));
        assertThat(stats.crashed()).isEqualTo(told.getOrDefault(WorkerEvent.Crashed.class, 0L));
        assertThat(stats.restarted()).isEqualTo(told.getOrDefault(WorkerEvent.Restarted.class, 0L));
    }

    private int count(String state) {
        return (int) lives.values().stream()
                .filter(life -> life.state().equals(state))
                .count();
    }

    /** Of each worker in order; what happens to several at one moment has none. */
    private void compareExits() {
        assertThat(byWorker(supervisor.recentExits())).isEqualTo(byWorker(exits));
    }

    private static List<Exit> byWorker(List<Exit> exits) {
        return exits.stream()
                .map(HiveBesideItsModel::comparable)
                .sorted(Comparator.comparing(Exit::workerId))
                .toList();
    }

    /** What a failed start says is the controller's affair. */
    private static Exit comparable(Exit exit) {
        boolean started = exit.status().code() != 127;
        return new Exit(
                exit.workerId(),
                exit.modelRef(),
                exit.generation(),
                exit.cause(),
                exit.status(),
                started ? exit.output() : List.of(),
                exit.at());
    }

    // ---- the end ----

    /** Ends the supervisor and whatever is left, and looks for remains. */
    void end(boolean inGoodOrder) {
        for (ModelledLife life : lives.values()) {
            if (life.isStuck()) {
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
    }

    static void allowWarnings() {
        UnexpectedWarnings.allow(
                "is gone: CRASHED",
                "is gone: CRASH_LOOP",
                "is gone: START_FAILED",
                "is given up",
                "under suspicion",
                "no verdict: unclear",
                "keeps its slots and its port");
    }
}
