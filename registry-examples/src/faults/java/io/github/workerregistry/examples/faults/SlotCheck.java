package io.github.workerregistry.examples.faults;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import java.util.ArrayList;
import java.util.List;

/** After the release of all leases, no slot may be in use, and each slot must be acquirable exactly once. */
final class SlotCheck {

    private final WorkerRegistry registry;
    private final Remarks remarks;

    SlotCheck(WorkerRegistry registry, Remarks remarks) {
        this.registry = registry;
        this.remarks = remarks;
    }

    /** Number of missing or surplus slots. */
    long slotsOff() {
        long off = 0;
        for (WorkerInfo worker : registry.list()) {
            if (worker.state().routable()) {
                off += slotsOff(worker);
            }
        }
        long inUse = registry.stats().slotsInUse();
        if (inUse != 0) {
            remarks.add("when all leases are back, the statistics have " + inUse + " slots in use");
        }
        return Math.max(off, inUse);
    }

    private long slotsOff(WorkerInfo worker) {
        List<SlotLease> all = new ArrayList<>();
        while (all.size() <= worker.slotsTotal()) {
            SlotLease lease = registry.tryAcquireFrom(worker.id()).orElse(null);
            if (lease == null) {
                break;
            }
            all.add(lease);
        }
        boolean isThere = registry.get(worker.id())
                .filter(now ->
                        now.generation() == worker.generation() && now.state().routable())
                .isPresent();
        all.forEach(SlotLease::close);
        long off = isThere ? worker.slotsInUse() + Math.abs(worker.slotsTotal() - (long) all.size()) : 0;
        if (off > 0) {
            remarks.add(all.size() + " slots can be taken of " + worker);
        }
        return off;
    }
}
