package io.github.workerregistry;

import java.util.List;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Options;
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
        return TwoWorkers.described(registry.list());
    }

    @Operation
    public String stats() {
        RegistryStats stats = registry.stats();
        return TwoWorkers.counted(stats.idle(), stats.busy(), stats.stopping(), stats.slotsInUse());
    }

    /** Lists and counts read all workers, so they take long to try: the scenarios are short, and races come first. */
    private static <T extends Options<T, ?>> T shortWithRaces(T options) {
        Calls calls = new Calls(ListSchedules.class);
        List<Actor> oneWorker = List.of(calls.of("register", 1));
        return options.iterations(3)
                .actorsBefore(1)
                .actorsPerThread(2)
                .actorsAfter(1)
                .addCustomScenario(calls.sideBySide(
                        oneWorker, List.of(calls.of("register", 2), calls.of("remove", 1)), List.of(calls.of("list"))))
                .addCustomScenario(calls.sideBySide(
                        oneWorker, List.of(calls.of("register", 2), calls.of("remove", 1)), List.of(calls.of("stats"))))
                .addCustomScenario(calls.sideBySide(
                        oneWorker,
                        List.of(calls.of("reportBusy", 1), calls.of("stop", 1)),
                        List.of(calls.of("list"), calls.of("stats"))));
    }

    @Test
    void inSchedulesThatLincheckChooses() {
        shortWithRaces(Schedules.chosen(TwoWorkers.class))
                .invocationsPerIteration(200)
                .check(ListSchedules.class);
    }

    @Test
    void inSchedulesOfTheMachine() {
        shortWithRaces(Schedules.ofTheMachine(TwoWorkers.class)).check(ListSchedules.class);
    }
}
