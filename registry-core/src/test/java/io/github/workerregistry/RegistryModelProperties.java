package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.RandomDistribution;
import net.jqwik.api.Tuple;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import net.jqwik.api.statistics.Statistics;
import net.jqwik.api.statistics.StatisticsReport;
import net.jqwik.api.statistics.StatisticsReport.StatisticsReportMode;

/** Random sequences of every operation of a registry, done on it and on a {@link RegistryModel} side by side. */
@AddLifecycleHook(UnexpectedWarnings.class)
class RegistryModelProperties {

    /** Operations that {@link ModelCheckedRegistry} calls with every step. */
    private static final List<String> ALWAYS = List.of(
            "node()",
            "clock()",
            "stats()",
            "toString()",
            "waiting(String)",
            "subscribe(WorkerListener, Executor)",
            "supervision()",
            "supervision().registerLeaseChecker(LeaseChecker)");

    /**
     * An action, its frequency, and the public method of the registry or of its supervision that it calls; empty if
     * none.
     */
    enum Action {
        REGISTER(12, "register(WorkerInfo)"),
        UPDATE_STATE(36, "updateState(String, WorkerState)"),
        TRANSITION_IF_UNCHANGED(8, "supervision().transitionIfUnchanged(WorkerInfo, WorkerState)"),
        TRANSITION(8, "supervision().transition(Incarnation, WorkerState)"),
        RESTART_IF_UNCHANGED(5, "supervision().restartIfUnchanged(WorkerInfo, Loading, String)"),
        REPLACE_IF_UNCHANGED(5, "supervision().replaceIfUnchanged(WorkerInfo, WorkerInfo)"),
        REMOVE(1, "remove(String)"),
        REMOVE_IF_UNCHANGED(2, "supervision().removeIfUnchanged(WorkerInfo, StopReason)"),
        REMOVE_UNSTARTED(1, "supervision().removeUnstarted(WorkerInfo)"),
        REMOVE_EXITED(4, "supervision().remove(Exit)"),
        CLEAR(1, "clear()"),
        TRY_ACQUIRE(7, "tryAcquire(String)"),
        TRY_ACQUIRE_REQUEST(7, "tryAcquire(SlotRequest)"),
        ACQUIRE_AT_ONCE(3, "acquire(String, Duration)"),
        ACQUIRE_REQUEST_AT_ONCE(4, "acquire(SlotRequest, Duration)"),
        ACQUIRE_ASYNC(12, "acquireAsync(SlotRequest, Duration, Executor)"),
        WITH_SLOT(6, "withSlot(SlotRequest, Duration, Executor, Function)"),
        CANCEL_REQUEST(4, ""),
        END_WORK(6, ""),
        TRY_ACQUIRE_FROM(8, "tryAcquireFrom(String)"),
        CLOSE_LEASE(18, ""),
        FAIL_LEASE(10, ""),
        PASS_CHECK(8, ""),
        FAIL_HEALTH_CHECK(3, "incrementFailedHealthChecks(String)"),
        FAIL_HEALTH_CHECK_IF_UNCHANGED(4, "supervision().checkFailed(WorkerInfo)"),
        PASS_HEALTH_CHECK(3, "supervision().checkPassed(Incarnation)"),
        UNKNOWN_HEALTH_CHECK(2, "supervision().checkUnknown(Incarnation)"),
        SUSPECT(5, "supervision().suspect(Incarnation, StopReason)"),
        CLEAR_SUSPICION(3, "supervision().clearSuspicion(Incarnation)"),
        HEARTBEAT(2, "heartbeat(String)"),
        HEARTBEAT_OF_A_GENERATION(2, "heartbeat(String, int)"),
        STARTED(4, "supervision().started(Incarnation, long)"),
        REPORT_LEAKS(5, "supervision().reportLeaks()"),
        FORGET_HINTS(2, "supervision().forgetHints()"),
        READ(10, "get(String)"),
        READ_ALL(3, "list()"),
        READ_ALL_OF_A_MODEL(3, "list(String)"),
        READ_ALL_IDLE(3, "idleWorkers()"),
        FIND_IDLE(3, "findIdleWorker(String)"),
        FIND_ON_NODE(4, "findByNodeAndModel(String, String)"),
        SUBSCRIBE(1, ""),
        UNSUBSCRIBE(1, ""),
        ADVANCE_TIME(6, "");

        private final int weight;
        private final String method;

        Action(int weight, String method) {
            this.weight = weight;
            this.method = method;
        }
    }

    /** One step: an action and the choice of its arguments. */
    record Step(Action action, int x, int y) {
        @Override
        public String toString() {
            return action + "(" + x + "," + y + ")";
        }
    }

    @Provide
    Arbitrary<List<Step>> histories() {
        List<Tuple.Tuple2<Integer, Action>> weights = Arrays.stream(Action.values())
                .map(action -> Tuple.of(action.weight, action))
                .toList();
        Arbitrary<Integer> choices = Arbitraries.integers().between(0, 59);
        return Combinators.combine(Arbitraries.frequency(weights), choices, choices)
                .as(Step::new)
                .list()
                .ofMaxSize(150)
                .withSizeDistribution(RandomDistribution.uniform());
    }

    @Property(tries = 1_500)
    @StatisticsReport(StatisticsReportMode.OFF)
    void registryAgreesWithItsModel(@ForAll("histories") List<Step> history) {
        try (ModelCheckedRegistry both = new ModelCheckedRegistry()) {
            for (Step step : history) {
                both.run(step);
                both.compareWithoutReading();
            }
            both.compareAll();
            Statistics.label("edges").collect(both.edges() > 10 ? "many" : "few");
            Statistics.label("edges").coverage(edges -> edges.check("many").percentage(share -> share > 5));
        }
    }

    /** Operations that change no worker and have tests of their own. */
    private static final List<String> ELSEWHERE = List.of(
            "supervision().deferEvents(Runnable)",
            "supervision().demand()",
            "supervision().onDemand(Consumer)",
            "supervision().whenIdle(Incarnation, Runnable)",
            "supervision().failWaiting(String, Predicate, Supplier)",
            "supervision().holdLeasing(Incarnation)",
            "supervision().beginLeasing(Incarnation)",
            "supervision().endLeasing(Incarnation)",
            "supervision().isDeliveringEvents()");

    /** A new operation must be added to the model. */
    @Example
    void everyOperationIsInTheModel() {
        Stream<String> modelled =
                Arrays.stream(Action.values()).map(action -> action.method).filter(method -> !method.isEmpty());

        assertThat(Stream.concat(
                        operations(WorkerRegistry.class),
                        operations(Supervision.class).map(operation -> "supervision()." + operation)))
                .containsExactlyInAnyOrderElementsOf(Stream.of(modelled, ALWAYS.stream(), ELSEWHERE.stream())
                        .flatMap(operations -> operations)
                        .toList());
    }

    private static Stream<String> operations(Class<?> type) {
        return Arrays.stream(type.getDeclaredMethods())
                .filter(method -> Modifier.isPublic(method.getModifiers()))
                .filter(method -> !Modifier.isStatic(method.getModifiers()))
                .map(RegistryModelProperties::signature);
    }

    private static String signature(Method method) {
        return Arrays.stream(method.getParameterTypes())
                .map(Class::getSimpleName)
                .collect(Collectors.joining(", ", method.getName() + "(", ")"));
    }
}
