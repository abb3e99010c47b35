package io.github.workerregistry.pool;

import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.pool.PoolConfig.Device;
import io.github.workerregistry.process.InheritedEnvironment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a running worker embodies of its model's spec. If it differs, only another process will do; everything else of a
 * spec applies without one.
 *
 * @param units claimed on each device
 * @param spanning number of devices
 */
record Revision(
        List<String> command,
        String url,
        Map<String, String> parameters,
        Map<String, String> environment,
        InheritedEnvironment inheritedEnvironment,
        Optional<Path> directory,
        boolean listenerOutsideTree,
        int slots,
        Map<String, String> labels,
        String backend,
        long units,
        int spanning) {

    static Revision of(ModelSpec spec) {
        WorkerSpec worker = spec.worker();
        return new Revision(
                worker.command(),
                worker.url(),
                worker.parameters(),
                worker.environment(),
                worker.inheritedEnvironment(),
                worker.directory(),
                worker.listenerOutsideTree(),
                worker.slots(),
                worker.labels(),
                spec.backend(),
                spec.units(),
                spec.spanning());
    }

    /** Whether a worker of a spec, placed there, is what another spec would start on these devices. */
    static boolean isCurrent(ModelSpec started, Placement placement, ModelSpec now, List<Device> devices) {
        return of(started).equals(of(now))
                && new Room(devices, 1).placements(now).contains(placement);
    }

    /** Whether two workers can run at the same time: each has a url of its own. */
    static boolean canSurge(ModelSpec spec) {
        return spec.worker().url().contains("{port}");
    }

    /** Whether loads that failed with a spec say nothing about another one. */
    static boolean deservesAnotherTry(ModelSpec failed, ModelSpec now) {
        return !of(failed).equals(of(now)) || !failed.worker().equals(now.worker());
    }
}
