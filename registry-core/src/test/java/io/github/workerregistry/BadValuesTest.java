package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.START;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.health.TcpHealthProbe;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.PortRange;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.ShutdownReport;
import io.github.workerregistry.lifecycle.StopRequest;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.process.LocalProcessController;
import io.github.workerregistry.process.OrphanReaper;
import io.github.workerregistry.process.ProcessIdentity;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Values that cannot be, for everything public that takes a value: each is refused with an
 * {@link IllegalArgumentException} that names the parameter and the value, and nothing has changed. What is null, is
 * {@link NullsTest}'s business.
 */
@ExtendWith(UnexpectedWarnings.class)
class BadValuesTest {

    private static final Duration LONG = Duration.ofSeconds(1_000_000_000_000L);
    private static final Duration LONGEST = Duration.ofSeconds(Long.MAX_VALUE);
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final WorkerInfo WORKER = SomeWorkers.idle("w", 2);

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();
    private final FakeProcessController processes = new FakeProcessController();
    private final WorkerSupervisor supervisor =
            WorkerSupervisor.builder(registry, time).processes(processes).build();

    // --- names

    /** What takes a name, and what it calls it. */
    static Stream<Arguments> whatTakesAName() {
        return Stream.of(
                name("id", bad -> SomeWorkers.worker("w").id(bad).build()),
                name("url", bad -> SomeWorkers.worker("w").url(bad).build()),
                name("modelRef", bad -> SomeWorkers.worker("w").modelRef(bad).build()),
                name("backend", bad -> SomeWorkers.worker("w").backend(bad).build()),
                name("node", bad -> WorkerRegistry.builder().node(bad)),
                name("this", bad -> WorkerInfo.requireName(bad, "this")),
                name("workerId", bad -> exit(bad, "m", 1)),
                name("modelRef", bad -> exit("w", bad, 1)),
                name("id", bad -> spec().id(bad).build()),
                name("modelRef", bad -> spec().modelRef(bad).build()),
                name("backend", bad -> spec().backend(bad).build()),
                name(
                        "url",
                        bad -> spec().url(bad.length() == 256 ? "http://" + bad.substring(7) : bad)
                                .build()),
                name("workerId", bad -> new ProcessSpec(bad, List.of("serve"), Map.of(), Optional.empty())),
                name("hiveId", bad -> LocalProcessController.builder().hiveId(bad)),
                name("hiveId", OrphanReaper::of),
                name("hiveId", bad -> OrphanReaper.of(bad, SECOND)));
    }

    @ParameterizedTest
    @MethodSource("whatTakesAName")
    void aMalformedNameIsRefused(String parameter, Consumer<String> taker) {
        for (String blank : List.of("", " ", "\t\u2003")) {
            refused(() -> taker.accept(blank), parameter, "blank");
        }
        for (char odd : "\0\n\r\t\u001b\u007f\u0085\u2028\u2029".toCharArray()) {
            refused(() -> taker.accept("a" + odd + "b"), parameter, String.format("U+%04X", (int) odd));
        }
        for (int unseen : new int[] {0x200B, 0x202E, 0xFEFF, 0xFE0F, 0x3164, 0xE0041, 0xD800, 0xDC00}) {
            String name = "a" + Character.toString(unseen) + "b";
            refused(() -> taker.accept(name), parameter, String.format("U+%04X", unseen));
        }
        refused(() -> taker.accept("x".repeat(257)), parameter, "257");
        taker.accept("x".repeat(256));
    }

    private static Arguments name(String parameter, Consumer<String> taker) {
        return arguments(parameter, taker);
    }

    // --- numbers

    record Count(String parameter, int least, Consumer<Integer> taker) {
        @Override
        public String toString() {
            return parameter + " >= " + least;
        }
    }

    static Stream<Count> whatTakesACount() {
        return Stream.of(
                new Count("device", 0, n -> SomeWorkers.worker("w").device(n).build()),
                new Count(
                        "slotsTotal",
                        1,
                        n -> SomeWorkers.worker("w").slotsTotal(n).build()),
                new Count(
                        "slotsInUse",
                        0,
                        n -> SomeWorkers.worker("w").slotsInUse(Math.min(n, 0)).build()),
                new Count(
                        "failedHealthChecks",
                        0,
                        n -> SomeWorkers.worker("w").failedHealthChecks(n).build()),
                new Count(
                        "generation",
                        0,
                        n -> SomeWorkers.worker("w").generation(n).build()),
                new Count(
                        "restarts", 0, n -> SomeWorkers.worker("w").restarts(n).build()),
                new Count("pid", 1, n -> SomeWorkers.worker("w").pid(n).build()),
                new Count("generation", 0, n -> exit("w", "m", n)),
                new Count("attempt", 1, n -> new WorkerState.BackingOff(n, START, SomeWorkers.crash(WORKER))),
                new Count("attempt", 1, n -> new WorkerEvent.RestartScheduled(WORKER, n, START)),
                new Count("dropped", 1, n -> new WorkerEvent.Overflowed(n)),
                new Count("device", 0, n -> SlotFilter.any().onDevice(n)),
                new Count("device", 0, n -> new SlotFilter(Optional.empty(), OptionalInt.of(n), Optional.empty())),
                new Count("eventQueueCapacity", 1, n -> WorkerRegistry.builder().eventQueueCapacity(n)),
                new Count("waitQueueCapacity", 0, n -> WorkerRegistry.builder().waitQueueCapacity(n)),
                new Count("processes", 0, n -> WorkerRegistry.create().noteReapedOrphans(n)),
                new Count("device", 0, n -> spec().device(n).build()),
                new Count("slots", 1, n -> spec().slots(n).build()),
                new Count(
                        "failureThreshold",
                        1,
                        n -> LifecycleConfig.builder().failureThreshold(n).build()),
                new Count(
                        "heartbeatMisses",
                        1,
                        n -> LifecycleConfig.builder().heartbeatMisses(n).build()),
                new Count(
                        "limit",
                        1,
                        n -> RestartPolicy.builder().limit(Math.min(n, 5)).build()),
                new Count("pid", 1, n -> new ProcessIdentity(n, 0, "")),
                new Count("startTime", 0, n -> new ProcessIdentity(1, n, "")),
                new Count(
                        "outputLimit", 1, n -> LocalProcessController.builder().outputLimit(n)));
    }

    @ParameterizedTest
    @MethodSource("whatTakesACount")
    void aCountOutOfRangeIsRefusedAndTheLargestIsTaken(Count count) {
        for (int bad : new int[] {count.least - 1, Integer.MIN_VALUE}) {
            refused(() -> count.taker.accept(bad), count.parameter, String.valueOf(bad));
        }
        count.taker.accept(count.least);
        count.taker.accept(Integer.MAX_VALUE);
    }

    // --- durations

    /** Where less than nothing is refused; null in place of the longest that is taken where there is no such. */
    record Time(String parameter, boolean zeroIsFine, boolean bounded, Consumer<Duration> taker) {
        @Override
        public String toString() {
            return parameter;
        }
    }

    static Stream<Time> whatTakesADuration() {
        HealthProbe http = HttpHealthProbe.at("/", HttpClient.newHttpClient());
        HealthProbe tcp = TcpHealthProbe.create();
        WorkerInfo nowhere = SomeWorkers.worker("w").url("nowhere").build();
        return Stream.of(
                new Time(
                        "leaseLeakThreshold",
                        false,
                        false,
                        bad -> WorkerRegistry.builder().leaseLeakThreshold(bad)),
                new Time(
                        "initial",
                        false,
                        true,
                        bad -> RestartPolicy.builder().initial(bad).build()),
                new Time(
                        "max",
                        false,
                        true,
                        bad -> RestartPolicy.builder().max(bad).build()),
                new Time(
                        "stableAfter",
                        false,
                        true,
                        bad -> RestartPolicy.builder().stableAfter(bad).build()),
                new Time(
                        "window",
                        false,
                        true,
                        bad -> RestartPolicy.builder().window(bad).build()),
                new Time("timeout", false, false, bad -> OrphanReaper.of("no hive", bad)),
                new Time("timeout", false, false, bad -> http.probe(nowhere, bad)),
                new Time("timeout", false, false, bad -> tcp.probe(nowhere, bad)),
                new Time("timeout", true, false, BadValuesTest::acquireWhatIsFree),
                new Time("duration", true, true, bad -> new VirtualTime().advance(bad)),
                new Time(
                        "deadline",
                        false,
                        true,
                        bad -> supervisorOf(new VirtualTime()).shutdownHook(bad)),
                new Time(
                        "deadline",
                        false,
                        true,
                        bad -> supervisorOf(new VirtualTime()).build().shutdown(bad)));
    }

    /** Those of a {@link LifecycleConfig} are in its own test. */
    @ParameterizedTest
    @MethodSource("whatTakesADuration")
    void aDurationOutOfRangeIsRefused(Time parameter) {
        Stream.of(Duration.ofNanos(-1), Duration.ofSeconds(Long.MIN_VALUE))
                .forEach(bad -> refused(() -> parameter.taker.accept(bad), parameter.parameter, bad.toString()));
        if (!parameter.zeroIsFine) {
            refused(() -> parameter.taker.accept(Duration.ZERO), parameter.parameter, "PT0S");
        }
        if (parameter.bounded) {
            refused(() -> parameter.taker.accept(LONGEST), parameter.parameter, LONGEST.toString());
        } else {
            parameter.taker.accept(LONG);
            parameter.taker.accept(LONGEST);
        }
    }

    private static void acquireWhatIsFree(Duration timeout) {
        WorkerRegistry registry = WorkerRegistry.create();
        registry.register(WORKER);
        try (SlotLease lease = registry.acquire(WORKER.modelRef(), timeout)) {
            assertThat(lease.isValid()).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static WorkerSupervisor.Builder supervisorOf(VirtualTime time) {
        return WorkerSupervisor.builder(WorkerRegistry.builder().clock(time).build(), time)
                .processes(new FakeProcessController());
    }

    // --- what does not fit together, and the rest

    record Misfit(String culprit, ThrowingCallable call) {
        @Override
        public String toString() {
            return culprit;
        }
    }

    static Stream<Misfit> whatDoesNotFit() {
        return Stream.of(
                new Misfit(
                        "3 > 2",
                        () -> SomeWorkers.worker("w")
                                .slotsTotal(2)
                                .slotsInUse(3)
                                .build()),
                new Misfit(
                        "busy", () -> WORKER.toBuilder().state(SomeWorkers.BUSY).build()),
                new Misfit("idle", () -> WORKER.toBuilder().slotsInUse(1).build()),
                new Misfit(
                        "backing_off",
                        () -> WORKER.toBuilder()
                                .state(SomeWorkers.backingOff(WORKER))
                                .slotsInUse(1)
                                .build()),
                new Misfit("exit code 1", () -> new ExitStatus(1, OptionalInt.of(9), false)),
                new Misfit("exit code 137", () -> new ExitStatus(137, OptionalInt.empty(), false)),
                new Misfit(
                        "max must be >= initial",
                        () -> RestartPolicy.builder()
                                .initial(SECOND)
                                .max(Duration.ofMillis(1))
                                .build()),
                new Misfit("jitter", () -> RestartPolicy.builder().jitter(1.01).build()),
                new Misfit(
                        "jitter",
                        () -> RestartPolicy.builder()
                                .jitter(Double.POSITIVE_INFINITY)
                                .build()),
                new Misfit(
                        "jitter",
                        () -> RestartPolicy.builder().jitter(Double.NaN).build()),
                new Misfit(
                        "window",
                        () -> RestartPolicy.builder().limit(Integer.MAX_VALUE).build()),
                new Misfit(
                        "healthTimeout",
                        () -> LifecycleConfig.builder()
                                .healthTimeout(Duration.ofSeconds(31))
                                .build()),
                new Misfit("9-8", () -> PortRange.of(9, 8)),
                new Misfit("0-8", () -> PortRange.of(0, 8)),
                new Misfit("8-65536", () -> PortRange.of(8, 65_536)),
                new Misfit("8-2147483647", () -> PortRange.of(8, Integer.MAX_VALUE)),
                new Misfit("3 workers", () -> new ShutdownReport(3, 1, 1, 0, 0)),
                new Misfit("-1 killed", () -> new ShutdownReport(0, 1, 0, -1, 0)),
                new Misfit("command", () -> spec().command(List.of()).build()),
                new Misfit("command", () -> spec().command(" ", "x").build()),
                new Misfit("{nobody}", () -> spec().command("serve", "{nobody}").build()),
                new Misfit("{nobody}", () -> spec().url("http://{nobody}").build()),
                new Misfit("PORT", () -> spec().parameter("PORT", "1").build()),
                new Misfit("port", () -> spec().parameter("port", "1").build()),
                new Misfit("was ", () -> spec().parameter("", "1").build()),
                new Misfit("NUL", () -> spec().parameter("a", "\0").build()),
                new Misfit("command", () -> new ProcessSpec("w", List.of(), Map.of(), Optional.empty())),
                new Misfit("command", () -> new ProcessSpec("w", List.of(""), Map.of(), Optional.empty())),
                new Misfit("health", () -> HttpHealthProbe.at("health")),
                new Misfit("path", () -> HttpHealthProbe.at("")),
                new Misfit("/a b", () -> HttpHealthProbe.at("/a b")),
                new Misfit("ALWAYS", () -> HttpHealthProbe.at("/", following())),
                new Misfit("stop", () -> StopRequest.post("stop", HttpClient.newHttpClient())),
                new Misfit("/a b", () -> StopRequest.post("/a b", HttpClient.newHttpClient())),
                new Misfit("ALWAYS", () -> StopRequest.post("/", following())),
                new Misfit("period", () -> new VirtualTime().scheduleAtFixedRate(() -> {}, 0, 0, TimeUnit.DAYS)),
                new Misfit("period", () -> new VirtualTime().scheduleWithFixedDelay(() -> {}, 0, -1, TimeUnit.DAYS)),
                new Misfit("nobody", () -> new FakeProcessController().exit("nobody", 1)),
                new Misfit("nobody", () -> new FakeProcessController().print("nobody", "a line")),
                new Misfit("nobody", () -> new FakeProcessController().exitOf("nobody")));
    }

    @ParameterizedTest
    @MethodSource("whatDoesNotFit")
    void whatDoesNotFitIsRefused(Misfit misfit) {
        refused(misfit.call, misfit.culprit);
    }

    /** Inside a collection nothing is null either. */
    @Test
    void aCollectionWithANullIsRefused() {
        List<String> hole = Arrays.asList("serve", null);
        for (ThrowingCallable call : List.<ThrowingCallable>of(
                () -> spec().command(hole).build(),
                () -> spec().command("serve", null),
                () -> new ProcessSpec("w", hole, Map.of(), Optional.empty()),
                () -> new Exit("w", "m", 1, Exit.Cause.CRASHED, ExitStatus.unrequested(1), hole, START))) {
            assertThatThrownBy(call).isInstanceOf(NullPointerException.class);
        }
    }

    // --- nothing changed

    @Test
    void aRegistryIsTheSameAfterEveryRefusal() {
        registry.register(WORKER);
        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
        List<WorkerInfo> workers = registry.list();
        RegistryStats stats = registry.stats();

        assertThatThrownBy(() -> registry.register(WORKER)).isInstanceOf(DuplicateWorkerException.class);
        refused(() -> registry.setPid("w", 1, 0), "pid", "0");
        refused(() -> registry.setPid("w", 1, Long.MIN_VALUE), "pid", String.valueOf(Long.MIN_VALUE));
        refused(() -> registry.noteReapedOrphans(-1), "-1");
        refused(() -> registry.acquire("m", Duration.ofNanos(-1)), "PT-0.000000001S");
        for (WorkerState next : List.of(SomeWorkers.IDLE, SomeWorkers.BUSY, SomeWorkers.LOADING)) {
            assertThatThrownBy(() -> registry.updateState("w", next))
                    .isInstanceOf(IllegalTransitionException.class)
                    .hasMessageContainingAll("w", "busy", next.label());
        }
        for (String nobody : List.of("", " ", "nobody", "a\nb", "x".repeat(1_000))) {
            assertThat(registry.get(nobody)).isEmpty();
            assertThat(registry.updateState(nobody, SomeWorkers.IDLE)).isEmpty();
            assertThat(registry.remove(nobody)).isEmpty();
            assertThat(registry.setPid(nobody, 1, 1)).isEmpty();
            assertThat(registry.incrementFailedHealthChecks(nobody)).isEmpty();
            assertThat(registry.resetFailedHealthChecks(nobody)).isFalse();
            assertThat(registry.heartbeat(nobody)).isFalse();
            assertThat(registry.suspect(nobody, Exit.Cause.UNHEALTHY)).isFalse();
            assertThat(registry.clearSuspicion(nobody)).isFalse();
            assertThat(registry.findIdleWorker(nobody)).isEmpty();
            assertThat(registry.findByNodeAndModel("local", nobody)).isEmpty();
            assertThat(registry.tryAcquire(nobody)).isEmpty();
            assertThat(registry.tryAcquire(nobody, SlotFilter.any())).isEmpty();
            assertThat(registry.tryAcquireFrom(nobody)).isEmpty();
        }
        assertThat(registry.setPid("w", 2, 1)).isEmpty();

        assertThat(lease.isValid()).isTrue();
        assertThat(registry.list()).isEqualTo(workers);
        assertThat(registry.stats()).isEqualTo(stats);
    }

    @Test
    void aSupervisorIsTheSameAfterEveryRefusal() {
        supervisor.spawn(spec().id("w").build());
        List<WorkerInfo> workers = registry.list();

        assertThatThrownBy(() -> supervisor.spawn(spec().id("w").build())).isInstanceOf(DuplicateWorkerException.class);
        refused(
                () -> supervisor.spawn(
                        spec().url("http://{a}").parameter("a", "x".repeat(257)).build()),
                "url");
        refused(
                () -> supervisor.spawn(
                        spec().url("http://{a}").parameter("a", "b\nc").build()),
                "url",
                "U+000A");
        refused(() -> supervisor.spawn(spec().command("{a}").parameter("a", " ").build()), "command");
        refused(() -> supervisor.shutdown(LONG), "deadline", LONG.toString());
        for (String nobody : List.of("", "nobody", "a\nb")) {
            assertThat(supervisor.ready(nobody)).isFalse();
            assertThat(supervisor.progress(nobody)).isFalse();
            Stream.of(
                            supervisor.stop(nobody),
                            supervisor.forceKill(nobody),
                            supervisor.restart(nobody),
                            supervisor.whenReady(nobody))
                    .forEach(stage -> assertThat(stage.toCompletableFuture()).isCompletedExceptionally());
        }

        assertThat(registry.list()).isEqualTo(workers);
        assertThat(supervisor.recentExits()).isEmpty();
        assertThat(processes.running()).containsExactly("w");
        assertThat(processes.starts()).isEqualTo(1);
        supervisor.spawn(spec().id("v").build()); // it is not shutting down
    }

    // --- extremes that are allowed

    @Test
    void aWorkerMayHaveAsManySlotsAsThereAreNumbers() {
        registry.register(SomeWorkers.idle("w", Integer.MAX_VALUE));
        registry.register(SomeWorkers.worker("full")
                .state(SomeWorkers.BUSY)
                .slotsTotal(Integer.MAX_VALUE)
                .build());

        try (SlotLease lease = registry.tryAcquire(SomeWorkers.MODEL).orElseThrow()) {
            assertThat(lease.worker().slotsAvailable()).isEqualTo(Integer.MAX_VALUE - 1);
            assertThat(registry.stats().slotsTotal()).isEqualTo(2L * Integer.MAX_VALUE);
            assertThat(registry.stats().slotsInUse()).isEqualTo(1L + Integer.MAX_VALUE);
        }
        assertThat(registry.get("w").orElseThrow().slotsInUse()).isZero();
    }

    @Test
    void timesAtTheEndsOfTimeAreTaken() {
        for (Instant end : List.of(Instant.MIN, Instant.MAX)) {
            WorkerInfo worker = SomeWorkers.worker("w " + end)
                    .startedAt(end)
                    .lastActivity(end)
                    .lastHeartbeat(end)
                    .build();
            registry.register(worker);
            assertThat(worker.uptime(START).isNegative()).isFalse();
            assertThat(worker.uptime(Instant.MAX).isNegative()).isFalse();
        }
        assertThat(registry.list()).hasSize(2);
    }

    private static Exit exit(String workerId, String modelRef, int generation) {
        return new Exit(
                workerId, modelRef, generation, Exit.Cause.CRASHED, ExitStatus.unrequested(1), List.of(), START);
    }

    private static WorkerSpec.Builder spec() {
        return WorkerSpec.builder().modelRef("m").command("serve").url("http://fake");
    }

    private static void refused(ThrowingCallable call, String... named) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessageContainingAll(named);
    }

    private static HttpClient following() {
        return HttpClient.newBuilder().followRedirects(Redirect.ALWAYS).build();
    }
}
