package io.github.workerregistry;

import java.util.Optional;
import java.util.stream.Collectors;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Param;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Workers are registered, changed and removed; a list or a count reads all of them at one moment. */
@ExtendWith(UnexpectedWarnings.class)
@Param(name = "slots", gen = IntGen.class, conf = "1:2")
public class ListSchedules {

    private final WorkerRegistry registry = Schedules.newRegistry();

    @Operation
    public boolean register(@Param(name = "slots") int slots) {
        try {
            registry.register(SomeWorkers.idle("w" + slots, slots));
            return true;
        } catch (DuplicateWorkerException duplicate) {
            return false;
        }
    }

    @Operation
    public String remove(@Param(name = "slots") int slots) {
        return RegistrySchedules.described(registry.remove("w" + slots));
    }

    @Operation
    public String reportBusy(@Param(name = "slots") int slots) {
        return update(slots, SomeWorkers.BUSY);
    }

    @Operation
    public String stop(@Param(name = "slots") int slots) {
        return update(slots, SomeWorkers.STOPPING);
    }

    private String update(int slots, WorkerState next) {
        try {
            return RegistrySchedules.described(registry.updateState("w" + slots, next));
        } catch (IllegalTransitionException e) {
            return "illegal";
        }
    }

    @Operation
    public String list() {
        return registry.list().stream()
                .map(w -> w.id() + ": " + RegistrySchedules.described(Optional.of(w)))
                .collect(Collectors.joining("; "));
    }

    @Operation
    public String stats() {
        RegistryStats stats = registry.stats();
        return TwoWorkers.counted(stats.idle(), stats.busy(), stats.stopping(), stats.slotsInUse());
    }

    @Test
    void inSchedulesThatLincheckChooses() {
        Schedules.chosen(TwoWorkers.class).check(ListSchedules.class);
    }

    @Test
    void inSchedulesOfTheMachine() {
        Schedules.ofTheMachine(TwoWorkers.class).check(ListSchedules.class);
    }
}
