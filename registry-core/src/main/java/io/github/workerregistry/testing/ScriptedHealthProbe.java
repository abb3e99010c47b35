package io.github.workerregistry.testing;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A probe that returns scripted answers immediately, for tests. The default answer is healthy. Thread-safe.
 *
 * <pre>{@code
 * probe.answer(worker.id(), HealthStatus.unhealthy("out of memory"));
 * probe.hang(worker.id());
 * }</pre>
 *
 * @since 0.1
 */
public final class ScriptedHealthProbe implements HealthProbe {

    private final Map<String, Optional<HealthStatus>> scripted = new HashMap<>();
    private final Map<String, Integer> probes = new HashMap<>();
    private Optional<HealthStatus> others = Optional.of(HealthStatus.healthy());

    /** Creates a probe that reports every worker as healthy. */
    public ScriptedHealthProbe() {}

    /**
     * Sets the answer for one worker, until the next call for it or {@link #answerAll}.
     *
     * @param workerId the worker
     * @param status the answer
     */
    public synchronized void answer(String workerId, HealthStatus status) {
        requireNonNull(workerId, "workerId");
        scripted.put(workerId, Optional.of(requireNonNull(status, "status")));
    }

    /**
     * Leaves probes of one worker without an answer, until the next call for it or {@link #answerAll}.
     *
     * @param workerId the worker
     */
    public synchronized void hang(String workerId) {
        scripted.put(requireNonNull(workerId, "workerId"), Optional.empty());
    }

    /**
     * Sets the answer for every worker and removes the individual answers.
     *
     * @param status the answer
     */
    public synchronized void answerAll(HealthStatus status) {
        requireNonNull(status, "status");
        scripted.clear();
        others = Optional.of(status);
    }

    /**
     * Number of probes of a worker.
     *
     * @param workerId the worker
     * @return the number of probes started
     */
    public synchronized int probes(String workerId) {
        return probes.getOrDefault(requireNonNull(workerId, "workerId"), 0);
    }

    @Override
    public synchronized CompletionStage<HealthStatus> probe(WorkerInfo worker, Duration timeout) {
        requireNonNull(worker, "worker");
        requireNonNull(timeout, "timeout");
        probes.merge(worker.id(), 1, Integer::sum);
        CompletableFuture<HealthStatus> answer = new CompletableFuture<>();
        scripted.getOrDefault(worker.id(), others).ifPresent(answer::complete);
        return answer;
    }
}
