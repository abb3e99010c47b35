package io.github.workerregistry.examples.bench;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import java.time.Instant;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The heap size of a registered worker, and the time to list all workers.
 *
 * <p>As in a real hive, workers share the strings of url, model and backend, and do not share id, state and times. So
 * the size without the id is that of the worker's record and the registry's structures.
 */
final class Footprint {

    private static final int MODELS = 1000;
    private static final int LISTS = 11;

    private final int workers;

    Footprint(int workers) {
        this.workers = workers;
    }

    void measure(Figures figures) {
        String[] models = IntStream.range(0, MODELS)
                .mapToObj(i -> "hf:TheBloke/Model-" + i)
                .toArray(String[]::new);
        String[] ids = new String[workers];
        WorkerRegistry registry = WorkerRegistry.create();

        long empty = heap();
        for (int i = 0; i < workers; i++) {
            ids[i] = String.format("worker-%07d", i);
        }
        long withIds = heap();
        for (int i = 0; i < workers; i++) {
            registry.register(WorkerInfo.builder()
                    .id(ids[i])
                    .url("http://127.0.0.1:8100")
                    .modelRef(models[i % MODELS])
                    .state(new Idle())
                    .startedAt(Instant.now())
                    .build());
        }
        long full = heap();

        figures.put("worker beyond its strings bytes", (double) (full - withIds) / workers);
        figures.put("worker with its id bytes", (double) (full - empty) / workers);
        figures.putSpread("list of " + workers, "ms", 1e6, listTimes(registry));
    }

    private long[] listTimes(WorkerRegistry registry) {
        long[] times = new long[LISTS];
        for (int i = 0; i < LISTS; i++) {
            long start = System.nanoTime();
            List<WorkerInfo> all = registry.list();
            times[i] = System.nanoTime() - start;
            if (all.size() != workers) {
                throw new IllegalStateException("expected " + workers + " workers, found " + all.size());
            }
        }
        return times;
    }

    /** The used heap after a full collection. */
    private static long heap() {
        Runtime runtime = Runtime.getRuntime();
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return runtime.totalMemory() - runtime.freeMemory();
    }
}
