package io.github.workerregistry.examples.hive;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.http.Fields;
import io.github.workerregistry.examples.http.Refusal;
import io.github.workerregistry.examples.http.RequestBody;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.javalin.http.Context;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** The endpoints of the hive for clients and workers, except execute, which is {@link ExecuteProxy}. */
final class WorkerApi {

    /** The response to a spawn. */
    record Spawned(String workerId, String url, String state) {}

    /** The response to a delete or a restart. The state is the action that was started, not a worker state. */
    record Begun(String workerId, String state) {}

    private final WorkerRegistry registry;
    private final WorkerSupervisor supervisor;
    private final WorkerLauncher launcher;
    private final Instant startedAt;

    WorkerApi(WorkerRegistry registry, WorkerSupervisor supervisor, WorkerLauncher launcher) {
        this.registry = registry;
        this.supervisor = supervisor;
        this.launcher = launcher;
        this.startedAt = registry.clock().instant();
    }

    void spawn(Context ctx) {
        WorkerInfo worker = launcher.spawn(SpawnRequest.of(Fields.parse(RequestBody.json(ctx))));
        ctx.json(new Spawned(worker.id(), worker.url(), worker.state().label()));
    }

    /**
     * The ready call of a worker. It must repeat the values that the worker was started with, so that a stray call
     * makes no other worker ready.
     */
    void ready(Context ctx) {
        ReadyRequest request = ReadyRequest.of(Fields.parse(RequestBody.json(ctx)));
        WorkerInfo worker = registry.get(request.workerId()).orElseThrow(Refusal::noSuchWorker);
        requireSame("url", worker.url(), request.url());
        requireSame("model_ref", worker.modelRef(), request.modelRef());
        if (!isReadyNow(request)) {
            throw new Refusal(409, "not_loading", "this worker is stopping, backing off, or of another generation");
        }
        ctx.json(Map.of("message", "worker " + request.workerId() + " is ready"));
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

    void list(Context ctx) {
        Instant now = registry.clock().instant();
        List<WorkerJson> workers = registry.list().stream()
                .map(worker -> WorkerJson.of(worker, now))
                .toList();
        ctx.json(Map.of("workers", workers));
    }

    void get(Context ctx) {
        ctx.json(WorkerJson.of(worker(ctx), registry.clock().instant()));
    }

    /** Starts to stop a worker and does not wait: the list and the exits show the outcome. */
    void delete(Context ctx) {
        boolean force = flag(ctx, "force");
        String id = worker(ctx).id();
        if (force) {
            supervisor.forceKill(id);
        } else {
            supervisor.stop(id);
        }
        ctx.status(202).json(new Begun(id, "stopping"));
    }

    /** Starts to restart a worker, at an operator's request: the list shows the outcome. */
    void restart(Context ctx) {
        String id = worker(ctx).id();
        supervisor.restart(id);
        ctx.status(202).json(new Begun(id, "restarting"));
    }

    /** A heartbeat of a worker. Once it has sent one, it must keep sending them. */
    void heartbeat(Context ctx) {
        if (!registry.heartbeat(ctx.pathParam("id"))) {
            throw Refusal.noSuchWorker();
        }
        ctx.status(204);
    }

    void stats(Context ctx) {
        Instant now = registry.clock().instant();
        ctx.json(StatsJson.of(
                registry.stats(),
                registry.list(),
                supervisor.orphansAtStart().ended().size(),
                Duration.between(startedAt, now),
                now));
    }

    void exits(Context ctx) {
        ctx.json(Map.of(
                "exits", supervisor.recentExits().stream().map(ExitJson::of).toList()));
    }

    void health(Context ctx) {
        ctx.json(HealthJson.of(registry.stats()));
    }

    private WorkerInfo worker(Context ctx) {
        return registry.get(ctx.pathParam("id")).orElseThrow(Refusal::noSuchWorker);
    }

    private static boolean flag(Context ctx, String name) {
        String value = ctx.queryParam(name);
        if (value == null || value.equals("false")) {
            return false;
        }
        if (value.equals("true")) {
            return true;
        }
        throw Refusal.invalid(name + " must be true or false");
    }
}
