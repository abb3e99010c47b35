package io.github.workerregistry.testing;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.Faults.Fault;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiConsumer;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** Ways in which probes break their promises, for the checks to see. */
final class ProbeFaults {

    private ProbeFaults() {}

    static Stream<Fault> all() {
        return Stream.of(
                broken("no answer, ever", stage -> new CompletableFuture<>()),
                broken("null for a stage", stage -> null),
                broken("a stage that completes with null", stage -> CompletableFuture.completedFuture(null)),
                broken(
                        "a stage that fails",
                        stage -> stage.thenApply(status -> {
                            throw new IllegalStateException("broken");
                        })),
                broken("a stage that is no future", NoFuture::new),
                broken("an answer that is given twice", Twice::new),
                broken(
                        "everybody is well",
                        (whole, worker, timeout) -> CompletableFuture.completedFuture(HealthStatus.healthy())),
                broken(
                        "nobody is well",
                        (whole, worker, timeout) ->
                                CompletableFuture.completedFuture(HealthStatus.unhealthy("broken"))),
                broken(
                        "no reason",
                        stage -> stage.thenApply(status ->
                                status.equals(HealthStatus.healthy()) ? status : HealthStatus.unhealthy(" "))),
                broken(
                        "a worker that is ill is unknown",
                        stage -> stage.thenApply(status ->
                                status.equals(HealthStatus.healthy()) ? status : HealthStatus.unknown("broken"))),
                broken("an exception for a worker that is dead", (whole, worker, timeout) -> {
                    if (worker.url().equals(ScriptedProbeContract.NOBODY)) {
                        throw new IllegalStateException("connection refused");
                    }
                    return whole.probe(worker, timeout);
                }),
                broken("an exception for a url that is none", (whole, worker, timeout) -> {
                    if (worker.url().equals(ScriptedProbeContract.NO_URL)) {
                        throw new IllegalArgumentException("no url");
                    }
                    return whole.probe(worker, timeout);
                }),
                broken(
                        "a failure for an answer that is nonsense",
                        (whole, worker, timeout) -> worker.url().equals(ScriptedProbeContract.NONSENSE)
                                ? CompletableFuture.failedFuture(new IllegalStateException("no answer"))
                                : whole.probe(worker, timeout)),
                broken("unhealthy whoever does not answer at once", (whole, worker, timeout) -> {
                    CompletableFuture<HealthStatus> answer =
                            whole.probe(worker, timeout).toCompletableFuture();
                    return CompletableFuture.completedFuture(answer.getNow(HealthStatus.unhealthy("took a moment")));
                }),
                broken("an exception for a short timeout", (whole, worker, timeout) -> {
                    if (timeout.toMillis() == 0) {
                        throw new IllegalArgumentException("timeout must be > 0 ms");
                    }
                    return whole.probe(worker, timeout);
                }),
                broken("an overflow for a long timeout", (whole, worker, timeout) -> {
                    Math.toIntExact(timeout.toMillis());
                    return whole.probe(worker, timeout);
                }),
                brokenProbe("one answer for all who wait", sharing()),
                brokenProbe("one probe at a time", OneAtATime::new));
    }

    private static UnaryOperator<HealthProbe> sharing() {
        CompletableFuture<HealthStatus> shared = new CompletableFuture<>();
        return whole -> (worker, timeout) -> {
            CompletableFuture<HealthStatus> answer =
                    whole.probe(worker, timeout).toCompletableFuture();
            return answer.isDone() ? answer : shared;
        };
    }

    private static Fault broken(String what, UnaryOperator<CompletionStage<HealthStatus>> fault) {
        return broken(what, (whole, worker, timeout) -> fault.apply(whole.probe(worker, timeout)));
    }

    private static Fault broken(String what, Breaking fault) {
        return brokenProbe(what, whole -> (worker, timeout) -> fault.probe(whole, worker, timeout));
    }

    private static Fault brokenProbe(String what, UnaryOperator<HealthProbe> fault) {
        return new Fault(what, new ScriptedProbeContract(fault));
    }

    @FunctionalInterface
    private interface Breaking {
        CompletionStage<HealthStatus> probe(HealthProbe whole, WorkerInfo worker, Duration timeout);
    }

    /** Asks only when the last one has answered. */
    private static final class OneAtATime implements HealthProbe {
        private final HealthProbe whole;
        private CompletableFuture<?> last = CompletableFuture.completedFuture("none before");

        OneAtATime(HealthProbe whole) {
            this.whole = whole;
        }

        @Override
        public synchronized CompletionStage<HealthStatus> probe(WorkerInfo worker, Duration timeout) {
            CompletableFuture<HealthStatus> next =
                    last.handle((ended, failure) -> "ended").thenCompose(ended -> whole.probe(worker, timeout));
            last = next;
            return next;
        }
    }

    /** Tells each receiver twice. */
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

    /** Cannot be waited for, nor given up. */
    private static final class NoFuture extends CompletableFuture<HealthStatus> {
        NoFuture(CompletionStage<HealthStatus> once) {
            once.thenAccept(this::complete);
        }

        @Override
        public CompletableFuture<HealthStatus> toCompletableFuture() {
            throw new UnsupportedOperationException();
        }
    }
}
