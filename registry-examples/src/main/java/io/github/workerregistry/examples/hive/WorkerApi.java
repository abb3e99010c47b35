package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.Answer;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.Fields;
import io.github.workerregistry.examples.http.JsonLists;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** The endpoints of the hive for clients and workers. */
final class WorkerApi {

    /** The response to a spawn. */
    record Spawned(String workerId, String url, String state) {}

    /** The response to a delete or a restart. The state is the action that was started, not a worker state. */
    record Begun(String workerId, String state) {}

    private final WorkerRegistry registry;
    private final WorkerSupervisor supervisor;
    private final WorkerLauncher launcher;
    private final JsonLists lists = new JsonLists();
    private final Instant startedAt;

    WorkerApi(WorkerRegistry registry, WorkerSupervisor supervisor, WorkerLauncher launcher) {
        this.registry = registry;
        this.supervisor = supervisor;
        this.launcher = launcher;
        this.startedAt = registry.clock().instant();
    }

    Answer spawn(Exchange exchange, Fields fields) {
        WorkerInfo worker = launcher.spawn(SpawnRequest.of(fields));
        return Answer.ok(new Spawned(worker.id(), worker.url(), worker.state().label()));
    }

    /**
     * The ready call of a worker. It must repeat the values that the worker was started with, so that a stray call
     * makes no other worker ready.
     */
    Answer ready(Exchange exchange, Fields fields) {
        ReadyRequest request = ReadyRequest.of(fields);
        WorkerInfo worker = registry.get(request.workerId()).orElseThrow(Refusal::noSuchWorker);
        requireSame("url", worker.url(), request.url());
        requireSame("model_ref", worker.modelRef(), request.modelRef());
        if (!isReadyNow(request)) {
            throw new Refusal(409, "not_loading", "this worker is stopping, backing off, or of another generation");
        }
        return Answer.ok(Map.of("message", "worker " + request.workerId() + " is ready"));
    }

    private boolean isReadyNow(ReadyRequest request) {
        return request.generation()
                .map(generation -> supervisor.reportReady(request.workerId(), generation))
                .orElseGet(() -> supervisor.reportReady(request.workerId()));
    }

    private static void requireSame(String field, String known, String said) {
        if (!known.equals(said)) {
            throw new Refusal(409, "mismatch", field + " differs from the value that this worker was started with");
        }
    }

    void list(Exchange exchange) {
        Instant now = registry.clock().instant();
        lists.write(
                exchange,
                "workers",
                registry.list().stream()
                        .map(worker -> WorkerJson.of(worker, now))
                        .iterator());
    }

    Answer get(Exchange exchange) {
        return Answer.ok(WorkerJson.of(worker(exchange), registry.clock().instant()));
    }

    /** Starts to stop a worker and does not wait: the list and the exits show the outcome. */
    Answer delete(Exchange exchange) {
        boolean force = flag(exchange, "force");
        String id = worker(exchange).id();
        if (force) {
            supervisor.forceKill(id);
        } else {
            supervisor.stop(id);
        }
        return Answer.accepted(new Begun(id, "stopping"));
    }

    /** Starts to restart a worker, at an operator's request: the list shows the outcome. */
    Answer restart(Exchange exchange) {
        String id = worker(exchange).id();
        supervisor.restart(id);
        return Answer.accepted(new Begun(id, "restarting"));
    }

    /** A heartbeat of a worker. Once it has sent one, it must keep sending them. */
    Answer heartbeat(Exchange exchange) {
        if (!registry.heartbeat(exchange.path("id"))) {
            throw Refusal.noSuchWorker();
        }
        return Answer.none();
    }

    Answer stats(Exchange exchange) {
        Instant now = registry.clock().instant();
        return Answer.ok(StatsJson.of(
                registry.stats(),
                registry.list(),
                supervisor.orphansAtStart().ended().size(),
                Duration.between(startedAt, now),
                now));
    }

    void exits(Exchange exchange) {
        lists.write(
                exchange,
                "exits",
                supervisor.recentExits().stream().map(ExitJson::of).iterator());
    }

    Answer health(Exchange exchange) {
        return Answer.ok(HealthJson.of(registry.stats()));
    }

    private WorkerInfo worker(Exchange exchange) {
        return registry.get(exchange.path("id")).orElseThrow(Refusal::noSuchWorker);
    }

    private static boolean flag(Exchange exchange, String name) {
        String value = exchange.query(name).orElse("false");
        if (value.equals("false")) {
            return false;
        }
        if (value.equals("true")) {
            return true;
        }
        throw Refusal.invalid(name + " must be true or false");
    }
}
