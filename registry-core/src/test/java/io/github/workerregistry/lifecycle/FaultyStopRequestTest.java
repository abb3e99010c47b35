package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.Fault.throwing;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A stop request that breaks its contract: the worker is signalled all the same. */
@ExtendWith(UnexpectedWarnings.class)
class FaultyStopRequestTest {

    static Stream<Fault> stopRequests() {
        return Stream.of(
                new Fault("returns null", () -> null),
                throwing("throws", () -> new IllegalStateException("broken"), "the stop request failed"),
                throwing("throws an Error", () -> new AssertionError("broken"), "the stop request failed"),
                throwing("throws what cannot be read", Fault.Unreadable::new, "the stop request failed"),
                new Fault("never answers", CompletableFuture::new),
                new Fault("completes with null", () -> CompletableFuture.completedFuture(null)),
                new Fault("fails", () -> CompletableFuture.failedFuture(new Error("broken"))),
                new Fault("answers twice", () -> Fault.twice(true, false)),
                new Fault("throws on every call", Fault::brokenStage, "the stop request failed"));
    }

    @ParameterizedTest
    @MethodSource("stopRequests")
    @SuppressWarnings("unchecked")
    void aWorkerIsSignalledDespiteAFaultyStopRequest(Fault fault) {
        fault.expectWarnings();
        VirtualHive hive = new VirtualHive(builder -> builder.stopRequest(
                worker -> (CompletionStage<Boolean>) fault.instead().get()));
        String id = hive.spawnReady();

        CompletableFuture<ExitStatus> stopped = hive.stop(id);
        hive.advanceSeconds(6); // half of the grace

        assertThat(stopped).isCompletedWithValue(ExitStatus.requested(0));
        assertThat(hive.registry.list()).isEmpty();
    }
}
