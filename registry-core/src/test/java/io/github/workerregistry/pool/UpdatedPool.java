package io.github.workerregistry.pool;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.lifecycle.WorkerSpec;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/** A pool in virtual time whose config changes. The revision of a worker is the first argument of its command. */
final class UpdatedPool {

    final VirtualPool pool;

    UpdatedPool(long units, ModelSpec.Builder... models) {
        pool = new VirtualPool(VirtualPool.room(units, models));
    }

    /** A model whose workers can run beside one another. */
    static ModelSpec.Builder revision(String name, String revision) {
        return ModelSpec.builder(name).worker(WorkerSpec.builder().command("serve", revision, "{port}"));
    }

    /** A model whose workers have one url. */
    static ModelSpec.Builder fixed(String name, String revision) {
        return ModelSpec.builder(name)
                .worker(WorkerSpec.builder().command("serve", revision).url("http://fake"));
    }

    UpdateReport update(long units, ModelSpec.Builder... models) {
        return update(VirtualPool.room(units, models));
    }

    UpdateReport update(PoolConfig.Builder config) {
        UpdateReport report = pool.pool.update(config.build());
        pool.run();
        return report;
    }

    static CompletableFuture<Void> completion(UpdateReport report) {
        return report.completion().toCompletableFuture();
    }

    String revisionOf(String workerId) {
        return pool.processes.specOf(workerId).command().get(1);
    }

    String revisionOf(SlotLease lease) {
        return revisionOf(lease.workerId());
    }

    /** The revisions of the processes that run, in the order of their starts. */
    List<String> running() {
        return pool.processes.running().stream().map(this::revisionOf).toList();
    }
}
