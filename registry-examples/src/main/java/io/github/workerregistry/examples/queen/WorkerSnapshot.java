package io.github.workerregistry.examples.queen;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonPropertyOrder;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.examples.http.ForeignText;
import java.util.Set;

/**
 * A worker in a snapshot: the fields that are needed for routing. In JSON it is an array, in the order of the
 * components. Pids, health checks and times are not included.
 *
 * <p>A million workers have few different models, backends and states, so they share those strings.
 *
 * @param id as in {@link WorkerInfo}, like the others
 * @param url its url for the hive, which need not be reachable from other machines
 * @param modelRef the model
 * @param backend what it computes on
 * @param device the index of the device
 * @param state {@code loading}, {@code idle}, {@code busy}, {@code backing_off} or {@code stopping}
 * @param slotsTotal &ge; 1
 * @param slotsAvailable 0 to {@code slotsTotal}; 0 unless idle or busy
 * @param generation &ge; 0
 */
@JsonFormat(shape = JsonFormat.Shape.ARRAY)
@JsonPropertyOrder({"id", "url", "modelRef", "backend", "device", "state", "slotsTotal", "slotsAvailable", "generation"
})
record WorkerSnapshot(
        String id,
        String url,
        String modelRef,
        String backend,
        int device,
        String state,
        int slotsTotal,
        int slotsAvailable,
        int generation) {

    static final String LOADING = "loading";
    static final String IDLE = "idle";
    static final String BUSY = "busy";

    private static final Set<String> STATES = Set.of(LOADING, IDLE, BUSY, "backing_off", "stopping");

    /** Rejects invalid values, with the name of the parameter. */
    WorkerSnapshot {
        ForeignText.requireName(id, "id");
        ForeignText.requireName(url, "url");
        modelRef = ForeignText.requireName(modelRef, "model_ref").intern();
        backend = ForeignText.requireName(backend, "backend").intern();
        if (state == null || !STATES.contains(state)) {
            throw new IllegalArgumentException("unknown state '" + state + "'");
        }
        state = state.intern();
        int mostFree = routable(state) ? slotsTotal : 0;
        if (device < 0 || generation < 0 || slotsTotal < 1 || slotsAvailable < 0 || slotsAvailable > mostFree) {
            throw new IllegalArgumentException("worker " + id + " cannot be " + state + " on device " + device
                    + " with " + slotsAvailable + " of " + slotsTotal + " slots, generation " + generation);
        }
    }

    static WorkerSnapshot of(WorkerInfo worker) {
        return new WorkerSnapshot(
                worker.id(),
                worker.url(),
                worker.modelRef(),
                worker.backend(),
                worker.device(),
                worker.state().label(),
                worker.slotsTotal(),
                worker.slotsAvailable(),
                worker.generation());
    }

    /** Whether it is routable. */
    @JsonIgnore
    boolean isRoutable() {
        return routable(state);
    }

    @JsonIgnore
    boolean isLoading() {
        return state.equals(LOADING);
    }

    /** The same worker, idle. */
    WorkerSnapshot loaded() {
        return new WorkerSnapshot(id, url, modelRef, backend, device, IDLE, slotsTotal, slotsTotal, generation);
    }

    private static boolean routable(String state) {
        return state.equals(IDLE) || state.equals(BUSY);
    }
}
