package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import java.util.List;
import java.util.function.Predicate;

/** The records of a registry that one supervisor evaluates, see {@link RegistrySupervisors}. Thread-safe. */
final class SupervisedRecords {

    private final WorkerRegistry registry;
    private final Predicate<WorkerInfo> evaluated;

    SupervisedRecords(WorkerRegistry registry, Predicate<WorkerInfo> evaluated) {
        this.registry = registry;
        this.evaluated = evaluated;
    }

    /** Whether a record is one of them. */
    boolean include(WorkerInfo record) {
        return evaluated.test(record);
    }

    /** All of them at one moment, in registration order. */
    List<WorkerInfo> list() {
        return registry.list().stream().filter(evaluated).toList();
    }

    /** Those that are Idle. */
    List<WorkerInfo> idle() {
        return registry.idleWorkers().stream().filter(evaluated).toList();
    }
}
