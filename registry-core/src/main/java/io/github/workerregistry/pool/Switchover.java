package io.github.workerregistry.pool;

import io.github.workerregistry.pool.Plan.Switch;
import io.github.workerregistry.pool.WorkerSnapshot.Phase;
import java.util.ArrayList;
import java.util.List;

/**
 * When workers of an earlier revision make way: as soon as one of the present revision is ready. Until then that one is
 * held, so no slot of the earlier revision is leased after the first of the present one.
 */
final class Switchover {

    private Switchover() {}

    static List<Switch> plan(List<ModelSnapshot> models) {
        List<Switch> found = new ArrayList<>();
        for (ModelSnapshot model : models) {
            List<WorkerSnapshot> ready = model.workers().stream()
                    .filter(worker -> worker.phase() == Phase.READY && !worker.outdated())
                    .toList();
            List<WorkerSnapshot> closed = model.workers().stream()
                    .filter(worker -> worker.isLive() && worker.outdated())
                    .toList();
            List<WorkerSnapshot> opened =
                    ready.stream().filter(WorkerSnapshot::held).toList();
            if (!opened.isEmpty() || (!ready.isEmpty() && !closed.isEmpty())) {
                found.add(new Switch(model.modelRef(), closed, opened));
            }
        }
        return found;
    }
}
