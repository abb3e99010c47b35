package io.github.workerregistry.pool;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.pool.Plan.Evict;
import io.github.workerregistry.pool.Plan.Refusal;
import io.github.workerregistry.pool.Plan.Refuse;
import io.github.workerregistry.pool.Plan.Start;
import io.github.workerregistry.pool.Plan.Step;
import io.github.workerregistry.pool.Plan.Stop;
import io.github.workerregistry.pool.PoolConfig.Device;
import io.github.workerregistry.pool.WorkerSnapshot.Phase;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The planner as what it is: a function from data to data. */
@ExtendWith(UnexpectedWarnings.class)
class PlannerTest {

    private static final Instant NOW = Instant.parse("2026-01-01T00:00:00Z");
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration MAX_WAIT = Duration.ofSeconds(30);

    private static Plan plan(long units, ModelSnapshot... models) {
        return Planner.plan(new PoolSnapshot(
                NOW,
                List.of(new Device("cpu", 0, units)),
                10,
                MAX_WAIT,
                Admission.EVICT,
                EvictionPolicy.leastRecentlyUsed(),
                Arrays.asList(models)));
    }

    private static ModelSpec.Builder spec(String name) {
        return ModelSpec.builder(name)
                .worker(WorkerSpec.builder().command("serve", "{port}"))
                .maxWorkers(3);
    }

    private static ModelSnapshot model(ModelSpec.Builder spec, Demand demand, WorkerSnapshot... workers) {
        return new ModelSnapshot(
                spec.build(),
                false,
                true,
                Optional.of(Duration.ofMinutes(5)),
                Optional.empty(),
                demand,
                Arrays.asList(workers),
                List.of());
    }

    private static Demand waiting(String model, int waiting, Duration longest) {
        return new Demand(waiting, 0, longest, Map.of(SlotRequest.forModel(model), longest), false);
    }

    private static WorkerSnapshot worker(String id, Phase phase, int inUse, Duration idle) {
        WorkerState state = phase != Phase.READY
                ? new WorkerState.Loading(NOW)
                : inUse == 0 ? new WorkerState.Idle() : new WorkerState.Busy();
        WorkerInfo info = WorkerInfo.builder()
                .id(id)
                .url("http://w")
                .modelRef(id.substring(0, 1))
                .state(state)
                .slotsTotal(2)
                .slotsInUse(inUse)
                .startedAt(NOW)
                .build();
        return new WorkerSnapshot(info, new Placement("cpu", List.of(0), 1), phase, idle, idle, SECOND);
    }

    private static WorkerSnapshot idle(String id, Duration idle) {
        return worker(id, Phase.READY, 0, idle);
    }

    private static WorkerSnapshot busy(String id) {
        return worker(id, Phase.READY, 2, Duration.ZERO);
    }

    private static List<Object> describe(Plan plan) {
        return plan.steps().stream().map(PlannerTest::describe).toList();
    }

    private static Object describe(Step step) {
        if (step instanceof Start start) {
            return "start " + start.modelRef();
        } else if (step instanceof Evict evict) {
            return "evict " + evict.worker().id() + " for " + evict.forModel() + " " + evict.reason();
        } else if (step instanceof Stop stop) {
            return "stop " + stop.worker().id() + " " + stop.reason();
        }
        Refuse refuse = (Refuse) step;
        return "refuse " + refuse.modelRef() + " " + refuse.refusal();
    }

    @Test
    void nothingIsDoneWithoutDemand() {
        assertThat(plan(1, model(spec("a"), Demand.NONE))).isEqualTo(new Plan(List.of(), Set.of(), Optional.empty()));
    }

    @Test
    void sameSnapshotMakesTheSamePlan() {
        ModelSnapshot a = model(spec("a"), waiting("a", 1, SECOND));
        assertThat(plan(1, a)).isEqualTo(plan(1, a));
    }

    @Test
    void waiterStartsOneWorkerHoweverManyWait() {
        assertThat(describe(plan(9, model(spec("a"), waiting("a", 100, MAX_WAIT)))))
                .containsExactly("start a");
    }

    @Test
    void loadInProgressIsJoined() {
        WorkerSnapshot loading = worker("a-1", Phase.LOADING, 0, Duration.ZERO);
        assertThat(plan(9, model(spec("a"), waiting("a", 100, MAX_WAIT), loading))
                        .steps())
                .isEmpty();
    }

    @Test
    void workerThatFailsIsAwaitedBeforeAnotherLoad() {
        WorkerSnapshot failing = worker("a-1", Phase.FAILING, 0, Duration.ZERO);
        assertThat(plan(9, model(spec("a"), waiting("a", 1, SECOND), failing)).steps())
                .isEmpty();
    }

    @Test
    void unitsOfAWorkerThatEndsAreClaimed() {
        WorkerSnapshot ending = worker("b-1", Phase.ENDING, 0, Duration.ZERO);
        Plan plan = plan(1, model(spec("a"), waiting("a", 1, SECOND)), model(spec("b"), Demand.NONE, ending));
        assertThat(plan.steps()).isEmpty();
    }

    @Test
    void roomThatIsBeingFreedIsReservedOnce() {
        Plan plan = plan(
                2,
                model(spec("a"), waiting("a", 1, SECOND.multipliedBy(2))),
                model(spec("c"), waiting("c", 1, SECOND)),
                model(spec("b"), Demand.NONE, worker("b-1", Phase.ENDING, 0, Duration.ZERO), idle("b-2", SECOND)));
        assertThat(describe(plan)).containsExactly("evict b-2 for c IDLE");
    }

    @Test
    void oldestWaiterIsServedFirst() {
        Plan plan = plan(
                1,
                model(spec("a"), waiting("a", 9, SECOND)),
                model(spec("b"), waiting("b", 1, SECOND.multipliedBy(2))));
        assertThat(describe(plan)).containsExactly("start b");
    }

    @Test
    void leastRecentlyUsedIsTheVictim() {
        Plan plan = plan(
                2,
                model(spec("a"), waiting("a", 1, SECOND)),
                model(spec("b"), Demand.NONE, idle("b-1", SECOND)),
                model(spec("c"), Demand.NONE, idle("c-1", SECOND.multipliedBy(2))));
        assertThat(describe(plan)).containsExactly("evict c-1 for a IDLE");
    }

    @Test
    void noMoreVictimsThanNeeded() {
        Plan plan = plan(
                3,
                model(spec("a").units(2), waiting("a", 1, SECOND)),
                model(spec("b"), Demand.NONE, idle("b-1", SECOND)),
                model(spec("c"), Demand.NONE, idle("c-1", SECOND.multipliedBy(2))));
        assertThat(describe(plan)).containsExactly("evict c-1 for a IDLE");
    }

    @Test
    void busyWorkerIsWatchedBeforeMaxWaitAndDrainedAfterIt() {
        Plan before = plan(1, model(spec("a"), waiting("a", 1, SECOND)), model(spec("b"), Demand.NONE, busy("b-1")));
        assertThat(before.steps()).isEmpty();
        assertThat(before.watched()).containsExactly("b-1");
        assertThat(before.wakeIn()).contains(MAX_WAIT.minus(SECOND));

        Plan after = plan(1, model(spec("a"), waiting("a", 1, MAX_WAIT)), model(spec("b"), Demand.NONE, busy("b-1")));
        assertThat(describe(after)).containsExactly("evict b-1 for a MAX_WAIT_BUSY");
    }

    @Test
    void idleVictimIsPreferredToABusyOneAfterMaxWait() {
        Plan plan = plan(
                2,
                model(spec("a"), waiting("a", 1, MAX_WAIT)),
                model(spec("b"), Demand.NONE, busy("b-1")),
                model(spec("c"), Demand.NONE, idle("c-1", SECOND)));
        assertThat(describe(plan)).containsExactly("evict c-1 for a IDLE");
    }

    @Test
    void loadingWorkerIsNoVictimWhileItIsWaitedFor() {
        WorkerSnapshot loading = worker("b-1", Phase.LOADING, 0, Duration.ZERO);
        assertThat(plan(
                                1,
                                model(spec("a"), waiting("a", 1, MAX_WAIT)),
                                model(spec("b"), waiting("b", 1, SECOND), loading))
                        .steps())
                .isEmpty();
        assertThat(describe(plan(1, model(spec("a"), waiting("a", 1, SECOND)), model(spec("b"), Demand.NONE, loading))))
                .containsExactly("evict b-1 for a UNWANTED_LOAD");
    }

    @Test
    void overdueNeedKeepsItsRoomFromLaterOnes() {
        Plan plan = plan(
                2,
                model(spec("a").units(2), waiting("a", 1, MAX_WAIT)),
                model(spec("b"), waiting("b", 1, SECOND), worker("b-1", Phase.LOADING, 0, Duration.ZERO)),
                model(spec("c"), waiting("c", 1, SECOND)));
        assertThat(plan.steps()).isEmpty(); // one unit is free, and a needs it
    }

    @Test
    void requestIsRefusedWhenProtectedWorkersHoldTheRoom() {
        Plan plan = plan(
                1,
                model(spec("a"), waiting("a", 1, SECOND)),
                model(spec("b").minWorkers(1), Demand.NONE, idle("b-1", SECOND)));
        assertThat(describe(plan)).containsExactly("refuse a " + Refusal.NO_CAPACITY);
    }

    @Test
    void furtherWorkerIsStartedOnlyAfterTheDelayAndForMoreWaitersThanSlots() {
        assertThat(plan(9, model(spec("a"), waiting("a", 1, Duration.ofMillis(400)), busy("a-1")))
                        .wakeIn())
                .contains(Duration.ofMillis(600));
        assertThat(describe(plan(9, model(spec("a"), waiting("a", 1, SECOND), busy("a-1")))))
                .containsExactly("start a");
        assertThat(plan(9, model(spec("a"), waiting("a", 2, SECOND), idle("a-1", SECOND)))
                        .steps())
                .isEmpty();
    }

    @Test
    void furtherWorkerTakesOnlyTheSurplusOfOtherModels() {
        ModelSnapshot a = model(spec("a"), waiting("a", 1, MAX_WAIT), busy("a-1"));
        assertThat(plan(2, a, model(spec("b"), Demand.NONE, idle("b-1", SECOND)))
                        .steps())
                .isEmpty();
        assertThat(describe(plan(3, a, model(spec("b"), Demand.NONE, idle("b-1", SECOND), idle("b-2", SECOND)))))
                .containsExactly("evict b-1 for a IDLE");
    }

    @Test
    void firstWorkerIsServedBeforeAFurtherOne() {
        Plan plan = plan(
                2, model(spec("a"), waiting("a", 1, MAX_WAIT), busy("a-1")), model(spec("b"), waiting("b", 1, SECOND)));
        assertThat(describe(plan)).containsExactly("start b");
    }

    @Test
    void minimumIsDemand() {
        assertThat(describe(plan(9, model(spec("a").minWorkers(2), Demand.NONE))))
                .containsExactly("start a");
        assertThat(plan(9, model(spec("a").minWorkers(1), Demand.NONE, idle("a-1", SECOND)))
                        .steps())
                .isEmpty();
    }

    /** Report 27: a scale-down killed a running replica and kept those that started. */
    @Test
    void surplusThatLoadsGoesFirst() {
        Plan plan = plan(
                9,
                model(
                        spec("a").maxWorkers(1),
                        Demand.NONE,
                        idle("a-1", SECOND),
                        worker("a-2", Phase.LOADING, 0, Duration.ZERO)));
        assertThat(describe(plan)).containsExactly("stop a-2 " + StopReason.REQUESTED);
    }

    @Test
    void busySurplusIsWatched() {
        Plan plan = plan(9, model(spec("a").maxWorkers(1), Demand.NONE, busy("a-1"), busy("a-2")));
        assertThat(plan.steps()).isEmpty();
        assertThat(plan.watched()).hasSize(1);
    }

    @Test
    void idleWorkerIsStoppedOnlyInAPassThatStartsNone() {
        ModelSnapshot idle = model(spec("a"), Demand.NONE, idle("a-1", Duration.ofMinutes(5)));
        assertThat(describe(plan(9, idle))).containsExactly("stop a-1 " + StopReason.IDLE_TIMEOUT);
        assertThat(describe(plan(9, idle, model(spec("b"), waiting("b", 1, SECOND)))))
                .containsExactly("start b");
    }

    @Test
    void planOfAThousandModelsWithOneLoadedIsMadeInOnePass() {
        ModelSnapshot[] models = new ModelSnapshot[1_000];
        for (int i = 0; i < models.length; i++) {
            models[i] = model(spec("m" + i), waiting("m" + i, 10, SECOND.multipliedBy(i + 1)));
        }
        assertThat(describe(plan(3, models))).containsExactly("start m999", "start m998", "start m997");
    }
}
