package io.github.workerregistry.lifecycle;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import io.github.workerregistry.Calls;
import io.github.workerregistry.Schedules;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.BackingOff;
import java.time.Duration;
import java.util.List;
import org.jetbrains.kotlinx.lincheck.Actor;
import org.jetbrains.kotlinx.lincheck.execution.ExecutionScenario;
import org.jetbrains.lincheck.datastructures.ManagedStrategyGuarantee;
import org.jetbrains.lincheck.datastructures.Operation;
import org.jetbrains.lincheck.datastructures.Validate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * A stop concurrent with an exit or a restart, and a close concurrent with a spawn; threads are switched between any
 * two accesses to shared memory. In every order, a worker that was stopped is removed, once, and no other worker is.
 */
@ExtendWith(UnexpectedWarnings.class)
public class EndSchedules {

    private static final String WORKER = "w";
    private static final int CRASH = 3;
    private static final int BACKOFF_MILLIS = 100;

    /** No operation runs any more: Lincheck need not follow the validation, most of an invocation. */
    private static final ManagedStrategyGuarantee FINAL_STATE =
            forClasses(EndSchedules.class.getName()).methods("validate").ignore();

    private final VirtualHive hive = new VirtualHive(builder -> builder.restartPolicy(RestartPolicy.builder()
            .initial(Duration.ofMillis(BACKOFF_MILLIS))
            .jitter(0)
            .build()));
    private volatile boolean mayStay = true;
    private volatile boolean open = true;

    public EndSchedules() {
        hive.spawnReady(WORKER);
    }

    @Operation
    public void crash() {
        hive.processes.exit(WORKER, CRASH);
    }

    @Operation
    public void stop() {
        mayStay = false;
        hive.supervisor.stop(WORKER);
    }

    @Operation
    public void close() {
        mayStay = false;
        open = false;
        hive.supervisor.close();
    }

    @Operation
    public void spawn() {
        try {
            hive.spawnReady("v");
        } catch (IllegalStateException closed) {
            // expected
        }
    }

    @Operation
    public void pass(int millis) {
        hive.advance(Duration.ofMillis(millis));
    }

    @Validate
    public void stoppedWorkerIsRemovedOnceAndNoOther() {
        validate();
    }

    private void validate() {
        hive.advance(Duration.ofMillis(2 * BACKOFF_MILLIS));
        List<WorkerInfo> workers = hive.registry.list();
        List<String> withProcess = workers.stream()
                .filter(worker -> !(worker.state() instanceof BackingOff))
                .map(WorkerInfo::id)
                .toList();
        require(hive.processes.running().equals(withProcess), "every process has a worker");
        long removals = hive.heard.eventsOf(WORKER).stream()
                .filter(WorkerEvent.Removed.class::isInstance)
                .count();
        require(removals == (hive.registry.get(WORKER).isPresent() ? 0 : 1), "a removed worker is removed once");
        require(mayStay || removals == 1, "a stopped worker is removed");
        require(open || hive.processes.running().isEmpty(), "no process runs after close");
    }

    private void require(boolean holds, String rule) {
        if (!holds) {
            throw new IllegalStateException("violated: " + rule + "; " + hive.registry.list() + ", running: "
                    + hive.processes.running() + ", heard: " + hive.heard.historyOf(WORKER));
        }
    }

    /** Operations have no results; the final state is validated. */
    public static class NoResults {
        public void crash() {}

        public void stop() {}

        public void close() {}

        public void spawn() {}

        public void pass(int millis) {}
    }

    private static final Calls CALLS = new Calls(EndSchedules.class);
    private static final Actor SOON = CALLS.of("pass", 0);

    @Test
    void anExitBesideAStop() {
        UnexpectedWarnings.allow("has ended: CRASHED");
        check(CALLS.sideBySide(List.of(CALLS.of("crash"), SOON), List.of(CALLS.of("stop"), SOON)));
    }

    @Test
    void theEndOfABackoffBesideAStop() { // a crash before the two threads would leave Lincheck without a switch
        UnexpectedWarnings.allow("has ended: CRASHED");
        check(CALLS.sideBySide(
                List.of(CALLS.of("crash"), CALLS.of("pass", BACKOFF_MILLIS)), List.of(CALLS.of("stop"), SOON)));
    }

    @Test
    void aCloseBesideASpawn() {
        check(CALLS.sideBySide(List.of(CALLS.of("close")), List.of(CALLS.of("spawn"), SOON)));
    }

    private static void check(ExecutionScenario scenario) {
        Schedules.chosen(NoResults.class)
                .iterations(0)
                .invocationsPerIteration(150)
                .loopIterationsBeforeThreadSwitch(5) // a close runs the loops until the other thread goes on
                .addCustomScenario(scenario)
                .addGuarantee(FINAL_STATE)
                .addGuarantee(Schedules.ignoring(PauseTracker.class))
                .check(EndSchedules.class);
    }
}
