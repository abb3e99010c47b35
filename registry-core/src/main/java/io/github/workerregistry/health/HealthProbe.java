package io.github.workerregistry.health;

import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * Checks the health of one worker. Implement this SPI for workers that are not checked over HTTP or TCP.
 *
 * <p>Implementations are thread-safe: many workers are probed concurrently, but one worker never twice at a time.
 * {@link io.github.workerregistry.testing.contract.HealthProbeContract} verifies an implementation.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface HealthProbe {

    /**
     * Starts a probe and returns at once. Called on the hive's scheduler, with no lock held; must not block.
     *
     * <p>The supervisor waits no longer than {@code timeout}. It then counts the probe as failed, cancels the stage's
     * {@link CompletionStage#toCompletableFuture() future}, and ignores a later answer. A probe that throws, returns
     * null or completes exceptionally is logged and counts as {@link HealthStatus.Unknown}.
     *
     * @param worker the worker to probe
     * @param timeout the maximum time for the answer, &gt; 0
     * @return a stage that completes with the answer, on any thread
     */
    CompletionStage<HealthStatus> probe(WorkerInfo worker, Duration timeout);
}
