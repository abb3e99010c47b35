package io.github.workerregistry;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import java.time.InstantSource;
import org.jetbrains.lincheck.datastructures.ManagedStrategyGuarantee;
import org.jetbrains.lincheck.datastructures.ModelCheckingOptions;
import org.jetbrains.lincheck.datastructures.Options;
import org.jetbrains.lincheck.datastructures.StressOptions;
import org.jetbrains.lincheck.util.LoggingLevel;

/**
 * The two ways in which Lincheck runs random operations on two threads: in schedules that it chooses, switching threads
 * between any two accesses to shared memory, and in those of the machine. Then it searches for a sequential order in
 * which the specification has the same results.
 */
public final class Schedules {

    /** State of the test, immutable values and hints: threads are not switched within them. */
    private static final ManagedStrategyGuarantee NOT_SWITCHED = forClasses(
                    Leases.class.getName(),
                    SomeWorkers.class.getName(),
                    ThreadHints.class.getName(),
                    WorkerInfo.class.getName(),
                    WorkerInfo.Builder.class.getName())
            .allMethods()
            .ignore();

    /** When Lincheck reports a hang; its default of 30 s is too short on a busy machine. */
    private static final long TIMEOUT_MILLIS = 300_000;

    private Schedules() {}

    /** Threads are not switched within the log either. */
    private static final ManagedStrategyGuarantee LOGS = forClasses(
                    name -> name.startsWith("org.slf4j.") || name.startsWith("ch.qos.logback."))
            .allMethods()
            .ignore();

    /** A registry with a fixed clock, so that results do not depend on the time. */
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
                .addGuarantee(NOT_SWITCHED)
                .addGuarantee(LOGS);
    }

    public static StressOptions ofTheMachine(Class<?> specification) {
        return common(new StressOptions(), specification).iterations(5).invocationsPerIteration(500);
    }

    private static <T extends Options<T, ?>> T common(T options, Class<?> specification) {
        return options.logLevel(LoggingLevel.ERROR) // it warns that it cannot analyse records
                .invocationTimeout$lincheck(TIMEOUT_MILLIS)
                .threads(2)
                .actorsBefore(2)
                .actorsPerThread(3)
                .actorsAfter(2)
                .sequentialSpecification(specification);
    }
}
