package io.github.workerregistry.testing.contract;

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

/** The fixture of one check: a probe and its own workers. */
final class ProbeScene implements AutoCloseable {

    /** The timeout of an expected answer. */
    static final Duration TIMEOUT = Duration.ofSeconds(10);

    private final HealthProbeContract contract;
    private final HealthProbe probe;
    private final PromptCalls calls;
    private final List<PendingProbe> started = new CopyOnWriteArrayList<>();

    ProbeScene(HealthProbeContract contract) {
        this.contract = contract;
        this.probe = contract.probe();
        this.calls = new PromptCalls(contract.callLimit());
    }

    WorkerInfo healthy(String id) {
        return contract.healthy(id);
    }

    /** The result of a hook; ends the check as not applicable if it is empty. */
    WorkerInfo given(String hook, Function<HealthProbeContract, Optional<WorkerInfo>> worker) {
        return worker.apply(contract).orElseThrow(() -> NotApplicableException.emptyHook(hook));
    }

    WorkerInfo silent(String id) {
        return given("silent", hooks -> hooks.silent(id));
    }

    PendingProbe probe(WorkerInfo worker, Duration timeout) {
        return new PendingProbe(calls.get("probe()", () -> probe.probe(worker, timeout)));
    }

    /** Probes all workers concurrently, each on its own thread. */
    List<PendingProbe> probeConcurrently(List<WorkerInfo> workers) {
        List<WorkerInfo> left = new CopyOnWriteArrayList<>(workers);
        return calls.concurrently(workers.size(), "probe()", () -> probe.probe(left.remove(0), TIMEOUT)).stream()
                .map(PendingProbe::new)
                .toList();
    }

    /** Probes a worker and waits for the answer. */
    HealthStatus answerOf(WorkerInfo worker) {
        return probe(worker, TIMEOUT).answer();
    }

    void notSoon(String expectation, BooleanSupplier condition) {
        contract.requireNotSoon(expectation, condition);
    }

    @Override
    public void close() throws Exception {
        try {
            started.forEach(pending -> pending.future.cancel(true));
        } finally {
            calls.close();
            contract.afterCheck();
        }
    }

    /** A pending probe. */
    final class PendingProbe {
        private final CompletableFuture<HealthStatus> future;
        private final List<Optional<HealthStatus>> answers = new CopyOnWriteArrayList<>();
        private final List<Throwable> failures = new CopyOnWriteArrayList<>();

        PendingProbe(CompletionStage<HealthStatus> stage) {
            future = calls.get("toCompletableFuture() of the stage", stage::toCompletableFuture);
            started.add(this);
            calls.run("whenComplete of the stage", () -> stage.whenComplete(this::record));
        }

        private void record(@Nullable HealthStatus status, @Nullable Throwable failure) {
            if (failure != null) {
                failures.add(failure);
            } else {
                answers.add(Optional.ofNullable(status));
            }
        }

        boolean isComplete() {
            return !answers.isEmpty() || !failures.isEmpty();
        }

        /** Number of completions that the stage reported. */
        int completions() {
            return answers.size() + failures.size();
        }

        /** Waits at most for this time; true if the probe has completed. */
        boolean completesWithin(Duration time) {
            return contract.awaitTrue(this::isComplete, time);
        }

        HealthStatus answer() {
            if (!completesWithin(contract.timeout())) {
                throw new AssertionError(
                        "expected an answer within " + contract.timeout() + ", but the stage did not complete");
            }
            return answerNow();
        }

        HealthStatus answerNow() {
            if (!failures.isEmpty()) {
                Throwable failure = failures.get(0);
                throw new AssertionError("expected an answer, but the stage failed with " + failure, failure);
            }
            List<Optional<HealthStatus>> recorded = new ArrayList<>(answers);
            Expect.that(!recorded.isEmpty(), "at least one answer");
            return recorded.get(0)
                    .orElseThrow(() -> new AssertionError("expected an answer, but the stage completed with null"));
        }

        /** Cancels the probe, as the supervisor does at the timeout. */
        void cancel() {
            calls.run("cancel of the future", () -> future.cancel(true));
            Expect.that(future.isDone(), "the future to be done after its cancellation");
        }
    }
}
