package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.internal.LogText;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lets several ask for probes of one worker, and starts them one after another: a {@link HealthProbe} is promised that
 * it never has two of one worker at a time. A cancelled probe has ended.
 */
final class ProbeQueue {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final Executor scheduler;

    /** The last probe of each worker that was asked for and has not ended. */
    private final ConcurrentMap<String, CompletableFuture<HealthStatus>> last = new ConcurrentHashMap<>();

    ProbeQueue(Executor scheduler) {
        this.scheduler = scheduler;
    }

    /** A probe that passes through this queue. */
    HealthProbe queued(HealthProbe probe) {
        return (worker, timeout) -> probe(probe, worker, timeout, () -> {});
    }

    /**
     * Probes, and runs {@code onStart} when the probe is started, on the thread that does. Called on the scheduler,
     * where the probe is started at once if there is no other of this worker.
     */
    CompletionStage<HealthStatus> probe(HealthProbe probe, WorkerInfo worker, Duration timeout, Runnable onStart) {
        CompletableFuture<HealthStatus> answer = new CompletableFuture<>();
        CompletableFuture<HealthStatus> before = last.put(worker.id(), answer);
        answer.whenComplete((status, failure) -> last.remove(worker.id(), answer));
        if (before == null || before.isDone()) {
            start(probe, worker, timeout, onStart, answer);
        } else {
            before.whenComplete((status, failure) -> startOnScheduler(probe, worker, timeout, onStart, answer));
        }
        return answer;
    }

    private void startOnScheduler(
            HealthProbe probe,
            WorkerInfo worker,
            Duration timeout,
            Runnable onStart,
            CompletableFuture<HealthStatus> answer) {
        RunOnce start = new RunOnce(() -> start(probe, worker, timeout, onStart, answer));
        try {
            scheduler.execute(start);
        } catch (Throwable refused) { // it has been shut down, and our loops have outlived it
            start.run();
        }
    }

    private static void start(
            HealthProbe probe,
            WorkerInfo worker,
            Duration timeout,
            Runnable onStart,
            CompletableFuture<HealthStatus> answer) {
        if (answer.isDone()) {
            return; // cancelled while queued
        }
        onStart.run();
        try {
            CompletionStage<HealthStatus> stage = probe.probe(worker, timeout);
            if (stage == null) {
                answer.complete(HealthStatus.unknown("the probe returned null"));
            } else {
                relay(worker, stage.toCompletableFuture(), answer);
            }
        } catch (Throwable t) { // foreign code
            answer.completeExceptionally(t);
        }
    }

    private static void relay(
            WorkerInfo worker, CompletableFuture<HealthStatus> from, CompletableFuture<HealthStatus> answer) {
        from.whenComplete((status, failure) -> {
            if (failure != null) {
                answer.completeExceptionally(failure);
            } else {
                answer.complete(status != null ? status : HealthStatus.unknown("the probe gave null"));
            }
        });
        answer.whenComplete((status, failure) -> {
            if (answer.isCancelled()) {
                cancel(worker, from);
            }
        });
    }

    private static void cancel(WorkerInfo worker, CompletableFuture<HealthStatus> future) {
        try {
            future.cancel(true);
        } catch (Throwable t) { // foreign code
            log.debug("worker {}: its probe cannot be cancelled", WorkerName.of(worker), LogText.of(t));
        }
    }
}
