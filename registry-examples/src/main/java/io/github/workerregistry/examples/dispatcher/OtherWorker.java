package io.github.workerregistry.examples.dispatcher;

import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.WorkerRegistry;

/** Chooses what a request that lost its worker asks for next. */
final class OtherWorker {

    private OtherWorker() {}

    /** The request without the lost worker; the same request if no other one serves it: then it waits for a restart. */
    static SlotRequest of(WorkerRegistry registry, SlotRequest request, String lost) {
        SlotRequest without = request.excluding(lost);
        return registry.list(request.modelRef()).stream().anyMatch(without::matches) ? without : request;
    }
}
