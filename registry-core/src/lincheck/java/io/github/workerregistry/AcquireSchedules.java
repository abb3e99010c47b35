package io.github.workerregistry;

import java.time.Duration;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A slot of a model whose only worker comes and goes, asked for with and without joining the line of those who wait:
 * "none" is true of some moment of the call, and nothing is lost between line and search.
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
        } catch (DuplicateWorkerException taken) {
            return false;
        }
    }

    @Operation
    public String remove() {
        return RegistrySchedules.described(registry.remove("w1"));
    }

    @Operation
    public boolean take(@Param(name = "thread") int thread) {
        return leases.keep(thread, registry.tryAcquire(SomeWorkers.MODEL).orElse(null));
    }

    @Operation
    public boolean acquire(@Param(name = "thread") int thread) throws InterruptedException {
        try {
            return leases.keep(thread, registry.acquire(SomeWorkers.MODEL, Duration.ZERO));
        } catch (SlotTimeoutException | NoWorkerException none) {
            return false;
        }
    }

    @Operation
    public boolean give(@Param(name = "thread") int thread) {
        SlotLease lease = leases.dropLast(thread);
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
