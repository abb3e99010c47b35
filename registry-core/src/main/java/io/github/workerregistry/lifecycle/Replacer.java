package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.process.SpawnException;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Begins replacements of workers, by another worker or in place; one at a time of each worker. Thread-safe. */
final class Replacer implements Tick {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final WorkerRegistry registry;
    private final SupervisedWorkers workers;
    private final Spawner spawner;
    private final Stopper stopper;
    private final RestartLoop restarts;
    private final Executor blocking;

    /** Those that have not ended, by the serial executor of the worker, which no other worker shares. */
    private final ConcurrentMap<SerialExecutor, Replacement> open = new ConcurrentHashMap<>();

    Replacer(
            WorkerRegistry registry,
            SupervisedWorkers workers,
            Spawner spawner,
            Stopper stopper,
            RestartLoop restarts,
            Executor blocking) {
        this.registry = registry;
        this.workers = workers;
        this.spawner = spawner;
        this.stopper = stopper;
        this.restarts = restarts;
        this.blocking = blocking;
    }

    /** By another worker. */
    CompletableFuture<WorkerInfo> replace(String id, WorkerSpec spec) {
        return begin(
                id, spec, replacement -> new SurgeReplacement(replacement, registry, spawner, stopper).begin(blocking));
    }

    /** By the worker's own next generation. */
    CompletableFuture<WorkerInfo> replaceInPlace(String id, WorkerSpec spec) {
        if (!spec.id().orElse(id).equals(id)) {
            throw new IllegalArgumentException("the id of the spec must be that of the worker, " + id
                    + ", or missing, was " + spec.id().get());
        }
        return begin(id, spec, replacement -> {
            requirePort(replacement.replaced(), spec);
            new InPlaceReplacement(replacement, spawner, stopper, restarts).begin();
        });
    }

    private CompletableFuture<WorkerInfo> begin(String id, WorkerSpec spec, Consumer<Replacement> beginning) {
        SupervisedWorker worker = workers.get(id);
        if (worker == null) {
            return CompletableFuture.failedFuture(new NoSuchWorkerException(id));
        }
        requireModel(worker, spec);
        SerialExecutor key = worker.series.serialExecutor();
        Replacement replacement = new Replacement(worker, spec, ended -> open.remove(key, ended));
        if (worker.isReplacing() || open.putIfAbsent(key, replacement) != null) {
            return CompletableFuture.failedFuture(
                    new IllegalStateException("a replacement of worker " + id + " has begun and has not ended"));
        }
        try {
            beginning.accept(replacement);
        } catch (Throwable t) {
            replacement.fail(t);
            throw t;
        }
        return replacement.result();
    }

    private static void requireModel(SupervisedWorker worker, WorkerSpec spec) {
        String modelRef = worker.series.spec().modelRef();
        if (!spec.modelRef().equals(modelRef)) {
            throw new IllegalArgumentException("the modelRef of the spec must be that of worker " + worker.id + ", "
                    + modelRef + ", was " + spec.modelRef());
        }
    }

    private static void requirePort(SupervisedWorker worker, WorkerSpec spec) {
        if (Placeholders.needPort(spec) && worker.launch.port().isEmpty()) {
            throw new IllegalArgumentException("the spec must not use {port}: worker " + worker.id
                    + " has no port to keep, because it was spawned without {port}");
        }
    }

    /** The executor may have ended before it ran the start of a new worker: fails its replacement. */
    @Override
    public void tick(Instant now) {
        for (Replacement replacement : open.values()) {
            if (replacement.waitsForStart() && hasExecutorEnded(replacement) && replacement.waitsForStart()) {
                List<String> command = replacement.spec().command();
                replacement.fail(new SpawnException(command, "the executor for it has ended", null));
            }
        }
    }

    @Override
    public void late(Instant now) {
        tick(now);
    }

    private boolean hasExecutorEnded(Replacement replacement) {
        try {
            return spawner.hasExecutorEnded();
        } catch (Throwable t) { // foreign code
            replacement.replaced().warnOnce(log, "worker {}: cannot tell whether its replacement will start", t);
            return false;
        }
    }

    /** The supervisor has shut down: fails those whose start has not run. */
    void close() {
        DeferredCallBacks.run(this::failOpen); // after the decision about the last exit, which fails its replacement
    }

    private void failOpen() {
        List.copyOf(open.values())
                .forEach(replacement -> replacement.fail(new IllegalStateException("the supervisor has shut down")));
    }
}
