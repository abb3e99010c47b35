package io.github.workerregistry.health;

import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.util.concurrent.CompletionStage;

/**
 * Asks one worker whether it is well. The SPI for people whose workers answer in another way than over HTTP or TCP.
 *
 * <p>Implementations are thread-safe: many workers are probed at once, but one worker never twice at a time. Whether
 * yours keeps every promise made here, a {@link io.github.workerregistry.testing.HealthProbeContract} tells.
 */
@FunctionalInterface
public interface HealthProbe {

    /**
     * Starts to ask, and returns at once: called on the host's scheduler, with no lock held, so it must not block.
     *
     * <p>The supervisor waits no longer than {@code timeout}. It then counts the probe as failed, cancels the stage's
     * {@link CompletionStage#toCompletableFuture() future}, and drops what comes after. A probe that throws, returns
     * null or completes exceptionally says nothing about the worker: it is logged, and counts as
     * {@link HealthStatus.Unknown}.
     *
     * @param worker the worker to ask
     * @param timeout how long the answer may take, &gt; 0
     * @return a stage that completes with the answer, on any thread
     */
    CompletionStage<HealthStatus> probe(WorkerInfo worker, Duration timeout);
}
