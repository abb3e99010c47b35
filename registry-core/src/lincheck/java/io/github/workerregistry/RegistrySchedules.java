package io.github.workerregistry;

import java.util.List;
import java.util.Optional;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.lincheck.datastructures.IntGen;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Options;
import org.jetbrains.lincheck.datastructures.Param;
import org.jetbrains.lincheck.datastructures.ThreadIdGen;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Operations on one worker, concurrent with its registration, transitions and removal. There is a worker with one slot
 * and one with two, named by their slots.
 */
@ExtendWith(UnexpectedWarnings.class)
@Param(name = "thread", gen = ThreadIdGen.class)
@Param(name = "slots", gen = IntGen.class, conf = "1:2")
public class RegistrySchedules {

    private final WorkerRegistry registry = Schedules.newRegistry();
    private final Leases leases = new Leases();

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
        return described(registry.remove("w" + slots));
    }

    @Operation
    public String get(@Param(name = "slots") int slots) {
        return described(registry.get("w" + slots));
    }

    /** One worker of a list; its slots in use are read at a moment of their own. */
    @Operation
    public String listed(@Param(name = "slots") int slots) {
        return described(registry.list().stream()
                .filter(worker -> worker.id().equals("w" + slots))
                .findAny());
    }

    @Operation
    public String reportIdle(@Param(name = "slots") int slots) {
        return update(slots, SomeWorkers.IDLE);
    }

    @Operation
    public String reportBusy(@Param(name = "slots") int slots) {
        return update(slots, SomeWorkers.BUSY);
    }

    @Operation
    public String stop(@Param(name = "slots") int slots) {
        return update(slots, SomeWorkers.STOPPING);
    }

    /** As the idle timeout does: reads a worker that is Idle, and stops it if it has not been used since. */
    @Operation
    public boolean stopIfUnused(@Param(name = "slots") int slots) {
        return registry.get("w" + slots)
                .filter(seen -> seen.state() instanceof WorkerState.Idle)
                .flatMap(seen -> registry.supervision().transitionIfUnchanged(seen, SomeWorkers.STOPPING))
                .isPresent();
    }

    private String update(int slots, WorkerState next) {
        try {
            return described(registry.updateState("w" + slots, next));
        } catch (IllegalTransitionException e) {
            return "illegal";
        }
    }

    static String described(Optional<WorkerInfo> worker) {
        return worker.map(w -> TwoWorkers.described(w.state().label(), w.slotsInUse()))
                .orElse("none");
    }

    @Operation
    public boolean tryAcquireFrom(@Param(name = "thread") int thread, @Param(name = "slots") int slots) {
        return leases.add(thread, registry.tryAcquireFrom("w" + slots).orElse(null));
    }

    @Operation
    public boolean release(@Param(name = "thread") int thread) {
        SlotLease lease = leases.removeLast(thread);
        if (lease != null) {
            lease.close();
        }
        return lease != null;
    }

    @Operation
    public boolean isValid(@Param(name = "thread") int thread) {
        SlotLease lease = leases.last(thread);
        return lease != null && lease.isValid();
    }

    /** Random operations seldom race, so scenarios that do come first. */
    private static <T extends Options<T, ?>> T withRaces(T options) {
        Calls calls = new Calls(RegistrySchedules.class);
        Actor register = calls.of("register", 1);
        Actor acquire = calls.of("tryAcquireFrom", 1, 1);
        return options.addCustomScenario(calls.sideBySide(List.of(register), List.of(calls.of("tryAcquireFrom", 2, 1))))
                .addCustomScenario(calls.sideBySide(
                        List.of(register), List.of(acquire, calls.of("isValid", 1)), List.of(calls.of("remove", 1))))
                .addCustomScenario(calls.sideBySide(
                        List.of(register),
                        List.of(acquire, calls.of("release", 1)),
                        List.of(calls.of("stopIfUnused", 1), calls.of("get", 1))))
                .addCustomScenario(calls.sideBySide(
                        List.of(register),
                        List.of(calls.of("reportBusy", 1), calls.of("reportIdle", 1), calls.of("stop", 1)),
                        List.of(calls.of("get", 1), calls.of("get", 1))));
    }

    @Test
    void inSchedulesThatLincheckChooses() {
        withRaces(Schedules.chosen(TwoWorkers.class)).check(RegistrySchedules.class);
    }

    @Test
    void inSchedulesOfTheMachine() {
        withRaces(Schedules.ofTheMachine(TwoWorkers.class)).check(RegistrySchedules.class);
    }
}
