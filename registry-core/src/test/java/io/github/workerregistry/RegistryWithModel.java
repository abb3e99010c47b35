package io.github.workerregistry;

import io.github.workerregistry.testing.VirtualTime;

/** A registry in virtual time, and the model that every step is also done on. */
record RegistryWithModel(VirtualTime time, WorkerRegistry registry, RegistryModel model) {

    Supervision supervision() {
        return registry.supervision();
    }
}
