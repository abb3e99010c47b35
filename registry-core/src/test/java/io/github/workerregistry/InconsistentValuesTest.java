package io.github.workerregistry;

import static io.github.workerregistry.Refusals.assertRefused;
import static io.github.workerregistry.Refusals.spec;
import static io.github.workerregistry.SomeWorkers.START;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.PortPool;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.ShutdownReport;
import io.github.workerregistry.lifecycle.StopRequest;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.process.InheritedEnvironment;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.net.http.HttpClient;
import java.net.http.HttpClient.Redirect;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Values that are refused together, or by their form, though each of them is in range. */
@ExtendWith(UnexpectedWarnings.class)
class InconsistentValuesTest {

    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final WorkerInfo WORKER = SomeWorkers.idle("w", 2);

    record Inconsistency(String culprit, ThrowingCallable call) {
        @Override
        public String toString() {
            return culprit;
        }
    }

    static Stream<Inconsistency> inconsistencies() {
        return Stream.of(
                new Inconsistency(
                        "3 > 2",
                        () -> SomeWorkers.worker("w")
                                .slotsTotal(2)
                                .slotsInUse(3)
                                .build()),
                new Inconsistency(
                        "busy", () -> WORKER.toBuilder().state(SomeWorkers.BUSY).build()),
                new Inconsistency("idle", () -> WORKER.toBuilder().slotsInUse(1).build()),
                new Inconsistency(
                        "backing_off",
                        () -> WORKER.toBuilder()
                                .state(SomeWorkers.backingOff(WORKER))
                                .slotsInUse(1)
                                .build()),
                new Inconsistency("exit code 1", () -> new ExitStatus(OptionalInt.of(1), OptionalInt.of(9), false)),
                new Inconsistency(
                        "exit code 137", () -> new ExitStatus(OptionalInt.of(137), OptionalInt.empty(), false)),
                new Inconsistency(
                        "max must be >= initial",
                        () -> RestartPolicy.builder()
                                .initial(SECOND)
                                .max(Duration.ofMillis(1))
                                .build()),
                new Inconsistency(
                        "jitter", () -> RestartPolicy.builder().jitter(1.01).build()),
                new Inconsistency(
                        "jitter",
                        () -> RestartPolicy.builder()
                                .jitter(Double.POSITIVE_INFINITY)
                                .build()),
                new Inconsistency(
                        "jitter",
                        () -> RestartPolicy.builder().jitter(Double.NaN).build()),
                new Inconsistency(
                        "window",
                        () -> RestartPolicy.builder().limit(Integer.MAX_VALUE).build()),
                new Inconsistency(
                        "healthTimeout",
                        () -> LifecycleConfig.builder()
                                .healthTimeout(Duration.ofSeconds(31))
                                .build()),
                new Inconsistency(
                        "slotsInUse must be <= slotsTotal, was 3 > 2",
                        () -> RegistryStats.builder()
                                .slotsInUse(3)
                                .slotsTotal(2)
                                .build()),
                new Inconsistency("9-8", () -> PortPool.of(9, 8)),
                new Inconsistency("0-8", () -> PortPool.of(0, 8)),
                new Inconsistency("8-65536", () -> PortPool.of(8, 65_536)),
                new Inconsistency("8-2147483647", () -> PortPool.of(8, Integer.MAX_VALUE)),
                new Inconsistency("3 workers", () -> new ShutdownReport(3, 1, 1, 0, 0)),
                new Inconsistency("-1 killed", () -> new ShutdownReport(0, 1, 0, -1, 0)),
                new Inconsistency("command", () -> spec().command(List.of()).build()),
                new Inconsistency("command", () -> spec().command(" ", "x").build()),
                new Inconsistency(
                        "{unknown}", () -> spec().command("serve", "{unknown}").build()),
                new Inconsistency(
                        "{unknown}", () -> spec().url("http://{unknown}").build()),
                new Inconsistency("PORT", () -> spec().parameter("PORT", "1").build()),
                new Inconsistency("port", () -> spec().parameter("port", "1").build()),
                new Inconsistency("was ", () -> spec().parameter("", "1").build()),
                new Inconsistency("NUL", () -> spec().parameter("a", "\0").build()),
                new Inconsistency("command", () -> new ProcessSpec("w", List.of(), Map.of(), Optional.empty())),
                new Inconsistency("command", () -> new ProcessSpec("w", List.of(""), Map.of(), Optional.empty())),
                new Inconsistency("health", () -> HttpHealthProbe.at("health")),
                new Inconsistency("path", () -> HttpHealthProbe.at("")),
                new Inconsistency("/a b", () -> HttpHealthProbe.at("/a b")),
                new Inconsistency("ALWAYS", () -> HttpHealthProbe.at("/", following())),
                new Inconsistency("stop", () -> StopRequest.post("stop", HttpClient.newHttpClient())),
                new Inconsistency("/a b", () -> StopRequest.post("/a b", HttpClient.newHttpClient())),
                new Inconsistency("ALWAYS", () -> StopRequest.post("/", following())),
                new Inconsistency("period", () -> new VirtualTime().scheduleAtFixedRate(() -> {}, 0, 0, TimeUnit.DAYS)),
                new Inconsistency(
                        "period", () -> new VirtualTime().scheduleWithFixedDelay(() -> {}, 0, -1, TimeUnit.DAYS)),
                new Inconsistency("unknown", () -> new FakeProcessController().exit("unknown", 1)),
                new Inconsistency("unknown", () -> new FakeProcessController().print("unknown", "a line")),
                new Inconsistency("unknown", () -> new FakeProcessController().exitOf("unknown")));
    }

    @ParameterizedTest
    @MethodSource("inconsistencies")
    void inconsistencyIsRefused(Inconsistency inconsistency) {
        assertRefused(inconsistency.call, inconsistency.culprit);
    }

    @Test
    void collectionWithANullIsRefused() {
        List<String> withNull = Arrays.asList("serve", null);
        Map<String, String> nullValue = new HashMap<>();
        nullValue.put("name", null);
        assertNullNamed("command", () -> spec().command(withNull).build());
        assertNullNamed("command", () -> spec().command("serve", null).build());
        assertNullNamed("names", () -> spec().inheritEnvironment("HOME", null));
        assertNullNamed("command", () -> new ProcessSpec("w", withNull, Map.of(), Optional.empty()));
        assertNullNamed("environment", () -> new ProcessSpec("w", List.of("serve"), nullValue, Optional.empty()));
        assertNullNamed("only", () -> new InheritedEnvironment(Optional.of(new HashSet<>(withNull)), Set.of()));
        assertNullNamed("except", () -> new InheritedEnvironment(Optional.empty(), new HashSet<>(withNull)));
        assertNullNamed(
                "output",
                () -> new Exit(
                        WORKER.incarnation(), "m", Exit.Cause.CRASHED, ExitStatus.unrequested(1), withNull, START));
        assertNullNamed("labels", () -> WORKER.toBuilder().labels(nullValue).build());
        assertNullNamed(
                "endedBy",
                () -> RegistryStats.builder()
                        .endedBy(Collections.singletonMap(null, 1L))
                        .build());
    }

    private static void assertNullNamed(String name, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(NullPointerException.class).hasMessage(name + " contains null");
    }

    /** Changing a collection afterwards does not change what was built. */
    @Test
    void collectionsAreCopiedByBuild() {
        Map<String, String> labels = new HashMap<>(Map.of("tier", "fast"));
        Map<Exit.Cause, Long> endedBy = new HashMap<>(Map.of(Exit.Cause.CRASHED, 1L));
        String[] command = {"serve"};
        WorkerInfo worker = WORKER.toBuilder().labels(labels).build();
        RegistryStats stats = RegistryStats.builder().endedBy(endedBy).build();
        WorkerSpec.Builder spec = spec().command(command);

        labels.clear();
        endedBy.clear();
        command[0] = "changed";

        assertThat(worker.labels()).containsEntry("tier", "fast");
        assertThat(stats.endedBy()).containsEntry(Exit.Cause.CRASHED, 1L);
        assertThat(spec.build().command()).containsExactly("serve");
    }

    private static HttpClient following() {
        return HttpClient.newBuilder().followRedirects(Redirect.ALWAYS).build();
    }
}
