package io.github.workerregistry;

import static io.github.workerregistry.Refusals.assertRefused;
import static io.github.workerregistry.Refusals.spec;
import static io.github.workerregistry.SomeWorkers.START;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.health.TcpHealthProbe;
import io.github.workerregistry.internal.Checks;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.process.LocalProcessController;
import io.github.workerregistry.process.OrphanReaper;
import io.github.workerregistry.process.ProcessIdentity;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.ProcessUsage;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.net.http.HttpClient;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Names, counts and durations out of range, for every public method that accepts one: each is refused with an
 * {@link IllegalArgumentException} that names the parameter and the value. Nulls are in {@link NullsTest}.
 */
@ExtendWith(UnexpectedWarnings.class)
class BadValuesTest {

    private static final Duration LONG = Duration.ofSeconds(1_000_000_000_000L);
    private static final Duration LONGEST = Duration.ofSeconds(Long.MAX_VALUE);
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final WorkerInfo WORKER = SomeWorkers.idle("w", 2);

    /** Parameters that are names. */
    static Stream<Arguments> nameParameters() {
        return Stream.of(
                name("id", bad -> SomeWorkers.worker("w").id(bad).build()),
                name("url", bad -> SomeWorkers.worker("w").url(bad).build()),
                name("modelRef", bad -> SomeWorkers.worker("w").modelRef(bad).build()),
                name("backend", bad -> SomeWorkers.worker("w").backend(bad).build()),
                name("node", bad -> WorkerRegistry.builder().node(bad).build()),
                name("this", bad -> Checks.requireName(bad, "this")),
                name("workerId", bad -> new Incarnation(bad, 1, START)),
                name("modelRef", BadValuesTest::exit),
                name("url", BadValuesTest::restartAt),
                name("id", bad -> spec().id(bad).build()),
                name("modelRef", bad -> spec().modelRef(bad).build()),
                name("backend", bad -> spec().backend(bad).build()),
                name(
                        "url",
                        bad -> spec().url(bad.length() == 256 ? "http://" + bad.substring(7) : bad)
                                .build()),
                name("workerId", bad -> new ProcessSpec(bad, List.of("serve"), Map.of(), Optional.empty())),
                name(
                        "hiveId",
                        bad -> LocalProcessController.builder().hiveId(bad).build()),
                name("hiveId", OrphanReaper::of),
                name("hiveId", bad -> OrphanReaper.of(bad, SECOND)));
    }

    @ParameterizedTest
    @MethodSource("nameParameters")
    void malformedNameIsRefused(String parameter, Consumer<String> setter) {
        for (String blank : List.of("", " ", "\t\u2003")) {
            assertRefused(() -> setter.accept(blank), parameter, "blank");
        }
        for (char control : "\0\n\r\t\u001b\u007f\u0085\u2028\u2029".toCharArray()) {
            assertRefused(() -> setter.accept("a" + control + "b"), parameter, String.format("U+%04X", (int) control));
        }
        for (int invisible : new int[] {0x200B, 0x202E, 0xFEFF, 0xFE0F, 0x3164, 0xE0041, 0xD800, 0xDC00}) {
            String name = "a" + Character.toString(invisible) + "b";
            assertRefused(() -> setter.accept(name), parameter, String.format("U+%04X", invisible));
        }
        assertRefused(() -> setter.accept("x".repeat(257)), parameter, "257");
        setter.accept("x".repeat(256));
    }

    private static Arguments name(String parameter, Consumer<String> setter) {
        return arguments(parameter, setter);
    }

    record Count(String parameter, int least, Consumer<Integer> setter) {
        @Override
        public String toString() {
            return parameter + " >= " + least;
        }
    }

    static Stream<Count> countParameters() {
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
                new Count("generation", 0, n -> new Incarnation("w", n, START)),
                new Count("attempt", 1, n -> new WorkerState.BackingOff(n, START, SomeWorkers.crash(WORKER))),
                new Count("attempt", 1, n -> new WorkerEvent.RestartScheduled(WORKER, n, START)),
                new Count("dropped", 1, n -> new WorkerEvent.Overflowed(n)),
                new Count("device", 0, n -> SlotRequest.forModel("m").onDevice(n)),
                new Count(
                        "eventQueueCapacity",
                        1,
                        n -> WorkerRegistry.builder().eventQueueCapacity(n).build()),
                new Count(
                        "waitQueueCapacity",
                        0,
                        n -> WorkerRegistry.builder().waitQueueCapacity(n).build()),
                new Count(
                        "affinityCapacity",
                        1,
                        n -> WorkerRegistry.builder().affinityCapacity(n).build()),
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
                new Count(
                        "maxLines",
                        1,
                        n -> supervisorOf(new VirtualTime()).build().output("unknown", n)),
                new Count("maxLines", 1, n -> process().outputTail(n)),
                new Count("offset", 0, n -> process().readOutput(n, ByteBuffer.allocate(1))),
                new Count("residentBytes", 0, n -> new ProcessUsage(n, Duration.ZERO, 1, 1)),
                new Count("threads", 0, n -> new ProcessUsage(1, Duration.ZERO, n, 1)),
                new Count("processes", 1, n -> new ProcessUsage(1, Duration.ZERO, 1, n)),
                new Count("pid", 1, n -> new ProcessIdentity(n, 0, "")),
                new Count("startTime", 0, n -> new ProcessIdentity(1, n, "")),
                new Count(
                        "outputLimit",
                        1,
                        n -> LocalProcessController.builder().outputLimit(n).build()));
    }

    @ParameterizedTest
    @MethodSource("countParameters")
    void countOutOfRangeIsRefusedAndTheLargestIsAccepted(Count count) {
        for (int bad : new int[] {count.least - 1, Integer.MIN_VALUE}) {
            assertRefused(() -> count.setter.accept(bad), count.parameter, String.valueOf(bad));
        }
        count.setter.accept(count.least);
        count.setter.accept(Integer.MAX_VALUE);
    }

    /**
     * A parameter that refuses negative durations, zero unless {@code zeroIsAllowed}, and the longest if
     * {@code bounded}.
     */
    record Time(String parameter, boolean zeroIsAllowed, boolean bounded, Consumer<Duration> setter) {
        @Override
        public String toString() {
            return parameter;
        }
    }

    static Stream<Time> durationParameters() {
        HealthProbe http = HttpHealthProbe.at("/", HttpClient.newHttpClient());
        HealthProbe tcp = TcpHealthProbe.create();
        WorkerInfo nowhere = SomeWorkers.worker("w").url("nowhere").build();
        return Stream.of(
                new Time(
                        "leaseLeakThreshold",
                        false,
                        true,
                        bad -> WorkerRegistry.builder().leaseLeakThreshold(bad).build()),
                new Time(
                        "affinityTtl",
                        false,
                        true,
                        bad -> WorkerRegistry.builder().affinityTtl(bad).build()),
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
                new Time("timeout", true, false, BadValuesTest::acquireAFreeSlot),
                new Time("cpuTime", true, false, time -> new ProcessUsage(1, time, 1, 1)),
                new Time("duration", true, true, bad -> new VirtualTime().advance(bad)),
                new Time(
                        "shutdownHook deadline",
                        false,
                        true,
                        bad -> supervisorOf(new VirtualTime()).shutdownHook(bad).build()),
                new Time(
                        "deadline",
                        false,
                        true,
                        bad -> supervisorOf(new VirtualTime()).build().shutdown(bad)));
    }

    /** Durations of a {@link LifecycleConfig} are in its own test. */
    @ParameterizedTest
    @MethodSource("durationParameters")
    void durationOutOfRangeIsRefused(Time parameter) {
        Stream.of(Duration.ofNanos(-1), Duration.ofSeconds(Long.MIN_VALUE))
                .forEach(bad -> assertRefused(() -> parameter.setter.accept(bad), parameter.parameter, bad.toString()));
        if (!parameter.zeroIsAllowed) {
            assertRefused(() -> parameter.setter.accept(Duration.ZERO), parameter.parameter, "PT0S");
        }
        if (parameter.bounded) {
            assertRefused(() -> parameter.setter.accept(LONGEST), parameter.parameter, LONGEST.toString());
        } else {
            parameter.setter.accept(LONG);
            parameter.setter.accept(LONGEST);
        }
    }

    private static void acquireAFreeSlot(Duration timeout) {
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
                .processController(new FakeProcessController());
    }

    private static WorkerProcess process() {
        return new FakeProcessController().start(new ProcessSpec("w", List.of("serve"), Map.of(), Optional.empty()));
    }

    private static Exit exit(String modelRef) {
        return new Exit(
                WORKER.incarnation(), modelRef, Exit.Cause.CRASHED, ExitStatus.unrequested(1), List.of(), START);
    }

    private static void restartAt(String url) {
        WorkerRegistry.create().supervision().restartIfUnchanged(WORKER, new WorkerState.Loading(START), url);
    }
}
