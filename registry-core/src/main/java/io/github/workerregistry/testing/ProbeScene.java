package io.github.workerregistry.testing;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** What one check plays with: a probe, and workers of its own. */
final class ProbeScene implements AutoCloseable {

    /** How long an answer may take that is expected. */
    static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final HealthProbeContract contract;
    private final HealthProbe probe;
    private final PromptCalls calls;
    private final List<Question> asked = new CopyOnWriteArrayList<>();

    ProbeScene(HealthProbeContract contract) {
        this.contract = contract;
        this.probe = contract.probe();
        this.calls = new PromptCalls(contract.callLimit());
    }

    WorkerInfo healthy(String id) {
        return contract.healthy(id);
    }

    /** What a hook makes, if there is such a thing. */
    WorkerInfo given(String hook, Function<HealthProbeContract, Optional<WorkerInfo>> worker) {
        return worker.apply(contract).orElseThrow(() -> NotApplicableException.nothingOf(hook));
    }

    WorkerInfo silent(String id) {
        return given("silent", hooks -> hooks.silent(id));
    }

    Question ask(WorkerInfo worker, Duration timeout) {
        return new Question(calls.get("probe()", () -> probe.probe(worker, timeout)));
    }

    /** Asks all of them at the same moment, each on a thread of its own. */
    List<Question> askAtOnce(List<WorkerInfo> workers) {
        List<WorkerInfo> left = new CopyOnWriteArrayList<>(workers);
        return calls.atOnce(workers.size(), "probe()", () -> probe.probe(left.remove(0), TIMEOUT)).stream()
                .map(Question::new)
                .toList();
    }

    /** The answer to a question that has to be answered. */
    HealthStatus answerOf(WorkerInfo worker) {
        return ask(worker, TIMEOUT).answer();
    }

    void notSoon(String expectation, BooleanSupplier condition) {
        contract.requireNotSoon(expectation, condition);
    }

    @Override
    public void close() throws Exception {
        try {
            asked.forEach(question -> question.future.cancel(true));
        } finally {
            calls.close();
            contract.afterCheck();
        }
    }

    /** A probe under way. */
    final class Question {
        private final CompletableFuture<HealthStatus> future;
        private final List<Optional<HealthStatus>> answers = new CopyOnWriteArrayList<>();
        private final List<Throwable> failures = new CopyOnWriteArrayList<>();

        Question(CompletionStage<HealthStatus> stage) {
            future = calls.get("toCompletableFuture() of the stage", stage::toCompletableFuture);
            asked.add(this);
            calls.run("whenComplete of the stage", () -> stage.whenComplete(this::hear));
        }

        private void hear(@Nullable HealthStatus status, @Nullable Throwable failure) {
            if (failure != null) {
                failures.add(failure);
            } else {
                answers.add(Optional.ofNullable(status));
            }
        }

        boolean isOver() {
            return !answers.isEmpty() || !failures.isEmpty();
        }

        /** How often the end of the question was told. */
        int ends() {
            return answers.size() + failures.size();
        }

        /** Waits at most for so long; true if the question was over by then. */
        boolean isOverWithin(Duration time) {
            return contract.comesTrue(this::isOver, time);
        }

        HealthStatus answer() {
            if (!isOverWithin(contract.patience())) {
                throw new AssertionError("expected an answer within " + contract.patience() + ", but none came");
            }
            return answerNow();
        }

        HealthStatus answerNow() {
            if (!failures.isEmpty()) {
                Throwable failure = failures.get(0);
                throw new AssertionError("expected an answer, but the stage failed with " + failure, failure);
            }
            List<Optional<HealthStatus>> heard = new ArrayList<>(answers);
            Expect.that(!heard.isEmpty(), "an answer to be there");
            return heard.get(0)
                    .orElseThrow(() -> new AssertionError("expected an answer, but the stage completed with null"));
        }

        /** Drops the question as the supervisor does when its time is over. */
        void drop() {
            calls.run("cancel of the future", () -> future.cancel(true));
            Expect.that(future.isDone(), "the future to be done once it is cancelled");
        }
    }
}
