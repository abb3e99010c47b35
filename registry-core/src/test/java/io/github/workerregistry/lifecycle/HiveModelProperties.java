package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.UnexpectedWarnings;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.RandomDistribution;
import net.jqwik.api.Tuple;
import net.jqwik.api.lifecycle.AddLifecycleHook;
import net.jqwik.api.statistics.Statistics;
import net.jqwik.api.statistics.StatisticsReport;
import net.jqwik.api.statistics.StatisticsReport.StatisticsReportMode;

/**
 * Random life cycles of three workers in virtual time, with rules of their own or the supervisor's, compared with a
 * {@link WorkerModel} of each after every step.
 */
@AddLifecycleHook(UnexpectedWarnings.class)
class HiveModelProperties {

    /** Causes that no step of the histories leads to. */
    private static final Set<Cause> NOT_MODELLED =
            EnumSet.of(Cause.BUSY_TIMEOUT, Cause.REPLACED, Cause.EVICTED, Cause.REQUESTS_FAILED);

    /** The actions of a hive, a worker or the machine, with their weights. */
    enum Action {
        SPAWN(20),
        FAIL_NEXT_START(2),
        READY(14),
        LEASE(14),
        RELEASE(12),
        EXIT(12),
        EXIT_UNNOTICED(4),
        ANSWER(10),
        ANSWER_ALL(4),
        IGNORE_TERMINATE(3),
        IGNORE_KILL(1),
        PRINT(3),
        LOG_PROBES(3),
        PROGRESS(1),
        BEAT(4),
        BEAT_ALL(2),
        STOP(4),
        FORCE_KILL(2),
        REPLACE(6),
        RESTART(4),
        REMOVE(2),
        SET_WALL_CLOCK(2),
        PAUSE(4),
        PASS_TIME(70),
        SHUT_DOWN(1);

        private final int weight;

        Action(int weight) {
            this.weight = weight;
        }
    }

    /** One step: the action, the worker and a parameter. */
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
        return Combinators.combine(
                        Arbitraries.frequency(weights),
                        Arbitraries.integers().between(0, 11),
                        Arbitraries.integers().between(0, 79))
                .as(Step::new)
                .list()
                .ofMaxSize(80)
                .withSizeDistribution(RandomDistribution.uniform());
    }

    @Provide
    Arbitrary<List<ModelOverrides>> overrides() {
        return ModelOverrides.random().list().ofMinSize(1).ofMaxSize(5);
    }

    @Property(tries = 1_000)
    @StatisticsReport(StatisticsReportMode.OFF)
    void workersBehaveAsTheirModels(
            @ForAll("histories") List<Step> history,
            @ForAll RestartPolicy.Mode mode,
            @ForAll boolean probed,
            @ForAll("overrides") List<ModelOverrides> overrides,
            @ForAll boolean endInGoodOrder) {
        ModelCheckedHive.allowWarnings();
        ModelCheckedHive hive = new ModelCheckedHive(mode, probed, overrides);
        hive.spawnAll();
        for (Step step : history) {
            hive.apply(step);
            hive.compare();
        }
        hive.end(endInGoodOrder);
        requireEveryCause(hive.causesOfExits());
    }

    /** Every other cause of an exit must occur. */
    private static void requireEveryCause(Set<Cause> ends) {
        ends.forEach(cause -> Statistics.label("ends").collect(cause));
        Statistics.label("ends")
                .coverage(coverage -> EnumSet.complementOf(EnumSet.copyOf(NOT_MODELLED))
                        .forEach(cause -> coverage.check(cause).count(exits -> exits > 0)));
    }
}
