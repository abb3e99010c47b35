package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

/**
 * A worker that loads and is never ready, in virtual time. A probe completes after a delay, or hangs until its timeout;
 * the worker may log each probe, and may write other output.
 */
final class ProbedLoad {

    /** One probe: when it opened, and when it was closed. */
    record Window(Instant opened, Instant closed) {}

    final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry = WorkerRegistry.builder().clock(time).build();
    private final FakeProcessController processes = new FakeProcessController();
    private final Duration answerAfter;
    private final Optional<Duration> logAfter;
    private final List<Window> windows = new ArrayList<>();
    final WorkerSupervisor supervisor;
    final String id;

    /**
     * A load that begins now.
     *
     * @param config idle timeout and restarts do not matter
     * @param answerAfter how long a probe stays open, if that is shorter than its timeout
     * @param logAfter when, after it opened, a probe shows in the output; empty: never
     */
    ProbedLoad(LifecycleConfig config, Duration answerAfter, Optional<Duration> logAfter) {
        this.answerAfter = answerAfter;
        this.logAfter = logAfter;
        supervisor = WorkerSupervisor.builder(registry, time)
                .processController(processes)
                .healthProbe(this::probe)
                .restartPolicy(RestartPolicy.never())
                .lifecycle(config)
                .build();
        id = supervisor.spawn(VirtualHive.SPEC).id();
    }

    private CompletionStage<HealthStatus> probe(WorkerInfo worker, Duration timeout) {
        Instant opened = time.instant();
        CompletableFuture<HealthStatus> answer = new CompletableFuture<>();
        answer.whenComplete((status, failure) -> windows.add(new Window(opened, time.instant())));
        logAfter.ifPresent(delay -> in(delay, this::write));
        if (answerAfter.isZero()) {
            answer.complete(HealthStatus.unhealthy("status 404"));
        } else {
            in(answerAfter, () -> answer.complete(HealthStatus.unhealthy("status 404")));
        }
        return answer;
    }

    private void in(Duration delay, Runnable task) {
        var unused = time.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** Makes the worker write a line now. */
    void write() {
        processes.print(id, "a line");
    }

    /** Makes the worker write a line each {@code interval}, the first after {@code delay}. */
    void writeEvery(Duration interval, Duration delay) {
        var unused = time.scheduleAtFixedRate(this::write, delay.toNanos(), interval.toNanos(), TimeUnit.NANOSECONDS);
    }

    void advance(Duration duration) {
        time.advance(duration);
    }

    boolean isLoading() {
        return registry.get(id)
                .filter(worker -> worker.state() instanceof Loading)
                .isPresent();
    }

    /** The probes that were opened and closed. */
    List<Window> windows() {
        return List.copyOf(windows);
    }

    /** The time until the load was stopped; waits for {@code atMost}. */
    Optional<Duration> endedAfter(Duration atMost) {
        Instant start = time.instant();
        advance(atMost);
        return supervisor.recentExits().stream()
                .map(exit -> Duration.between(start, exit.at()))
                .findFirst();
    }
}
