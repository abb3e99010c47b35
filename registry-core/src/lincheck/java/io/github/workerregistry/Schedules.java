package io.github.workerregistry;

import static org.jetbrains.lincheck.datastructures.ManagedStrategyGuaranteeKt.forClasses;

import io.github.workerregistry.internal.LogText;
import java.time.InstantSource;
import java.util.Arrays;
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

    /** State of the test, values, the clock, hints, and what is only told: threads are not switched within them. */
    private static final ManagedStrategyGuarantee NOT_SWITCHED = ignoring(
            Leases.class,
            TwoWorkers.class,
            SomeWorkers.class,
            WorkerInfo.class,
            RegistryStats.class,
            LogText.class,
            SteadyClock.class,
            ThreadHints.class,
            EventFeed.class,
            ModelHistory.class);

    /** Nor within the log and the JDK's values of time. */
    private static final ManagedStrategyGuarantee LOG_AND_TIME = forClasses(name -> name.startsWith("org.slf4j.")
                    || name.startsWith("ch.qos.logback.")
                    || name.startsWith("java.time."))
            .allMethods()
            .ignore();

    /** When Lincheck reports a hang; its default of 30 s is too short on a busy machine. */
    private static final long TIMEOUT_MILLIS = 300_000;

    private Schedules() {}

    /**
     * Threads are not switched within these classes and what they call. They must not take a lock that other code
     * takes: Lincheck would not switch to the thread that holds it.
     */
    public static ManagedStrategyGuarantee ignoring(Class<?>... classes) {
        return forClasses(name -> Arrays.stream(classes)
                        .map(Class::getName)
                        .anyMatch(ignored -> name.equals(ignored) || name.startsWith(ignored + "$")))
                .allMethods()
                .ignore();
    }

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
                .addGuarantee(LOG_AND_TIME);
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
