package io.github.workerregistry.testing.contract;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.BooleanSupplier;
import java.util.function.UnaryOperator;

/** The contract of a scripted probe, optionally with an injected fault. */
class ScriptedProbeContract extends HealthProbeContract {

    static final String NO_SERVER = "http://no-server";
    static final String INVALID_ANSWER = "http://invalid-answer";
    static final String NO_URL = "no url";
    private static final String URL = "http://worker";
    private static final String SLOW = "http://slow";

    private final ScriptedHealthProbe script = new ScriptedHealthProbe();
    private final HealthProbe probe;
    private final List<CompletableFuture<HealthStatus>> slowAnswers = new CopyOnWriteArrayList<>();

    ScriptedProbeContract() {
        this(UnaryOperator.identity());
    }

    ScriptedProbeContract(UnaryOperator<HealthProbe> fault) {
        probe = fault.apply(this::ask);
    }

    private CompletionStage<HealthStatus> ask(WorkerInfo worker, Duration timeout) {
        CompletionStage<HealthStatus> answer = script.probe(worker, timeout);
        if (worker.url().equals(SLOW)) {
            slowAnswers.add(answer.toCompletableFuture());
        }
        return answer;
    }

    @Override
    protected HealthProbe probe() {
        return probe;
    }

    @Override
    protected WorkerInfo healthy(String id) {
        script.answer(id, HealthStatus.healthy());
        return worker(id, URL);
    }

    @Override
    protected Optional<WorkerInfo> unhealthy(String id) {
        return unhealthy(id, URL, "out of memory");
    }

    /** The script ignores the url: the answer is that of a worker without a server. */
    @Override
    protected Optional<WorkerInfo> exited(String id) {
        return unhealthy(id, NO_SERVER, "connection refused");
    }

    @Override
    protected Optional<WorkerInfo> malformed(String id) {
        return unhealthy(id, INVALID_ANSWER, "no answer");
    }

    @Override
    protected Optional<WorkerInfo> invalidUrl(String id) {
        return unhealthy(id, NO_URL, "no url");
    }

    private Optional<WorkerInfo> unhealthy(String id, String url, String reason) {
        script.answer(id, HealthStatus.unhealthy(reason));
        return Optional.of(worker(id, url));
    }

    @Override
    protected Optional<WorkerInfo> silent(String id) {
        script.hang(id);
        return Optional.of(worker(id, URL));
    }

    @Override
    protected Optional<WorkerInfo> slow(String id) {
        script.hang(id);
        return Optional.of(worker(id, SLOW));
    }

    /** Completes the slow answers; all others are complete already, or never complete. */
    @Override
    protected boolean awaitTrue(BooleanSupplier condition, Duration atMost) {
        slowAnswers.forEach(answer -> answer.complete(HealthStatus.healthy()));
        return condition.getAsBoolean();
    }
}
