package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.testing.VirtualTime;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.Supplier;

/** Reads of workers, each compared with the model. A read records the time of the work since the last read. */
final class ModelCheckedReads {

    private final VirtualTime time;
    private final WorkerRegistry registry;
    private final RegistryModel model;

    ModelCheckedReads(RegistryWithModel both) {
        this.time = both.time();
        this.registry = both.registry();
        this.model = both.model();
    }

    void readAgain(String id) {
        ModelledWorker worker = model.get(id);
        Optional<WorkerInfo> seen = registry.get(id);
        if (worker != null) {
            worker.read(time.instant());
        }
        assertThat(seen).isEqualTo(Optional.ofNullable(worker).map(ModelledWorker::info));
    }

    void readAllOf(String modelRef) {
        List<WorkerInfo> seen = registry.list(modelRef);
        model.of(modelRef).forEach(worker -> worker.read(time.instant()));
        assertThat(seen).isEqualTo(model.infos(worker -> worker.modelRef.equals(modelRef)));
    }

    void findIdle(String modelRef) {
        Optional<WorkerInfo> found = registry.findIdleWorker(modelRef);
        List<ModelledWorker> idle = model.of(modelRef)
                .filter(worker -> worker.state instanceof Idle && worker.checking.isEmpty())
                .toList();
        assertThat(found.isPresent()).isEqualTo(!idle.isEmpty());
        found.ifPresent(worker -> {
            assertThat(idle).contains(model.get(worker.id()));
            wasRead(worker);
        });
    }

    void findOnNode(String node, String modelRef) {
        Optional<WorkerInfo> found = registry.findByNodeAndModel(node, modelRef);
        if (node.equals("here")) {
            model.of(modelRef).forEach(worker -> worker.read(time.instant()));
            int best =
                    model.of(modelRef).mapToInt(ModelCheckedReads::rank).max().orElse(0);
            assertThat(found.map(worker -> rank(model.get(worker.id()))).orElse(0))
                    .isEqualTo(best);
            found.ifPresent(this::wasRead);
        } else {
            assertThat(found).isEmpty();
        }
    }

    /** Rank of a worker in a query for one of its model. */
    private static int rank(ModelledWorker worker) {
        return switch (worker.state.label()) {
            case "idle" -> worker.checking.isPresent() ? 2 : 4;
            case "busy" -> worker.inUse == worker.slots || worker.checking.isPresent() ? 2 : 3;
            case "loading" -> 1;
            default -> 0;
        };
    }

    private void wasRead(WorkerInfo seen) {
        ModelledWorker worker = model.get(seen.id());
        worker.read(time.instant());
        assertThat(seen).isEqualTo(worker.info());
    }

    void readAll() {
        compare(registry::list, worker -> true);
    }

    void readAllIdle() {
        compare(registry::idleWorkers, worker -> worker.state instanceof Idle);
    }

    private void compare(Supplier<List<WorkerInfo>> query, Predicate<ModelledWorker> wanted) {
        List<WorkerInfo> seen = query.get();
        model.members.values().forEach(worker -> worker.read(time.instant()));
        assertThat(seen).isEqualTo(model.infos(wanted));
    }
}
