package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.STOPPING_BECAUSE_UNHEALTHY;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
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
 * Random sequences of operations, done on a registry and on a plain model of it side by side. The model is
 * single-threaded, keeps no words and no generations in bits, and is meant to be obviously right.
 */
@AddLifecycleHook(UnexpectedWarnings.class)
class RegistryModelProperties {

    private static final List<String> IDS = List.of("a", "b");
    private static final List<String> MODELS = List.of("small", "large");

    /** One step: what, and with which of the things at hand. */
    record Step(Action action, int x, int y) {
        @Override
        public String toString() {
            return action + "(" + x + "," + y + ")";
        }
    }

    private enum Action {
        REGISTER,
        UPDATE_STATE,
        UPDATE_STATE_IF_UNCHANGED,
        REMOVE,
        REMOVE_IF_UNCHANGED,
        REMOVE_BY_EXIT,
        CLEAR,
        TRY_ACQUIRE,
        TRY_ACQUIRE_FROM,
        CLOSE_LEASE,
        FAIL_HEALTH_CHECK,
        FAIL_HEALTH_CHECK_IF_UNCHANGED,
        PASS_HEALTH_CHECK,
        HEARTBEAT,
        SET_PID,
        LOOK,
        LOOK_AT_ALL,
        LOOK_FOR_IDLE,
        PASS_TIME
    }

    @Provide
    Arbitrary<List<Step>> lives() {
        Arbitrary<Action> actions = Arbitraries.frequency(
                Tuple.of(8, Action.REGISTER),
                Tuple.of(20, Action.UPDATE_STATE),
                Tuple.of(6, Action.UPDATE_STATE_IF_UNCHANGED),
                Tuple.of(1, Action.REMOVE),
                Tuple.of(2, Action.REMOVE_IF_UNCHANGED),
                Tuple.of(2, Action.REMOVE_BY_EXIT),
                Tuple.of(1, Action.CLEAR),
                Tuple.of(8, Action.TRY_ACQUIRE),
                Tuple.of(10, Action.TRY_ACQUIRE_FROM),
                Tuple.of(14, Action.CLOSE_LEASE),
                Tuple.of(3, Action.FAIL_HEALTH_CHECK),
                Tuple.of(4, Action.FAIL_HEALTH_CHECK_IF_UNCHANGED),
                Tuple.of(2, Action.PASS_HEALTH_CHECK),
                Tuple.of(2, Action.HEARTBEAT),
                Tuple.of(3, Action.SET_PID),
                Tuple.of(10, Action.LOOK),
                Tuple.of(3, Action.LOOK_AT_ALL),
                Tuple.of(3, Action.LOOK_FOR_IDLE),
                Tuple.of(6, Action.PASS_TIME));
        Arbitrary<Integer> choices = Arbitraries.integers().between(0, 59);
        return Combinators.combine(actions, choices, choices)
                .as(Step::new)
                .list()
                .ofMaxSize(120)
                .withSizeDistribution(RandomDistribution.uniform());
    }

    @Property(tries = 2_000)
    @StatisticsReport(StatisticsReportMode.OFF)
    void aRegistryDoesWhatItsModelDoes(@ForAll("lives") List<Step> life) {
        SideBySide both = new SideBySide();
        for (Step step : life) {
            both.take(step);
            both.compareWithoutLooking();
        }
        both.compareAll();
        Statistics.label("edges").collect(both.edges > 10 ? "many" : "few");
        Statistics.label("edges").coverage(edges -> edges.check("many").percentage(share -> share > 3));
    }

    /** A worker in the model. */
    private static final class Modelled {
        private final String id;
        private final String modelRef;
        private final int slots;
        private WorkerState state;
        private int inUse;
        private boolean reported;
        private boolean workedSinceLook;
        private Instant lastActivity;
        private int failed;
        private long pid;
        private int generation = 1;
        private int restarts;
        private Instant lastHeartbeat;
        private Instant startedAt;

        /** How often this worker became Idle: a caller who saw it Idle must not miss that it worked since. */
        private int idleSpell;

        private Modelled(String id, String modelRef, int slots, WorkerState state, Instant now) {
            this.id = id;
            this.modelRef = modelRef;
            this.slots = slots;
            this.state = state;
            reported = state instanceof Busy;
            inUse = reported ? 1 : 0;
            lastActivity = now;
            startedAt = now;
        }

        /** A lease moves a worker between Idle and Busy. */
        private void lease(int slotsMore) {
            inUse += slotsMore;
            workedSinceLook = true;
            if (state.routable()) {
                state = inUse == 0 ? IDLE : BUSY;
                idleSpell += inUse == 0 ? 1 : 0;
            }
        }

        private boolean canLease() {
            return state.routable() && !reported && inUse < slots;
        }

        private int level() {
            return Math.min(inUse, 1);
        }

        private void look(Instant now) {
            if (workedSinceLook) {
                lastActivity = lastActivity.isBefore(now) ? now : lastActivity.plusNanos(1);
                workedSinceLook = false;
            }
        }

        private WorkerInfo info() {
            WorkerInfo.Builder info = WorkerInfo.builder()
                    .id(id)
                    .url("http://" + id)
                    .modelRef(modelRef)
                    .state(state)
                    .lastActivity(lastActivity)
                    .slotsTotal(slots)
                    .slotsInUse(inUse)
                    .failedHealthChecks(failed)
                    .generation(generation)
                    .restarts(restarts)
                    .startedAt(startedAt);
            if (pid > 0) {
                info.pid(pid);
            }
            if (lastHeartbeat != null) {
                info.lastHeartbeat(lastHeartbeat);
            }
            return info.build();
        }
    }

    private static final class ModelledLease {
        private final SlotLease lease;
        private final Modelled worker;
        private final int generation;
        private boolean closed;

        private ModelledLease(SlotLease lease, Modelled worker) {
            this.lease = lease;
            this.worker = worker;
            generation = worker.generation;
        }

        private boolean holds(Map<String, Modelled> members) {
            return !closed
                    && members.get(worker.id) == worker
                    && worker.generation == generation
                    && !(worker.state instanceof BackingOff);
        }
    }

    private record Memory(WorkerInfo seen, Modelled worker, int idleSpell) {}

    /** The registry and its model, and what a caller keeps: leases, snapshots, the events heard. */
    private static final class SideBySide {
        private final VirtualTime time = new VirtualTime();
        private final WorkerRegistry registry =
                WorkerRegistry.builder().clock(time).node("here").build();
        private final RecordingListener heard = new RecordingListener();

        private final Map<String, Modelled> members = new LinkedHashMap<>();
        private final List<ModelledLease> leases = new ArrayList<>();
        private final List<Memory> memories = new ArrayList<>();
        private final List<String> events = new ArrayList<>();
        private final Map<Exit.Cause, Long> endedBy = new HashMap<>();
        private int edges;

        private SideBySide() {
            registry.subscribe(heard, Runnable::run);
        }

        private void take(Step step) {
            time.advance(Duration.ofNanos(1)); // time tells one step from the next, and a worker from its successor
            String id = IDS.get(step.x % IDS.size());
            Modelled worker = members.get(id);
            switch (step.action) {
                case REGISTER -> register(id, step);
                case UPDATE_STATE -> {
                    updateState(worker, id, next(worker, step.y));
                    glance(worker);
                }
                case UPDATE_STATE_IF_UNCHANGED ->
                    withMemory(step, memory -> {
                        updateIfUnchanged(memory, step.y);
                        glance(members.get(memory.worker.id));
                    });
                case REMOVE -> {
                    Optional<WorkerInfo> removed = registry.remove(id);
                    assertLeft(removed, worker, Exit.Cause.DEREGISTERED, false);
                }
                case REMOVE_IF_UNCHANGED -> withMemory(step, this::removeIfUnchanged);
                case REMOVE_BY_EXIT -> removeByExit(worker, step.y % 3 - 1);
                case CLEAR -> clear();
                case TRY_ACQUIRE -> tryAcquire(MODELS.get(step.x % MODELS.size()));
                case TRY_ACQUIRE_FROM -> tryAcquireFrom(worker, id);
                case CLOSE_LEASE -> closeLease(step);
                case FAIL_HEALTH_CHECK -> assertFailed(registry.incrementFailedHealthChecks(id), worker, true);
                case FAIL_HEALTH_CHECK_IF_UNCHANGED ->
                    withMemory(
                            step,
                            memory -> assertFailed(
                                    registry.incrementFailedHealthChecksIfUnchanged(memory.seen),
                                    memory.worker,
                                    isUnchanged(memory)));
                case PASS_HEALTH_CHECK -> {
                    assertThat(registry.resetFailedHealthChecks(id)).isEqualTo(worker != null);
                    if (worker != null) {
                        worker.failed = 0;
                    }
                }
                case HEARTBEAT -> {
                    assertThat(registry.heartbeat(id)).isEqualTo(worker != null);
                    if (worker != null) {
                        worker.lastHeartbeat = time.instant();
                    }
                }
                case SET_PID -> setPid(worker, id, step.y % 3 - 1);
                case LOOK -> look(worker, id);
                case LOOK_AT_ALL -> compareAll();
                case LOOK_FOR_IDLE -> lookForIdle();
                case PASS_TIME -> time.advance(Duration.ofSeconds(step.y));
            }
        }

        private void register(String id, Step step) {
            Instant now = time.instant();
            WorkerState state = List.of(new Loading(now), IDLE, BUSY).get(step.x % 7 % 3);
            Modelled worker = new Modelled(id, MODELS.get(step.y % MODELS.size()), step.y % 3 + 1, state, now);
            if (members.containsKey(id)) {
                assertThatExceptionOfType(DuplicateWorkerException.class)
                        .isThrownBy(() -> registry.register(worker.info()));
            } else {
                registry.register(worker.info());
                members.put(id, worker);
                events.add("Registered " + id);
            }
        }

        /** Mostly a state that may follow, else any. */
        private WorkerState next(Modelled worker, int choice) {
            WorkerInfo some = worker == null ? worker("nobody").build() : worker.info();
            List<WorkerState> states = List.of(
                    IDLE,
                    BUSY,
                    new Loading(time.instant()),
                    backingOff(some),
                    STOPPING_BECAUSE_UNHEALTHY,
                    choice % 7 == 0 ? STOPPING : IDLE);
            List<WorkerState> legal = worker == null || choice % 4 == 0
                    ? List.of()
                    : states.stream().filter(state -> mayGoTo(worker, state)).toList();
            List<WorkerState> from = legal.isEmpty() ? states : legal;
            return from.get(choice % from.size());
        }

        private void updateState(Modelled worker, String id, WorkerState next) {
            if (worker == null) {
                assertThat(registry.updateState(id, next)).isEmpty();
            } else if (mayGoTo(worker, next)) {
                Optional<WorkerInfo> after = registry.updateState(id, next);
                go(worker, next);
                assertThat(after).contains(worker.info());
            } else {
                assertThatExceptionOfType(IllegalTransitionException.class)
                        .isThrownBy(() -> registry.updateState(id, next));
            }
        }

        private void updateIfUnchanged(Memory memory, int choice) {
            WorkerState next = next(memory.worker, choice);
            if (!isUnchanged(memory)) {
                assertThat(registry.updateStateIfUnchanged(memory.seen, next)).isEmpty();
            } else if (mayGoTo(memory.worker, next)) {
                Optional<WorkerInfo> after = registry.updateStateIfUnchanged(memory.seen, next);
                go(memory.worker, next);
                assertThat(after).contains(memory.worker.info());
            } else {
                assertThatExceptionOfType(IllegalTransitionException.class)
                        .isThrownBy(() -> registry.updateStateIfUnchanged(memory.seen, next));
            }
        }

        private static boolean mayGoTo(Modelled worker, WorkerState next) {
            boolean leased = worker.inUse > 0 && !worker.reported;
            if (worker.state.routable() && next.routable()) {
                return !leased;
            }
            return switch (worker.state.label()) {
                case "loading" -> next instanceof Idle || next instanceof Stopping || next instanceof BackingOff;
                case "idle", "busy" -> next instanceof Stopping || next instanceof BackingOff;
                case "backing_off" -> next instanceof Loading;
                default -> next instanceof BackingOff && worker.state.equals(STOPPING_BECAUSE_UNHEALTHY);
            };
        }

        private void go(Modelled worker, WorkerState next) {
            Instant now = time.instant();
            WorkerState from = worker.state;
            worker.look(now);
            if (next.equals(from)) {
                return;
            }
            edges++;
            worker.idleSpell++;
            worker.state = next;
            if (worker.reported) {
                worker.inUse = 0; // nobody could give back what the host reported
            }
            worker.reported = next instanceof Busy;
            if (next.routable()) {
                worker.lastActivity = now;
                worker.inUse = worker.reported ? worker.slots : 0;
                if (from instanceof Loading) {
                    worker.failed = 0;
                    events.add("BecameReady " + worker.id);
                }
            } else if (next instanceof BackingOff) {
                worker.inUse = 0;
                worker.failed = 0;
                worker.pid = 0;
                endedBy.merge(Exit.Cause.CRASHED, 1L, Long::sum);
                events.add("Crashed " + worker.id);
                events.add("RestartScheduled " + worker.id);
            } else if (next instanceof Loading loading) {
                worker.generation++;
                worker.restarts++;
                worker.startedAt = loading.since();
                worker.lastActivity = now;
                worker.failed = 0;
                worker.pid = 0;
                worker.lastHeartbeat = null;
                events.add("Restarted " + worker.id);
            } else {
                events.add("Stopping " + worker.id);
            }
        }

        private interface WithMemory {
            void accept(Memory memory);
        }

        private void withMemory(Step step, WithMemory action) {
            if (!memories.isEmpty()) {
                action.accept(memories.get(Math.max(0, memories.size() - 1 - step.x % 4)));
            }
        }

        private boolean isUnchanged(Memory memory) {
            Modelled worker = memory.worker;
            return members.get(worker.id) == worker
                    && worker.generation == memory.seen.generation()
                    && worker.state.equals(memory.seen.state())
                    && (!(worker.state instanceof Idle) || worker.idleSpell == memory.idleSpell);
        }

        private void removeIfUnchanged(Memory memory) {
            boolean unchanged = isUnchanged(memory);
            Optional<WorkerInfo> removed = registry.removeIfUnchanged(memory.seen, Exit.Cause.IDLE_TIMEOUT);
            assertLeft(removed, unchanged ? memory.worker : null, Exit.Cause.IDLE_TIMEOUT, false);
        }

        private void removeByExit(Modelled worker, int generationOff) {
            if (worker != null && worker.generation + generationOff >= 0) {
                WorkerInfo info = worker.info();
                Exit exit = crash(info.toBuilder()
                        .generation(worker.generation + generationOff)
                        .build());
                boolean crashNotToldYet = !(worker.state instanceof BackingOff);
                assertLeft(
                        registry.removeExited(exit),
                        generationOff == 0 ? worker : null,
                        Exit.Cause.CRASHED,
                        crashNotToldYet);
            }
        }

        private void clear() {
            List<Modelled> all = List.copyOf(members.values());
            List<WorkerInfo> removed = registry.clear();
            assertThat(removed).hasSize(all.size());
            for (int i = 0; i < all.size(); i++) {
                assertLeft(Optional.of(removed.get(i)), all.get(i), Exit.Cause.DEREGISTERED, false);
            }
        }

        private void assertLeft(Optional<WorkerInfo> removed, Modelled worker, Exit.Cause cause, boolean crashed) {
            assertThat(removed).isEqualTo(Optional.ofNullable(worker).map(Modelled::info));
            if (worker != null) {
                members.remove(worker.id);
                if (!(worker.state instanceof BackingOff)) {
                    endedBy.merge(cause, 1L, Long::sum); // not the same end twice
                }
                if (crashed) {
                    events.add("Crashed " + worker.id);
                }
                events.add("Removed " + worker.id);
            }
        }

        private void tryAcquire(String modelRef) {
            boolean anyFree =
                    members.values().stream().anyMatch(worker -> worker.modelRef.equals(modelRef) && worker.canLease());
            Optional<SlotLease> lease = registry.tryAcquire(modelRef);
            assertThat(lease.isPresent()).isEqualTo(anyFree);
            lease.ifPresent(taken -> {
                Modelled worker = members.get(taken.workerId());
                assertThat(worker.modelRef).isEqualTo(modelRef);
                assertThat(worker.canLease()).isTrue();
                assertThat(members.values())
                        .filteredOn(other -> other.modelRef.equals(modelRef) && other.canLease())
                        .as("a busy one if there is one: to pack is the default")
                        .noneMatch(other -> other.level() > worker.level());
                leased(taken, worker);
            });
        }

        private void tryAcquireFrom(Modelled worker, String id) {
            Optional<SlotLease> lease = registry.tryAcquireFrom(id);
            assertThat(lease.isPresent()).isEqualTo(worker != null && worker.canLease());
            lease.ifPresent(taken -> leased(taken, worker));
        }

        private void leased(SlotLease lease, Modelled worker) {
            assertThat(lease.generation()).isEqualTo(worker.generation);
            assertThat(lease.workerId()).isEqualTo(worker.id);
            worker.lease(1);
            leases.add(new ModelledLease(lease, worker));
        }

        private void closeLease(Step step) {
            if (!leases.isEmpty()) {
                ModelledLease lease = leases.get(Math.max(0, leases.size() - 1 - step.x % 8));
                boolean held = lease.holds(members);
                lease.lease.close();
                lease.closed = true;
                if (held) {
                    lease.worker.lease(-1);
                }
            }
        }

        private void assertFailed(OptionalInt count, Modelled worker, boolean applies) {
            if (worker == null || !applies) {
                assertThat(count).isEmpty();
            } else {
                worker.failed++;
                events.add("HealthCheckFailed " + worker.id);
                assertThat(count).hasValue(worker.failed);
            }
        }

        private void setPid(Modelled worker, String id, int generationOff) {
            int generation = (worker == null ? 1 : worker.generation) + generationOff;
            Optional<WorkerInfo> after = registry.setPid(id, generation, 4711);
            if (worker == null || generationOff != 0) {
                assertThat(after).isEmpty();
            } else {
                worker.pid = 4711;
                assertThat(after).contains(worker.info());
            }
        }

        private void look(Modelled worker, String id) {
            Optional<WorkerInfo> seen = registry.get(id);
            if (worker == null) {
                assertThat(seen).isEmpty();
            } else {
                worker.look(time.instant());
                assertThat(seen).contains(worker.info());
                memories.add(new Memory(seen.orElseThrow(), worker, worker.idleSpell));
            }
        }

        /** A step that was refused may count as a look or not: a look at both makes them even. */
        private void glance(Modelled worker) {
            if (worker != null) {
                worker.look(time.instant());
                assertThat(registry.get(worker.id)).contains(worker.info());
            }
        }

        private void lookForIdle() {
            Instant now = time.instant();
            List<WorkerInfo> idle = registry.idleWorkers();
            members.values().forEach(worker -> worker.look(now));
            assertThat(idle)
                    .isEqualTo(members.values().stream()
                            .filter(worker -> worker.state instanceof Idle)
                            .map(Modelled::info)
                            .toList());
            for (String modelRef : MODELS) {
                List<WorkerInfo> idleOfModel = idle.stream()
                        .filter(worker -> worker.modelRef().equals(modelRef))
                        .toList();
                Optional<WorkerInfo> found = registry.findIdleWorker(modelRef);
                assertThat(found.isPresent()).isEqualTo(!idleOfModel.isEmpty());
                found.ifPresent(worker -> assertThat(idleOfModel).contains(worker));
            }
        }

        private void compareAll() {
            Instant now = time.instant();
            members.values().forEach(worker -> worker.look(now));
            assertThat(registry.list())
                    .isEqualTo(members.values().stream().map(Modelled::info).toList());
        }

        /** What can be compared after every step, without a look that would stamp what was not looked at. */
        private void compareWithoutLooking() {
            assertThat(leases)
                    .allSatisfy(lease -> assertThat(lease.lease.isValid()).isEqualTo(lease.holds(members)));
            for (Modelled worker : members.values()) {
                long open = leases.stream()
                        .filter(lease -> lease.worker == worker && lease.holds(members))
                        .count();
                assertThat(worker.inUse).isBetween((int) open, worker.slots);
                assertThat(worker.reported || worker.state instanceof Stopping || worker.inUse == open)
                        .isTrue();
            }
            RegistryStats stats = registry.stats();
            assertThat(stats.workers()).isEqualTo(members.size());
            assertThat(stats.slotsInUse())
                    .isEqualTo(members.values().stream()
                            .filter(worker -> worker.state.routable())
                            .mapToLong(worker -> worker.inUse)
                            .sum());
            assertThat(stats.endedBy()).isEqualTo(endedBy);
            assertThat(heard.events())
                    .extracting(event -> event.getClass().getSimpleName() + " "
                            + ((WorkerEvent.OfWorker) event).worker().id())
                    .isEqualTo(events);
        }
    }
}
