package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.stream.Collectors;
import org.jetbrains.lincheck.LincheckAssertionError;
import org.jetbrains.lincheck.datastructures.Operation;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/**
 * Not linearizable, by design: a list reads the membership at one moment, but the slots of each worker at a moment of
 * their own, because a lease takes no lock. If a lease of the first worker is followed by one of the second, a list may
 * show the second without the first.
 */
@ExtendWith(UnexpectedWarnings.class)
public class ListAgainstLeasesSchedules {

    private final WorkerRegistry registry = Schedules.newRegistry();

    public ListAgainstLeasesSchedules() {
        registry.register(SomeWorkers.idle("w1", 1));
        registry.register(SomeWorkers.idle("w2", 1));
    }

    @Operation
    public boolean tryAcquireFrom(int worker) {
        return registry.tryAcquireFrom("w" + worker).isPresent();
    }

    /** The slots in use of each worker. */
    @Operation
    public String list() {
        return registry.list().stream()
                .map(worker -> Integer.toString(worker.slotsInUse()))
                .collect(Collectors.joining(" "));
    }

    /** The same, with all slots read at one moment. */
    public static class OneMoment {
        private final int[] inUse = new int[2];

        public boolean tryAcquireFrom(int worker) {
            return ++inUse[worker - 1] == 1;
        }

        public String list() {
            return inUse[0] + " " + inUse[1];
        }
    }

    @Test
    void aListMayShowTheSecondOfTwoLeasesWithoutTheFirst() {
        Calls calls = new Calls(ListAgainstLeasesSchedules.class);
        assertThatThrownBy(() -> Schedules.chosen(OneMoment.class)
                        .iterations(0)
                        .addCustomScenario(calls.sideBySide(
                                List.of(calls.of("list")),
                                List.of(calls.of("tryAcquireFrom", 1), calls.of("tryAcquireFrom", 2))))
                        .check(ListAgainstLeasesSchedules.class))
                .isInstanceOf(LincheckAssertionError.class)
                .hasMessageContaining("list(): 0 1");
    }
}
