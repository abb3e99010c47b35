package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.STOPPING_BECAUSE_UNHEALTHY;
import static io.github.workerregistry.SomeWorkers.exit;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.workerregistry.RegistryModel.Lease;
import io.github.workerregistry.RegistryModel.Memory;
import io.github.workerregistry.RegistryModelProperties.Step;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.slf4j.LoggerFactory;

/**
 * A registry and its model, and what a caller keeps: leases, snapshots, subscriptions. Every step is done on both, and
 * what comes back is compared.
 */
final class RegistryBesideItsModel implements AutoCloseable {

    private static final List<String> IDS = List.of("a", "b");
    private static final List<String> MODELS = List.of("small", "large");
    private static final List<Exit.Cause> CAUSES = List.of(Exit.Cause.CRASHED, Exit.Cause.EXITED, Exit.Cause.UNHEALTHY);
    private static final Duration LEAK_THRESHOLD = Duration.ofSeconds(20);

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry = WorkerRegistry.builder()
            .clock(time)
            .node("here")
            .leaseLeakThreshold(LEAK_THRESHOLD)
            .build();
    private final RegistryModel model = new RegistryModel();

    private final List<Memory> memories = new ArrayList<>();
    private final List<Ear> ears = new ArrayList<>();
    private final ListAppender<ILoggingEvent> leakLog = new ListAppender<>();

    /** A listener, which hears everything from the moment when it came to the moment when it goes. */
    private final class Ear {
        private final RecordingListener heard = new RecordingListener();
        private final Subscription subscription = registry.subscribe(heard, Runnable::run);
        private final int from = model.events.size();
        private OptionalInt until = OptionalInt.empty();

        private void shut() {
            subscription.close();
            until = OptionalInt.of(until.orElse(model.events.size()));
        }

        private void compare() {
            assertThat(heard.events()).isEqualTo(model.events.subList(from, until.orElse(model.events.size())));
        }
    }

    /** What the checker has been asked to check. */
    private final List<FailedLease> checked = new ArrayList<>();

    private boolean checks;

    RegistryBesideItsModel() {
        ears.add(new Ear());
        registry.checkFailedLeases(lease -> {
            checked.add(lease);
            return checks ? Optional.of(Duration.ofDays(1)) : Optional.empty();
        });
        leakLog.start();
        leakLogger().addAppender(leakLog);
    }

    private static Logger leakLogger() {
        return (Logger) LoggerFactory.getLogger(LeaseLeaks.class);
    }

    @Override
    public void close() {
        checked.forEach(FailedLease::resume); // or their timers would stay
        leakLogger().detachAppender(leakLog);
    }

    int edges() {
        return model.edges;
    }

    void take(Step step) {
        time.advance(Duration.ofNanos(1)); // time tells one step from the next, and a worker from its successor
        String id = IDS.get(step.x() % IDS.size());
        String modelRef = MODELS.get(step.x() % MODELS.size());
        ModelledWorker worker = model.get(id);
        switch (step.action()) {
            case REGISTER -> register(id, step.x(), step.y());
            case UPDATE_STATE -> changeState(worker, step, true, next -> registry.updateState(id, next));
            case UPDATE_STATE_IF_UNCHANGED ->
                withMemory(
                        step,
                        memory -> changeState(
                                memory.worker(),
                                step,
                                model.isUnchanged(memory),
                                next -> registry.updateStateIfUnchanged(memory.seen(), next)));
            case UPDATE_STATE_OF ->
                withMemory(
                        step,
                        memory -> changeState(
                                memory.worker(),
                                step,
                                model.isSame(memory),
                                next -> registry.updateStateOf(memory.seen(), next)));
            case RESTART_IF_UNCHANGED -> withMemory(step, memory -> restart(memory, "http://" + id + "/" + step.y()));
            case REMOVE -> left(registry.remove(id), worker, Exit.Cause.DEREGISTERED, Optional.empty());
            case REMOVE_IF_UNCHANGED ->
                withMemory(step, memory -> {
                    ModelledWorker leaves = model.isUnchanged(memory) ? memory.worker() : null;
                    Exit.Cause reason = CAUSES.get(step.y() % CAUSES.size());
                    left(registry.removeIfUnchanged(memory.seen(), reason), leaves, reason, Optional.empty());
                });
            case REMOVE_EXITED -> removeExited(worker, step.y());
            case CLEAR -> clear();
            case TRY_ACQUIRE -> leased(registry.tryAcquire(modelRef), modelRef, SlotFilter.any());
            case TRY_ACQUIRE_FILTERED ->
                leased(registry.tryAcquire(modelRef, filter(step.y())), modelRef, filter(step.y()));
            case ACQUIRE_AT_ONCE ->
                acquire(modelRef, SlotFilter.any(), () -> registry.acquire(modelRef, Duration.ZERO));
            case ACQUIRE_FILTERED_AT_ONCE ->
                acquire(modelRef, filter(step.y()), () -> registry.acquire(modelRef, filter(step.y()), Duration.ZERO));
            case TRY_ACQUIRE_FROM -> {
                Optional<SlotLease> lease = registry.tryAcquireFrom(id);
                assertThat(lease.isPresent()).isEqualTo(worker != null && worker.canLease());
                lease.ifPresent(taken -> leased(taken, worker));
            }
            case CLOSE_LEASE -> {
                if (!model.leases.isEmpty()) {
                    Lease lease = someLease(step);
                    lease.lease.close();
                    model.closed(lease);
                }
            }
            case FAIL_LEASE -> {
                if (!model.leases.isEmpty()) {
                    fail(someLease(step), step.y() % 4 > 0);
                }
            }
            case PASS_CHECK -> {
                if (!checked.isEmpty()) {
                    FailedLease failed = checked.get(Math.max(0, checked.size() - 1 - step.x() % 3));
                    assertThat(failed.resume()).isEqualTo(model.pass(failed));
                }
            }
            case FAIL_HEALTH_CHECK -> failed(registry.incrementFailedHealthChecks(id), worker);
            case FAIL_HEALTH_CHECK_IF_UNCHANGED ->
                withMemory(
                        step,
                        memory -> failed(
                                registry.incrementFailedHealthChecksIfUnchanged(memory.seen()),
                                model.isUnchanged(memory) ? memory.worker() : null));
            case PASS_HEALTH_CHECK ->
                done(registry.resetFailedHealthChecks(id), worker != null, () -> worker.failed = 0);
            case SUSPECT -> {
                Exit.Cause cause = CAUSES.get(step.y() % CAUSES.size());
                boolean isNews = worker != null && !worker.suspected;
                done(registry.suspect(id, cause), isNews, () -> model.suspect(worker, cause));
            }
            case CLEAR_SUSPICION -> {
                boolean isNews = worker != null && worker.suspected;
                done(registry.clearSuspicion(id), isNews, () -> model.clearSuspicion(worker));
            }
            case HEARTBEAT -> done(registry.heartbeat(id), worker != null, () -> worker.lastHeartbeat = time.instant());
            case HEARTBEAT_OF_A_GENERATION -> {
                int generation = worker == null ? 1 : worker.generation + step.y() % 3 - 1;
                boolean isMeant = worker != null && worker.generation == generation;
                done(registry.heartbeat(id, generation), isMeant, () -> worker.lastHeartbeat = time.instant());
            }
            case SET_PID -> setPid(worker, id, step.y() % 3 - 1);
            case REAP_ORPHANS -> {
                registry.noteReapedOrphans(step.y());
                model.noteReapedOrphans(step.y());
            }
            case REPORT_LEAKS -> reportLeaks();
            case LOOK -> look(worker, id);
            case LOOK_AT_ALL -> compareAll();
            case LOOK_FOR_ALL_IDLE -> compare(registry::idleWorkers, each -> each.state instanceof Idle);
            case LOOK_FOR_IDLE -> lookForIdle(modelRef);
            case LOOK_ON_NODE -> lookOnNode(step.y() % 4 == 0 ? "there" : "here", modelRef);
            case LISTEN -> {
                if (ears.size() < 4) {
                    ears.add(new Ear());
                }
            }
            case LISTEN_NO_MORE -> ears.get(step.x() % ears.size()).shut();
            case PASS_TIME -> time.advance(Duration.ofSeconds(step.y()));
        }
    }

    private void register(String id, int x, int y) {
        Instant now = time.instant();
        WorkerState state = List.of(new Loading(now), IDLE, BUSY).get(x % 7 % 3);
        WorkerInfo info = worker(id)
                .url("http://" + id)
                .modelRef(MODELS.get(y % MODELS.size()))
                .backend(y % 5 == 0 ? "cuda" : "cpu")
                .device(x % 2)
                .state(state)
                .slotsTotal(y % 3 + 1)
                .slotsInUse(state.equals(BUSY) ? 1 : 0)
                .lastActivity(now)
                .startedAt(now)
                .generation(1 + y % 2)
                .build();
        if (model.get(id) != null) {
            assertThatExceptionOfType(DuplicateWorkerException.class).isThrownBy(() -> registry.register(info));
        } else {
            registry.register(info);
            model.register(new ModelledWorker(info));
        }
    }

    private interface Transition {
        Optional<WorkerInfo> to(WorkerState next);
    }

    private void changeState(ModelledWorker worker, Step step, boolean applies, Transition transition) {
        WorkerState next = next(worker, step.y());
        boolean member = worker != null && model.get(worker.id) == worker;
        if (!member || !applies || isLate(worker, next)) {
            assertThat(transition.to(next)).isEmpty();
        } else if (worker.mayGoTo(next)) {
            Optional<WorkerInfo> after = transition.to(next);
            model.go(worker, next, time.instant());
            assertThat(after).contains(worker.info());
        } else {
            assertThatExceptionOfType(IllegalTransitionException.class).isThrownBy(() -> transition.to(next));
        }
        if (worker != null) { // what was refused may count as a look or not: a look at both makes them even
            lookAgain(worker.id);
        }
    }

    private void restart(Memory memory, String url) {
        ModelledWorker worker = memory.worker();
        Loading load = new Loading(time.instant());
        if (!model.isUnchanged(memory)) {
            assertThat(registry.restartIfUnchanged(memory.seen(), load, url)).isEmpty();
        } else if (worker.mayGoTo(load)) {
            Optional<WorkerInfo> after = registry.restartIfUnchanged(memory.seen(), load, url);
            worker.url = url;
            model.go(worker, load, time.instant());
            assertThat(after).contains(worker.info());
        } else {
            assertThatExceptionOfType(IllegalTransitionException.class)
                    .isThrownBy(() -> registry.restartIfUnchanged(memory.seen(), load, url));
        }
        lookAgain(worker.id);
    }

    private static boolean isLate(ModelledWorker worker, WorkerState next) {
        return next instanceof BackingOff backingOff && backingOff.cause().generation() != worker.generation;
    }

    /** Mostly a state that may follow, else any. */
    private WorkerState next(ModelledWorker worker, int choice) {
        WorkerInfo some = worker == null ? worker("nobody").build() : worker.info();
        WorkerInfo later = some.toBuilder().generation(some.generation() + 1).build();
        WorkerState loading = new Loading(time.instant());
        List<WorkerState> states = List.of(
                IDLE,
                BUSY,
                loading,
                new BackingOff(1, time.instant(), exit(some, Exit.Cause.CRASHED, 139)),
                new BackingOff(2, time.instant(), exit(choice % 5 == 0 ? later : some, Exit.Cause.EXITED, 0)),
                STOPPING_BECAUSE_UNHEALTHY,
                new Stopping(Exit.Cause.RESTART),
                choice % 7 == 0 ? STOPPING : loading,
                choice % 7 == 1 ? new Stopping(Exit.Cause.IDLE_TIMEOUT) : loading);
        List<WorkerState> legal = worker == null || choice % 4 == 0
                ? List.of()
                : states.stream().filter(worker::mayGoTo).toList();
        List<WorkerState> from = legal.isEmpty() ? states : legal;
        return from.get(choice % from.size());
    }

    private interface WithMemory {
        void accept(Memory memory);
    }

    private void withMemory(Step step, WithMemory action) {
        if (!memories.isEmpty()) {
            action.accept(memories.get(Math.max(0, memories.size() - 1 - step.x() % 4)));
        }
    }

    private void removeExited(ModelledWorker worker, int choice) {
        int generationOff = choice % 3 - 1;
        if (worker != null && worker.generation + generationOff >= 0) {
            WorkerInfo ended = worker.info().toBuilder()
                    .generation(worker.generation + generationOff)
                    .build();
            Exit exit = exit(ended, CAUSES.get(choice / 3 % CAUSES.size()), 3);
            left(registry.removeExited(exit), generationOff == 0 ? worker : null, exit.cause(), Optional.of(exit));
        }
    }

    private void clear() {
        List<ModelledWorker> all = List.copyOf(model.members.values());
        List<WorkerInfo> removed = registry.clear();
        assertThat(removed).hasSize(all.size());
        for (int i = 0; i < all.size(); i++) {
            left(Optional.of(removed.get(i)), all.get(i), Exit.Cause.DEREGISTERED, Optional.empty());
        }
    }

    private void left(Optional<WorkerInfo> removed, ModelledWorker worker, Exit.Cause reason, Optional<Exit> exit) {
        assertThat(removed).isEqualTo(Optional.ofNullable(worker).map(ModelledWorker::info));
        if (worker != null) {
            model.leave(worker, reason, exit);
        }
    }

    // ---- slots ----

    private static SlotFilter filter(int choice) {
        return List.of(
                        SlotFilter.any(),
                        SlotFilter.any().onBackend("cpu"),
                        SlotFilter.any().onDevice(1),
                        SlotFilter.any().onBackend("cuda").onDevice(0),
                        SlotFilter.any().where(worker -> worker.restarts() == 0))
                .get(choice % 5);
    }

    private List<ModelledWorker> free(String modelRef, SlotFilter filter) {
        return model.of(modelRef)
                .filter(ModelledWorker::canLease)
                .filter(worker -> passes(worker, filter))
                .toList();
    }

    private static boolean fits(ModelledWorker worker, SlotFilter filter) {
        return filter.backend().orElse(worker.backend).equals(worker.backend)
                && filter.device().orElse(worker.device) == worker.device;
    }

    private static boolean passes(ModelledWorker worker, SlotFilter filter) {
        return fits(worker, filter) && filter.predicate().stream().allMatch(test -> test.test(worker.info()));
    }

    private void leased(Optional<SlotLease> lease, String modelRef, SlotFilter filter) {
        List<ModelledWorker> free = free(modelRef, filter);
        assertThat(lease.isPresent()).isEqualTo(!free.isEmpty());
        lease.ifPresent(taken -> {
            ModelledWorker worker = model.get(taken.workerId());
            assertThat(free).contains(worker);
            assertThat(free)
                    .as("a busy one if there is one: to pack is the default")
                    .noneMatch(other -> other.inUse > 0 && worker.inUse == 0);
            leased(taken, worker);
        });
    }

    private void leased(SlotLease lease, ModelledWorker worker) {
        assertThat(lease.generation()).isEqualTo(worker.generation);
        assertThat(lease.workerId()).isEqualTo(worker.id);
        model.leased(lease, worker, time.instant());
        if (model.leases.size() % 2 == 0) {
            model.leases.get(model.leases.size() - 1).asked = Optional.of(lease.whenEnded());
        }
    }

    private void acquire(String modelRef, SlotFilter filter, Callable<SlotLease> acquisition) {
        if (free(modelRef, filter).isEmpty()) {
            boolean hope = model.of(modelRef).anyMatch(worker -> worker.mayServe() && fits(worker, filter));
            assertThat(catchThrowable(acquisition::call))
                    .isInstanceOf(hope ? SlotTimeoutException.class : NoSuchModelException.class);
        } else {
            leased(Optional.of(call(acquisition)), modelRef, filter);
        }
    }

    private static SlotLease call(Callable<SlotLease> acquisition) {
        try {
            return acquisition.call();
        } catch (Exception e) {
            throw new AssertionError("there is a free slot", e);
        }
    }

    private Lease someLease(Step step) {
        return model.leases.get(Math.max(0, model.leases.size() - 1 - step.x() % 8));
    }

    private void fail(Lease lease, boolean isChecked) {
        checks = isChecked;
        int before = checked.size();
        boolean valid = lease.isValid();
        lease.lease.fail(new IllegalStateException("no answer"));
        assertThat(checked).hasSize(valid ? before + 1 : before);
        if (valid && isChecked) {
            assertThat(checked.get(before).worker().id()).isEqualTo(lease.worker.id);
            model.failed(lease, checked.get(before));
        } else {
            model.closed(lease);
        }
    }

    private void reportLeaks() {
        leakLog.list.clear();
        List<String> expected = new ArrayList<>();
        for (Lease lease : model.leases) {
            boolean old = !lease.takenAt.plus(LEAK_THRESHOLD).isAfter(time.instant());
            if (old && lease.isValid() && !lease.reported) {
                lease.reported = true;
                expected.add(lease.lease + " has been open for more than " + LEAK_THRESHOLD);
            }
        }
        if (!expected.isEmpty()) {
            UnexpectedWarnings.expect("has been open for more than");
        }
        registry.reportLeaks();
        assertThat(leakLog.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .containsExactlyInAnyOrderElementsOf(expected);
    }

    // ---- checks and notes ----

    private void failed(OptionalInt count, ModelledWorker worker) {
        assertThat(count)
                .isEqualTo(worker == null ? OptionalInt.empty() : OptionalInt.of(model.failHealthCheck(worker)));
    }

    private static void done(boolean done, boolean expected, Runnable inTheModel) {
        assertThat(done).isEqualTo(expected);
        if (expected) {
            inTheModel.run();
        }
    }

    private void setPid(ModelledWorker worker, String id, int generationOff) {
        int generation = (worker == null ? 1 : worker.generation) + generationOff;
        Optional<WorkerInfo> after = registry.setPid(id, generation, 4711);
        if (worker == null || generationOff != 0) {
            assertThat(after).isEmpty();
        } else {
            worker.pid = 4711;
            assertThat(after).contains(worker.info());
        }
    }

    // ---- looks ----

    private void look(ModelledWorker worker, String id) {
        lookAgain(id);
        if (worker != null) {
            memories.add(new Memory(worker.info(), worker, worker.idleSpell));
        }
    }

    private void lookAgain(String id) {
        ModelledWorker worker = model.get(id);
        Optional<WorkerInfo> seen = registry.get(id);
        if (worker != null) {
            worker.look(time.instant());
        }
        assertThat(seen).isEqualTo(Optional.ofNullable(worker).map(ModelledWorker::info));
    }

    private void lookForIdle(String modelRef) {
        Optional<WorkerInfo> found = registry.findIdleWorker(modelRef);
        List<ModelledWorker> idle = model.of(modelRef)
                .filter(worker -> worker.state instanceof Idle && worker.checking.isEmpty())
                .toList();
        assertThat(found.isPresent()).isEqualTo(!idle.isEmpty());
        found.ifPresent(worker -> {
            assertThat(idle).contains(model.get(worker.id()));
            lookedAt(worker);
        });
    }

    private void lookOnNode(String node, String modelRef) {
        Optional<WorkerInfo> found = registry.findByNodeAndModel(node, modelRef);
        if (node.equals("here")) {
            model.of(modelRef).forEach(worker -> worker.look(time.instant()));
            int best = model.of(modelRef)
                    .mapToInt(RegistryBesideItsModel::use)
                    .max()
                    .orElse(0);
            assertThat(found.map(worker -> use(model.get(worker.id()))).orElse(0))
                    .isEqualTo(best);
            found.ifPresent(this::lookedAt);
        } else {
            assertThat(found).isEmpty();
        }
    }

    /** Of what use a worker is to somebody who looks for one of its model. */
    private static int use(ModelledWorker worker) {
        return switch (worker.state.label()) {
            case "idle" -> worker.checking.isPresent() ? 2 : 4;
            case "busy" -> worker.inUse == worker.slots || worker.checking.isPresent() ? 2 : 3;
            case "loading" -> 1;
            default -> 0;
        };
    }

    private void lookedAt(WorkerInfo seen) {
        ModelledWorker worker = model.get(seen.id());
        worker.look(time.instant());
        assertThat(seen).isEqualTo(worker.info());
    }

    void compareAll() {
        compare(registry::list, worker -> true);
        assertThat(registry.clock().instant()).isEqualTo(time.instant());
        assertThat(registry.node()).isEqualTo("here");
    }

    private void compare(Supplier<List<WorkerInfo>> look, Predicate<ModelledWorker> wanted) {
        List<WorkerInfo> seen = look.get();
        model.members.values().forEach(worker -> worker.look(time.instant()));
        assertThat(seen).isEqualTo(model.infos(wanted));
    }

    private static void compareEnds(Lease lease) {
        assertThat(lease.lease.lostWithin(Duration.ZERO))
                .isEqualTo(lease.end.filter(LeaseEnd.Lost.class::isInstance).isPresent());
        lease.asked.ifPresent(asked -> assertThat(
                        Optional.ofNullable(asked.toCompletableFuture().getNow(null)))
                .isEqualTo(lease.end));
        if (lease.end.isPresent()) {
            assertThat(lease.lease.whenEnded().toCompletableFuture().getNow(null))
                    .isEqualTo(lease.endAskedNow().orElseThrow());
        }
    }

    /** What can be compared after every step, without a look that would stamp what was not looked at. */
    void compareWithoutLooking() {
        for (Lease lease : model.leases) {
            assertThat(lease.lease.isValid()).isEqualTo(lease.isValid());
            assertThat(lease.lease.url()).isEqualTo(lease.url);
            compareEnds(lease);
        }
        for (ModelledWorker worker : model.members.values()) {
            long open = model.leases.stream()
                    .filter(lease -> lease.worker == worker && lease.isValid())
                    .count();
            assertThat((long) worker.inUse).isEqualTo(worker.reported ? worker.inUse : open);
        }
        assertThat(registry.stats()).isEqualTo(model.stats());
        assertThat(registry).hasToString("WorkerRegistry[node here, workers: " + model.describe() + "]");
        ears.forEach(Ear::compare);
    }
}
