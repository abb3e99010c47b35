package io.github.workerregistry;

import java.time.Duration;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A slot of a model whose only worker is registered and removed, acquired with and without the wait queue: an empty
 * result is true at some moment of the call, and no slot is lost between the search and the queue.
 */
@ExtendWith(UnexpectedWarnings.class)
@Param(name = "thread", gen = ThreadIdGen.class)
public class AcquireSchedules {

    private final WorkerRegistry registry = Schedules.newRegistry();
    private final Leases leases = new Leases();

    @Operation
    public boolean register() {
        try {
            registry.register(SomeWorkers.idle("w1", 1));
            return true;
        } catch (DuplicateWorkerException duplicate) {
            return false;
        }
    }

    @Operation
    public String remove() {
        return RegistrySchedules.described(registry.remove("w1"));
    }

    @Operation
    public boolean tryAcquire(@Param(name = "thread") int thread) {
        return leases.add(thread, registry.tryAcquire(SomeWorkers.MODEL).orElse(null));
    }

    @Operation
    public boolean acquire(@Param(name = "thread") int thread) throws InterruptedException {
        try {
            return leases.add(thread, registry.acquire(SomeWorkers.MODEL, Duration.ZERO));
        } catch (SlotTimeoutException | NoWorkerException none) {
            return false;
        }
    }

    @Operation
    public boolean release(@Param(name = "thread") int thread) {
        SlotLease lease = leases.removeLast(thread);
        if (lease != null) {
            lease.close();
        }
        return lease != null;
    }

    /** The only worker. */
    public static class OneWorker extends TwoWorkers {

        public boolean register() {
            return register(1);
        }

        public String remove() {
            return remove(1);
        }
    }

    @Test
    void inSchedulesThatLincheckChooses() {
        Schedules.chosen(OneWorker.class).check(AcquireSchedules.class);
    }

    @Test
    void inSchedulesOfTheMachine() {
        Schedules.ofTheMachine(OneWorker.class).check(AcquireSchedules.class);
    }
}
