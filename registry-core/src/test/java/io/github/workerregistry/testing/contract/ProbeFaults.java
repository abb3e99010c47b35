package io.github.workerregistry.testing.contract;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.contract.Faults.Fault;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Faulty probes: each violates a part of the contract. */
final class ProbeFaults {

    private ProbeFaults() {}

    static Stream<Fault> all() {
        return Stream.of(
                broken("a stage that never completes", stage -> new CompletableFuture<>()),
                broken("null as the stage", stage -> null),
                broken("a stage that completes with null", stage -> CompletableFuture.completedFuture(null)),
                broken(
                        "a stage that completes exceptionally",
                        stage -> stage.thenApply(status -> {
                            throw new IllegalStateException("broken");
                        })),
                broken("a stage without toCompletableFuture", StageOnly::new),
                broken("callbacks that run twice", Twice::new),
                broken(
                        "every worker is reported as healthy",
                        (intact, worker, timeout) -> CompletableFuture.completedFuture(HealthStatus.healthy())),
                broken(
                        "every worker is reported as unhealthy",
                        (intact, worker, timeout) ->
                                CompletableFuture.completedFuture(HealthStatus.unhealthy("broken"))),
                broken(
                        "a blank reason",
                        stage -> stage.thenApply(status ->
                                status.equals(HealthStatus.healthy()) ? status : HealthStatus.unhealthy(" "))),
                broken(
                        "unhealthy workers are reported as unknown",
                        stage -> stage.thenApply(status ->
                                status.equals(HealthStatus.healthy()) ? status : HealthStatus.unknown("broken"))),
                broken("an exception for an exited worker", (intact, worker, timeout) -> {
                    if (worker.url().equals(ScriptedProbeContract.NO_SERVER)) {
                        throw new IllegalStateException("connection refused");
                    }
                    return intact.probe(worker, timeout);
                }),
                broken("an exception for an invalid url", (intact, worker, timeout) -> {
                    if (worker.url().equals(ScriptedProbeContract.NO_URL)) {
                        throw new IllegalArgumentException("no url");
                    }
                    return intact.probe(worker, timeout);
                }),
                broken(
                        "exceptional completion for an invalid answer",
                        (intact, worker, timeout) -> worker.url().equals(ScriptedProbeContract.INVALID_ANSWER)
                                ? CompletableFuture.failedFuture(new IllegalStateException("no answer"))
                                : intact.probe(worker, timeout)),
                broken("unhealthy without waiting for the answer", (intact, worker, timeout) -> {
                    CompletableFuture<HealthStatus> answer =
                            intact.probe(worker, timeout).toCompletableFuture();
                    return CompletableFuture.completedFuture(answer.getNow(HealthStatus.unhealthy("took a moment")));
                }),
                broken("an exception for a short timeout", (intact, worker, timeout) -> {
                    if (timeout.toMillis() == 0) {
                        throw new IllegalArgumentException("timeout must be > 0 ms");
                    }
                    return intact.probe(worker, timeout);
                }),
                broken("an arithmetic overflow for a long timeout", (intact, worker, timeout) -> {
                    Math.toIntExact(timeout.toMillis());
                    return intact.probe(worker, timeout);
                }),
                brokenProbe("one future shared by all pending probes", sharing()),
                brokenProbe("one probe at a time", OneAtATime::new));
    }

    private static UnaryOperator<HealthProbe> sharing() {
        CompletableFuture<HealthStatus> shared = new CompletableFuture<>();
        return intact -> (worker, timeout) -> {
            CompletableFuture<HealthStatus> answer =
                    intact.probe(worker, timeout).toCompletableFuture();
            return answer.isDone() ? answer : shared;
        };
    }

    private static Fault broken(String what, UnaryOperator<CompletionStage<HealthStatus>> fault) {
        return broken(what, (intact, worker, timeout) -> fault.apply(intact.probe(worker, timeout)));
    }

    private static Fault broken(String what, Breaking fault) {
        return brokenProbe(what, intact -> (worker, timeout) -> fault.probe(intact, worker, timeout));
    }

    private static Fault brokenProbe(String what, UnaryOperator<HealthProbe> fault) {
        return new Fault(what, new ScriptedProbeContract(fault));
    }

    @FunctionalInterface
    private interface Breaking {
        CompletionStage<HealthStatus> probe(HealthProbe intact, WorkerInfo worker, Duration timeout);
    }

    /** Starts a probe only when the previous one has completed. */
    private static final class OneAtATime implements HealthProbe {
        private final HealthProbe intact;
        private CompletableFuture<?> previous = CompletableFuture.completedFuture("no previous probe");

        OneAtATime(HealthProbe intact) {
            this.intact = intact;
        }

        @Override
        public synchronized CompletionStage<HealthStatus> probe(WorkerInfo worker, Duration timeout) {
            CompletableFuture<HealthStatus> next =
                    previous.handle((ended, failure) -> "ended").thenCompose(ended -> intact.probe(worker, timeout));
            previous = next;
            return next;
        }
    }

    /** Runs each callback twice. */
    private static final class Twice extends CompletableFuture<HealthStatus> {
        Twice(CompletionStage<HealthStatus> once) {
            once.thenAccept(this::complete);
        }

        @Override
        public CompletableFuture<HealthStatus> whenComplete(
                BiConsumer<? super HealthStatus, ? super Throwable> action) {
            super.whenComplete(action);
            return super.whenComplete(action);
        }
    }

    /** Cannot be waited for or cancelled. */
    private static final class StageOnly extends CompletableFuture<HealthStatus> {
        StageOnly(CompletionStage<HealthStatus> once) {
            once.thenAccept(this::complete);
        }

        @Override
        public CompletableFuture<HealthStatus> toCompletableFuture() {
            throw new UnsupportedOperationException();
        }
    }
}
