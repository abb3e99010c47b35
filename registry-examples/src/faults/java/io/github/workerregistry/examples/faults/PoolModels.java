package io.github.workerregistry.examples.faults;

import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.pool.ModelSpec;
import io.github.workerregistry.pool.PoolConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The config of the model pool: six models, room for three. Not thread-safe, except {@link #failLoads}. */
final class PoolModels {

    static final int ROOM = 3;
    static final List<String> NAMES = List.of("model-a", "model-b", "model-c", "model-d", "model-e", "model-f");

    /** The label of a worker that says with which revision of its model it was started. */
    static final String REVISION = "revision";

    /** Exits before it is ready if the file of the model exists; replaces itself otherwise, so the pid stays. */
    private static final String SCRIPT = "[ -e \"$1\" ] && exit " + FaultWorker.CRASH_CODE + "; shift; exec \"$@\"";

    private static final Duration MAX_WAIT = Duration.ofMillis(300);
    private static final Duration RESIDENCY = Duration.ofMillis(300);
    private static final RestartPolicy RESTART = RestartPolicy.builder()
            .initial(Duration.ofMillis(100))
            .max(Duration.ofMillis(400))
            .stableAfter(Duration.ofMillis(500))
            .limit(1000) // never reached: none would be loaded again
            .build();

    private final String runId;
    private final Path directory;
    private final Map<String, Integer> revisions = new HashMap<>();

    /**
     * The first revision of each model.
     *
     * @param directory empty; holds the files that make loads fail
     */
    PoolModels(String runId, Path directory) {
        this.runId = runId;
        this.directory = directory;
        NAMES.forEach(name -> revisions.put(name, 1));
    }

    /** In the command line of each process of the pool, and of no other. */
    static String mark(String runId) {
        return "-Dfault.run.pool=" + runId;
    }

    /** The config with a changed command of this model. */
    PoolConfig revise(String model) {
        revisions.merge(model, 1, Integer::sum);
        return config();
    }

    PoolConfig config() {
        PoolConfig.Builder config = PoolConfig.builder().device("cpu", 0, ROOM).maxWait(MAX_WAIT);
        NAMES.forEach(name -> config.model(model(name, Integer.toString(revisions.get(name)))));
        return config.build();
    }

    private ModelSpec model(String name, String revision) {
        List<String> command = new ArrayList<>(
                List.of("sh", "-c", SCRIPT, mark(runId), file(name).toString()));
        command.addAll(FaultWorker.command());
        command.addAll(command.indexOf("-cp"), List.of(mark(runId), "-Drevision=" + revision));
        return ModelSpec.builder(name)
                .minResidency(RESIDENCY)
                .worker(WorkerSpec.builder()
                        .command(command)
                        .slots(2)
                        .label(REVISION, revision)
                        .environment(Crew.MARK, runId)
                        .restartPolicy(RESTART))
                .build();
    }

    private Path file(String model) {
        return directory.resolve(model);
    }

    /** From now on, the loads of a model fail, or do not any more. */
    void failLoads(String model, boolean fail) {
        try {
            if (fail) {
                Files.createFile(file(model));
            } else {
                Files.delete(file(model));
            }
        } catch (IOException e) {
            throw new IllegalStateException("cannot change how " + model + " loads", e);
        }
    }
}
