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
 * A probe that answers at once what the test says, for tests: healthy, until told otherwise. Thread-safe.
 *
 * <pre>{@code
 * probe.answer(worker.id(), HealthStatus.unhealthy("out of memory"));
 * probe.hang(worker.id());
 * }</pre>
 */
public final class ScriptedHealthProbe implements HealthProbe {

    private final Map<String, Optional<HealthStatus>> scripted = new HashMap<>();
    private final Map<String, Integer> probes = new HashMap<>();
    private Optional<HealthStatus> others = Optional.of(HealthStatus.healthy());

    /** A probe that finds every worker healthy. */
    public ScriptedHealthProbe() {}

    /**
     * Sets the answer for one worker, until told otherwise.
     *
     * @param workerId the worker
     * @param status the answer
     */
    public synchronized void answer(String workerId, HealthStatus status) {
        requireNonNull(workerId, "workerId");
        scripted.put(workerId, Optional.of(requireNonNull(status, "status")));
    }

    /**
     * Lets probes of one worker stay without an answer, until told otherwise.
     *
     * @param workerId the worker
     */
    public synchronized void hang(String workerId) {
        scripted.put(requireNonNull(workerId, "workerId"), Optional.empty());
    }

    /**
     * Sets the answer for every worker, also for those that had one of their own.
     *
     * @param status the answer
     */
    public synchronized void answerAll(HealthStatus status) {
        requireNonNull(status, "status");
        scripted.clear();
        others = Optional.of(status);
    }

    /**
     * How often a worker was probed.
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
