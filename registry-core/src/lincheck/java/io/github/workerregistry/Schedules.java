package io.github.workerregistry;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import java.time.InstantSource;
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
public final class Schedules {

    /** The test's own books, values that never change, and guesses: no thread needs to stop in the middle of them. */
    private static final ManagedStrategyGuarantee NOTHING_TO_SEE = forClasses(
                    Leases.class.getName(),
                    SomeWorkers.class.getName(),
                    ThreadHints.class.getName(),
                    WorkerInfo.class.getName(),
                    WorkerInfo.Builder.class.getName())
            .allMethods()
            .ignore();

    /** Until Lincheck takes a schedule for one that hangs; its own 30 s are too short on a machine that is busy. */
    private static final long PATIENCE_MILLIS = 300_000;

    private Schedules() {}

    /** Nor in the middle of writing to the log. */
    private static final ManagedStrategyGuarantee LOGS = forClasses(
                    name -> name.startsWith("org.slf4j.") || name.startsWith("ch.qos.logback."))
            .allMethods()
            .ignore();

    /** A registry whose clock stands still, so that no time of day tells schedules apart. */
    static WorkerRegistry newRegistry() {
        return WorkerRegistry.builder()
                .clock(InstantSource.fixed(SomeWorkers.START))
                .build();
    }

    public static ModelCheckingOptions chosen(Class<?> specification) {
        return common(new ModelCheckingOptions(), specification)
                .iterations(5)
                .invocationsPerIteration(500)
                .loopIterationsBeforeThreadSwitch(100)
                .loopBound(1_000)
                .addGuarantee(NOTHING_TO_SEE)
                .addGuarantee(LOGS);
    }

    public static StressOptions ofTheMachine(Class<?> specification) {
        return common(new StressOptions(), specification).iterations(5).invocationsPerIteration(500);
    }

    private static <T extends Options<T, ?>> T common(T options, Class<?> specification) {
        return options.logLevel(LoggingLevel.ERROR) // it warns that it cannot look into records
                .invocationTimeout$lincheck(PATIENCE_MILLIS)
                .threads(2)
                .actorsBefore(2)
                .actorsPerThread(3)
                .actorsAfter(2)
                .sequentialSpecification(specification);
    }
}
