package io.github.workerregistry;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.Instant;
import java.util.List;

/**
 * Workers, states and exits for tests, all at the first instant of
 * {@link io.github.workerregistry.testing.VirtualTime}.
 */
final class SomeWorkers {

    static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    static final String MODEL = "hf:TheBloke/TinyLlama";

    static final WorkerState LOADING = new Loading(START);
    static final WorkerState IDLE = new Idle();
    static final WorkerState BUSY = new Busy();
    static final WorkerState STOPPING = new Stopping(StopReason.REQUESTED);
    static final WorkerState STOPPING_BECAUSE_UNHEALTHY = new Stopping(StopReason.UNHEALTHY);

    private SomeWorkers() {}

    static WorkerInfo.Builder worker(String id) {
        return WorkerInfo.builder()
                .id(id)
                .url("http://127.0.0.1:8100")
                .modelRef(MODEL)
                .startedAt(START);
    }

    static WorkerInfo loading(String id) {
        return worker(id).build();
    }

    static WorkerInfo idle(String id, int slots) {
        return worker(id).state(IDLE).slotsTotal(slots).build();
    }

    static BackingOff backingOff(WorkerInfo worker) {
        return new BackingOff(1, START.plusSeconds(1), crash(worker));
    }

    static Exit crash(WorkerInfo worker) {
        return exit(worker, Exit.Cause.CRASHED, 139);
    }

    static Exit exit(WorkerInfo worker, Exit.Cause cause, int code) {
        return new Exit(
                worker.incarnation(),
                worker.modelRef(),
                cause,
                ExitStatus.unrequested(code),
                List.of("the last line"),
                START);
    }
}
