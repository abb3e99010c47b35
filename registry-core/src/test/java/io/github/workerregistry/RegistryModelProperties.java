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

    /** What {@link RegistryBesideItsModel} does before, after, or beside every step. */
    private static final List<String> ALWAYS = List.of(
            "node()",
            "clock()",
            "stats()",
            "toString()",
            "subscribe(WorkerListener, Executor)",
            "checkFailedLeases(LeaseChecker)");

    /** What can be done, how often it is, and the public method of the registry that is called for it, if one is. */
    enum Action {
        REGISTER(12, "register(WorkerInfo)"),
        UPDATE_STATE(30, "updateState(String, WorkerState)"),
        UPDATE_STATE_IF_UNCHANGED(8, "updateStateIfUnchanged(WorkerInfo, WorkerState)"),
        UPDATE_STATE_OF(8, "updateStateOf(WorkerInfo, WorkerState)"),
        RESTART_IF_UNCHANGED(8, "restartIfUnchanged(WorkerInfo, Loading, String)"),
        REMOVE(1, "remove(String)"),
        REMOVE_IF_UNCHANGED(2, "removeIfUnchanged(WorkerInfo, Cause)"),
        REMOVE_EXITED(6, "removeExited(Exit)"),
        CLEAR(1, "clear()"),
        TRY_ACQUIRE(7, "tryAcquire(String)"),
        TRY_ACQUIRE_FILTERED(7, "tryAcquire(String, SlotFilter)"),
        ACQUIRE_AT_ONCE(3, "acquire(String, Duration)"),
        ACQUIRE_FILTERED_AT_ONCE(4, "acquire(String, SlotFilter, Duration)"),
        TRY_ACQUIRE_FROM(8, "tryAcquireFrom(String)"),
        CLOSE_LEASE(18, ""),
        FAIL_LEASE(10, ""),
        PASS_CHECK(8, ""),
        FAIL_HEALTH_CHECK(3, "incrementFailedHealthChecks(String)"),
        FAIL_HEALTH_CHECK_IF_UNCHANGED(4, "incrementFailedHealthChecksIfUnchanged(WorkerInfo)"),
        PASS_HEALTH_CHECK(2, "resetFailedHealthChecks(String)"),
        SUSPECT(4, "suspect(String, Cause)"),
        CLEAR_SUSPICION(2, "clearSuspicion(String)"),
        HEARTBEAT(2, "heartbeat(String)"),
        HEARTBEAT_OF_A_GENERATION(2, "heartbeat(String, int)"),
        SET_PID(3, "setPid(String, int, long)"),
        REAP_ORPHANS(1, "noteReapedOrphans(int)"),
        REPORT_LEAKS(5, "reportLeaks()"),
        LOOK(10, "get(String)"),
        LOOK_AT_ALL(3, "list()"),
        LOOK_FOR_ALL_IDLE(3, "idleWorkers()"),
        LOOK_FOR_IDLE(3, "findIdleWorker(String)"),
        LOOK_ON_NODE(4, "findByNodeAndModel(String, String)"),
        LISTEN(1, ""),
        LISTEN_NO_MORE(1, ""),
        PASS_TIME(6, "");

        private final int weight;
        private final String method;

        Action(int weight, String method) {
            this.weight = weight;
            this.method = method;
        }
    }

    /** One step: what, and with which of the things at hand. */
    record Step(Action action, int x, int y) {
        @Override
        public String toString() {
            return action + "(" + x + "," + y + ")";
        }
    }

    @Provide
    Arbitrary<List<Step>> lives() {
        List<Tuple.Tuple2<Integer, Action>> weights = Arrays.stream(Action.values())
                .map(action -> Tuple.of(action.weight, action))
                .toList();
        Arbitrary<Integer> choices = Arbitraries.integers().between(0, 59);
        return Combinators.combine(Arbitraries.frequency(weights), choices, choices)
                .as(Step::new)
                .list()
                .ofMaxSize(120)
                .withSizeDistribution(RandomDistribution.uniform());
    }

    @Property(tries = 1_500)
    @StatisticsReport(StatisticsReportMode.OFF)
    void aRegistryDoesWhatItsModelDoes(@ForAll("lives") List<Step> life) {
        try (RegistryBesideItsModel both = new RegistryBesideItsModel()) {
            for (Step step : life) {
                both.take(step);
                both.compareWithoutLooking();
            }
            both.compareAll();
            Statistics.label("edges").collect(both.edges() > 10 ? "many" : "few");
            Statistics.label("edges").coverage(edges -> edges.check("many").percentage(share -> share > 5));
        }
    }

    /** What changes no worker, and has tests of its own. */
    private static final List<String> ELSEWHERE = List.of(
            "noteUnknownHealthCheck(String)",
            "deferEvents(Runnable)",
            "endLeasing(String, int)",
            "isDeliveringEvents()");

    /** Whoever adds an operation adds it here, too. */
    @Example
    void everyOperationIsInTheModel() {
        Stream<String> modelled =
                Arrays.stream(Action.values()).map(action -> action.method).filter(method -> !method.isEmpty());

        assertThat(Arrays.stream(WorkerRegistry.class.getDeclaredMethods())
                        .filter(method -> Modifier.isPublic(method.getModifiers()))
                        .filter(method -> !Modifier.isStatic(method.getModifiers()))
                        .map(RegistryModelProperties::signature))
                .containsExactlyInAnyOrderElementsOf(Stream.of(modelled, ALWAYS.stream(), ELSEWHERE.stream())
                        .flatMap(operations -> operations)
                        .toList());
    }

    private static String signature(Method method) {
        return Arrays.stream(method.getParameterTypes())
                .map(Class::getSimpleName)
                .collect(Collectors.joining(", ", method.getName() + "(", ")"));
    }
}
