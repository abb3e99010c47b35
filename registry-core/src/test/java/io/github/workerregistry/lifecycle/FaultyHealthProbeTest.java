package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.Fault.throwing;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A health probe that breaks its contract, or calls back: others are probed, and only the worker itself may be stopped.
 */
@ExtendWith(UnexpectedWarnings.class)
class FaultyHealthProbeTest {

    static Stream<Fault> probes() {
        String noResult = Warnings.NO_RESULT;
        return Stream.of(
                new Fault("returns null", () -> null, noResult),
                throwing("throws", () -> new IllegalStateException("broken"), noResult),
                throwing("throws an Error", () -> new AssertionError("broken"), noResult),
                throwing("throws what cannot be read", Fault.Unreadable::new, noResult),
                throwing("throws a checked exception", () -> new Exception("broken"), noResult),
                new Fault("completes with null", () -> CompletableFuture.completedFuture(null), noResult),
                new Fault("fails", () -> CompletableFuture.failedFuture(new Error("broken")), noResult),
                new Fault("fails unreadably", () -> CompletableFuture.failedFuture(new Fault.Unreadable()), noResult),
                new Fault("is no stage", Fault::brokenStage, noResult),
                new Fault("answers twice", () -> Fault.twice(HealthStatus.unhealthy("?"), HealthStatus.healthy())));
    }

    @ParameterizedTest
    @MethodSource("probes")
    void aProbeWithoutAResultIsNoFailedCheckAndOthersAreProbed(Fault fault) {
        fault.expectWarnings();
        VirtualHive hive = hiveWithProbe(self -> fault.instead().get());
        String broken = hive.spawnReady("broken");
        String other = hive.spawnReady("other");

        hive.advance(Duration.ofMinutes(5));

        assertThat(hive.worker(broken).state()).isEqualTo(new Idle());
        assertThat(hive.worker(broken).failedHealthChecks()).isZero();
        assertThat(hive.worker(other).state()).isEqualTo(new Idle());
        assertThat(hive.probe.probes(other)).isGreaterThanOrEqualTo(9);
        assertThat(hive.supervisor.recentExits()).isEmpty();
    }

    /** A future that cannot be cancelled. */
    private static final class Uncancellable<T> extends CompletableFuture<T> {
        @Override
        public boolean cancel(boolean mayInterruptIfRunning) {
            throw new AssertionError("cannot be cancelled");
        }
    }

    static Stream<Fault> probesThatNeverAnswer() {
        return Stream.of(
                new Fault("never answers", CompletableFuture::new),
                new Fault("never answers and cannot be cancelled", Uncancellable::new));
    }

    @ParameterizedTest
    @MethodSource("probesThatNeverAnswer")
    void aProbeThatNeverCompletesIsAFailedCheckAndOthersAreProbed(Fault fault) {
        UnexpectedWarnings.expect(Warnings.THREE_CHECKS_FAILED);
        fault.expectWarnings();
        VirtualHive hive = hiveWithProbe(self -> fault.instead().get());
        String broken = hive.spawnReady("broken");
        String other = hive.spawnReady("other");

        hive.advance(Duration.ofMinutes(5));

        assertThat(hive.isRemoved(broken)).isTrue();
        assertThat(hive.worker(other).state()).isEqualTo(new Idle());
        assertThat(hive.probe.probes(other)).isGreaterThanOrEqualTo(9);
    }

    @Test
    void aProbeMayCallBack() {
        VirtualHive hive = hiveWithProbe(self -> {
            self.supervisor.forceKill("broken");
            self.registry.remove("other");
            return CompletableFuture.completedFuture(HealthStatus.healthy());
        });
        hive.spawnReady("other");
        hive.spawnReady("broken");

        hive.advance(Duration.ofMinutes(5));

        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.running()).isEmpty();
    }

    @SuppressWarnings("unchecked")
    private static VirtualHive hiveWithProbe(Function<VirtualHive, ?> instead) {
        return new VirtualHive((self, builder) ->
                builder.healthProbe((worker, timeout) -> worker.id().equals("broken")
                        ? (CompletionStage<HealthStatus>) instead.apply(self)
                        : self.probe.probe(worker, timeout)));
    }

    /** Workers registered by the hive that load since the earliest and the latest instant. */
    @Test
    void aRegisteredWorkerWithAnExtremeLoadTimeDoesNotBlockProbes() {
        VirtualHive hive = new VirtualHive();
        for (Instant since : List.of(Instant.MAX, Instant.MIN)) {
            hive.register("own " + since, new Loading(since));
        }
        String other = hive.spawnReady("other");

        hive.advance(Duration.ofMinutes(5));

        assertThat(hive.probe.probes(other)).isGreaterThanOrEqualTo(9);
        assertThat(hive.state("own " + Instant.MAX)).isEqualTo(new Idle());
    }
}
