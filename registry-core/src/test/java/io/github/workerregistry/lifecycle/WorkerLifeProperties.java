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

/** Random lives of three workers in virtual time, held against a {@link ModelledLife} of each after every step. */
@AddLifecycleHook(UnexpectedWarnings.class)
class WorkerLifeProperties {

    /** What can be done, by the host, a worker, or fate; and how often it is. */
    enum Action {
        SPAWN(20),
        FAIL_NEXT_START(2),
        READY(14),
        LEASE(14),
        GIVE_BACK(12),
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

    /** One step: what, to which worker, and how. */
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
        return Combinators.combine(
                        Arbitraries.frequency(weights),
                        Arbitraries.integers().between(0, 11),
                        Arbitraries.integers().between(0, 79))
                .as(Step::new)
                .list()
                .ofMaxSize(80)
                .withSizeDistribution(RandomDistribution.uniform());
    }

    @Property(tries = 1_000)
    @StatisticsReport(StatisticsReportMode.OFF)
    void workersLiveAsTheirModelsDo(
            @ForAll("lives") List<Step> life, @ForAll RestartPolicy.Mode mode, @ForAll boolean endInGoodOrder) {
        HiveBesideItsModel.allowWarnings();
        HiveBesideItsModel hive = new HiveBesideItsModel(mode);
        hive.spawnAll();
        for (Step step : life) {
            hive.take(step);
            hive.compare();
        }
        hive.end(endInGoodOrder);
        requireEveryEnd(hive.causesOfEnds());
    }

    /** No property of dull lives: each way to end must be among them. */
    private static void requireEveryEnd(Set<Cause> ends) {
        ends.forEach(cause -> Statistics.label("ends").collect(cause));
        Statistics.label("ends")
                .coverage(coverage -> EnumSet.complementOf(EnumSet.of(Cause.BUSY_LIMIT))
                        .forEach(cause -> coverage.check(cause).count(lives -> lives > 0)));
    }
}
