package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;

/** A worker in the {@link RegistryModel}: its state, and the effects of transitions and leases on it. */
final class ModelledWorker {

    final String id;
    final String modelRef;

    String backend;
    int device;
    int slots;
    Map<String, String> labels;
    String url;
    WorkerState state;
    int inUse;
    int failed;
    long pid;
    int generation;
    int restarts;
    Instant lastActivity;
    Instant lastHeartbeat;
    Instant startedAt;

    /** Whether the hive reports its occupancy, in place of leases. */
    boolean reported;

    boolean suspected;

    /** The last failed lease, while the worker is checked for it. */
    Optional<FailedLease> checking = Optional.empty();

    /** The last exit of any generation. */
    Optional<Exit> lastExit = Optional.empty();

    /** Number of times that it became Idle. A record with another number is out of date. */
    int idleSpell;

    private boolean usedSinceRead;

    ModelledWorker(WorkerInfo registered) {
        id = registered.id();
        modelRef = registered.modelRef();
        setProperties(registered);
        state = registered.state();
        inUse = registered.slotsInUse();
        generation = registered.generation();
        lastActivity = registered.lastActivity();
        startedAt = registered.startedAt();
        reported = state instanceof Busy;
    }

    /** Those that a replacement in place may change. */
    void setProperties(WorkerInfo worker) {
        url = worker.url();
        backend = worker.backend();
        device = worker.device();
        slots = worker.slotsTotal();
        labels = worker.labels();
    }

    Incarnation incarnation() {
        return new Incarnation(id, generation, startedAt);
    }

    boolean canLease() {
        return isLeased() && inUse < slots;
    }

    /** Whether its slots are leased, if one is free. */
    boolean isLeased() {
        return state.routable() && !reported && checking.isEmpty();
    }

    /** A slot is acquired or released, which changes the state between Idle and Busy. */
    void lease(int slotsMore) {
        inUse += slotsMore;
        usedSinceRead = true;
        if (state.routable()) {
            state = inUse == 0 ? IDLE : BUSY;
            idleSpell += inUse == 0 ? 1 : 0;
        }
    }

    /** A read records the time of the work since the last read, if time has passed. */
    void read(Instant now) {
        if (usedSinceRead && lastActivity.isBefore(now)) {
            lastActivity = now;
            usedSinceRead = false;
        }
    }

    /** Whether a caller may request this transition, or the current state again. */
    boolean canBecome(WorkerState next) {
        if (state.routable() && next.routable()) {
            return inUse == 0 || reported; // leases determine the occupancy
        }
        return switch (state.label()) {
            case "loading" -> next instanceof Idle || next instanceof Stopping || next instanceof BackingOff;
            case "idle", "busy" -> next instanceof Stopping || next instanceof BackingOff;
            case "backing_off" -> next instanceof Loading;
            default -> next instanceof BackingOff && isStoppedForARestart();
        };
    }

    private boolean isStoppedForARestart() {
        Stopping stopping = (Stopping) state;
        return stopping.reason().isFailure() || stopping.reason() == StopReason.RESTART || stopping.inPlace();
    }

    /** Whether it serves requests, now or later. */
    boolean canEverServe() {
        return !(state instanceof Stopping) || isStoppedForARestart();
    }

    /** Changes the state. */
    void transition(WorkerState next, Instant now) {
        boolean loaded = state instanceof Loading && next instanceof Idle;
        idleSpell++;
        state = next;
        if (reported) {
            inUse = 0; // reported slots have no leases that could release them
        }
        reported = next instanceof Busy;
        if (next.routable()) {
            lastActivity = now;
            inUse = reported ? slots : 0;
            failed = loaded ? 0 : failed;
        } else if (next instanceof BackingOff) {
            inUse = 0;
            failed = 0;
            pid = 0;
        } else if (next instanceof Loading loading) {
            generation++;
            restarts++;
            startedAt = loading.since();
            lastActivity = now;
            failed = 0;
            pid = 0;
            lastHeartbeat = null;
            suspected = false;
        }
    }

    WorkerInfo info() {
        WorkerInfo.Builder info = WorkerInfo.builder()
                .id(id)
                .url(url)
                .modelRef(modelRef)
                .backend(backend)
                .device(device)
                .labels(labels)
                .state(state)
                .lastActivity(lastActivity)
                .slotsTotal(slots)
                .slotsInUse(inUse)
                .failedHealthChecks(failed)
                .generation(generation)
                .restarts(restarts)
                .startedAt(startedAt)
                .suspected(suspected);
        if (pid > 0) {
            info.pid(pid);
        }
        if (lastHeartbeat != null) {
            info.lastHeartbeat(lastHeartbeat);
        }
        return info.build();
    }

    @Override
    public String toString() {
        return info().toString();
    }
}
