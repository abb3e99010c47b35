package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.START;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Workers of the model "m", and callers that wait for their slots until the end of the test. */
final class AcquireFixture implements AfterEachCallback {

    private final List<WaitingCaller> callers = new ArrayList<>();

    /** Interrupts the callers that still wait. */
    @Override
    public void afterEach(ExtensionContext context) {
        callers.forEach(caller -> caller.thread.interrupt());
    }

    static void register(WorkerRegistry registry, String id, WorkerState state) {
        registry.register(worker(id).state(state).build());
    }

    static WorkerInfo.Builder worker(String id) {
        return SomeWorkers.worker(id).modelRef("m");
    }

    /** A caller that is in the wait queue. */
    WaitingCaller waiting(WorkerRegistry registry, Duration timeout) {
        return waiting(registry, SlotRequest.forModel("m"), timeout);
    }

    WaitingCaller waiting(WorkerRegistry registry, SlotRequest request, Duration timeout) {
        WaitingCaller caller = new WaitingCaller(registry, request, timeout);
        callers.add(caller);
        caller.awaitWaiting();
        return caller;
    }

    static Exit exit(String id, Exit.Cause cause) {
        return new Exit(
                new Incarnation(id, 1, START), "m", cause, ExitStatus.unrequested(3), List.of("no memory"), START);
    }
}
