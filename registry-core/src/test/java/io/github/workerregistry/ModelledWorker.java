package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.Instant;
import java.util.Optional;

/** A worker in the {@link RegistryModel}: what is known of it, and what an edge does to that. */
final class ModelledWorker {

    final String id;
    final String modelRef;
    final String backend;
    final int device;
    final int slots;

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

    /** Whether the host reports its occupancy, in place of leases. */
    boolean reported;

    boolean suspected;

    /** The last lease that failed, while the worker is checked for it. */
    Optional<FailedLease> checking = Optional.empty();

    /** How a process of it ended, of whatever generation. */
    Optional<Exit> lastExit = Optional.empty();

    /** How often it became Idle: whoever saw it Idle must not miss that it worked since. */
    int idleSpell;

    private boolean workedSinceLook;

    ModelledWorker(WorkerInfo registered) {
        id = registered.id();
        url = registered.url();
        modelRef = registered.modelRef();
        backend = registered.backend();
        device = registered.device();
        slots = registered.slotsTotal();
        state = registered.state();
        inUse = registered.slotsInUse();
        generation = registered.generation();
        lastActivity = registered.lastActivity();
        startedAt = registered.startedAt();
        reported = state instanceof Busy;
    }

    boolean canLease() {
        return state.routable() && !reported && checking.isEmpty() && inUse < slots;
    }

    /** A slot is taken or given back, which moves a worker between Idle and Busy. */
    void lease(int slotsMore) {
        inUse += slotsMore;
        workedSinceLook = true;
        if (state.routable()) {
            state = inUse == 0 ? IDLE : BUSY;
            idleSpell += inUse == 0 ? 1 : 0;
        }
    }

    /** Work moves the time of the last activity when somebody looks, if time has passed since. */
    void look(Instant now) {
        if (workedSinceLook && lastActivity.isBefore(now)) {
            lastActivity = now;
            workedSinceLook = false;
        }
    }

    /** Whether a caller may ask for this edge, or for what is so already. */
    boolean mayGoTo(WorkerState next) {
        if (state.routable() && next.routable()) {
            return inUse == 0 || reported; // leases count themselves
        }
        return switch (state.label()) {
            case "loading" -> next instanceof Idle || next instanceof Stopping || next instanceof BackingOff;
            case "idle", "busy" -> next instanceof Stopping || next instanceof BackingOff;
            case "backing_off" -> next instanceof Loading;
            default -> next instanceof BackingOff && isStoppedForARestart();
        };
    }

    private boolean isStoppedForARestart() {
        Exit.Cause reason = ((Stopping) state).reason();
        return reason.isFailure() || reason == Exit.Cause.RESTART;
    }

    /** Whether it serves, or may serve one day. */
    boolean mayServe() {
        return !(state instanceof Stopping) || isStoppedForARestart();
    }

    /** Goes to another state. */
    void go(WorkerState next, Instant now) {
        boolean loaded = state instanceof Loading && next instanceof Idle;
        idleSpell++;
        state = next;
        if (reported) {
            inUse = 0; // nobody could give back what the host reported
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
                .state(state)
                .lastActivity(lastActivity)
                .slotsTotal(slots)
                .slotsInUse(inUse)
                .failedHealthChecks(failed)
                .generation(generation)
                .restarts(restarts)
                .startedAt(startedAt);
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
