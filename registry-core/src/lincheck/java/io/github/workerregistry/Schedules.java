package io.github.workerregistry;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import org.jetbrains.lincheck.datastructures.ManagedStrategyGuarantee;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Options;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.util.LoggingLevel;

/**
 * The two ways in which Lincheck runs random calls on two threads side by side, before it looks for an order in which
 * the specification would have answered the same: in schedules that it chooses itself, switching threads between any
 * two accesses to shared memory, and in those of the machine.
 */
final class Schedules {

    private static final ManagedStrategyGuarantee LEASES_ARE_THE_TESTS_OWN =
            forClasses(Leases.class.getName()).allMethods().ignore();

    private Schedules() {}

    static ModelCheckingOptions chosen(Class<?> specification) {
        return common(new ModelCheckingOptions(), specification)
                .iterations(5)
                .invocationsPerIteration(500)
                .addGuarantee(LEASES_ARE_THE_TESTS_OWN);
    }

    static StressOptions ofTheMachine(Class<?> specification) {
        return common(new StressOptions(), specification).iterations(5).invocationsPerIteration(500);
    }

    private static <T extends Options<T, ?>> T common(T options, Class<?> specification) {
        return options.logLevel(LoggingLevel.ERROR) // it warns that it cannot look into records
                .threads(2)
                .actorsBefore(2)
                .actorsPerThread(3)
                .actorsAfter(2)
                .sequentialSpecification(specification);
    }
}
