package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.RegistryModel.Snapshot;
import io.github.workerregistry.RegistryModelProperties.Step;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * A registry and its model, and what a caller keeps: leases, snapshots, subscriptions. Every step is done on both, and
 * the results are compared.
 */
final class ModelCheckedRegistry implements AutoCloseable {

    private static final List<String> IDS = List.of("a", "b");
    static final List<String> MODELS = List.of("small", "large");
    private static final List<StopReason> REASONS = List.of(StopReason.values());

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry = WorkerRegistry.builder()
            .clock(time)
            .node("here")
            .leaseLeakThreshold(ModelCheckedLeases.LEAK_THRESHOLD)
            .timer(time)
            .waitQueueCapacity(ModelCheckedWaiters.CAPACITY)
            .affinityTtl(Duration.ofDays(1)) // no history is as long
            .build();
    private final Supervision supervision = registry.supervision();
    private final RegistryModel model = new RegistryModel();

    private final RegistryWithModel both = new RegistryWithModel(time, registry, model);
    private final ModelCheckedReads reads = new ModelCheckedReads(both);
    private final ModelCheckedLeases leases = new ModelCheckedLeases(both);
    private final ModelCheckedWaiters waiters = new ModelCheckedWaiters(both, leases);
    private final ModelCheckedWorkers workers = new ModelCheckedWorkers(both, reads, waiters);
    private final List<Snapshot> snapshots = new ArrayList<>();
    private final List<ComparedListener> listeners = new ArrayList<>();

    /** A listener, and the events of the model from its subscription to its end. */
    private final class ComparedListener {
        private final RecordingListener heard = new RecordingListener();
        private final Subscription subscription = registry.subscribe(heard, Runnable::run);
        private final int from = model.events.size();
        private OptionalInt until = OptionalInt.empty();

        private void close() {
            subscription.close();
            until = OptionalInt.of(until.orElse(model.events.size()));
        }

        private void compare() {
            assertThat(heard.events()).isEqualTo(model.events.subList(from, until.orElse(model.events.size())));
        }
    }

    ModelCheckedRegistry() {
        listeners.add(new ComparedListener());
    }

    @Override
    public void close() {
        leases.close();
    }

    int edges() {
        return model.edges;
    }

    void run(Step step) {
        advance(Duration.ofNanos(1)); // each step and each incarnation has a time of its own
        act(step);
        waiters.settle();
    }

    private void advance(Duration duration) {
        time.advance(duration);
        waiters.expire();
    }

    private void act(Step step) {
        String id = IDS.get(step.x() % IDS.size());
        String modelRef = MODELS.get(step.x() % MODELS.size());
        SlotRequest any = SlotRequest.forModel(modelRef);
        SlotRequest request = ModelCheckedLeases.request(modelRef, step.x(), step.y());
        ModelledWorker worker = model.get(id);
        switch (step.action()) {
            case REGISTER -> workers.register(id, step.x(), step.y());
            case UPDATE_STATE -> workers.changeState(worker, step, true, next -> registry.updateState(id, next));
            case TRANSITION_IF_UNCHANGED ->
                withSnapshot(
                        step,
                        snapshot -> workers.changeState(
                                snapshot.worker(),
                                step,
                                model.isUnchanged(snapshot),
                                next -> supervision.transitionIfUnchanged(snapshot.seen(), next)));
            case TRANSITION ->
                withSnapshot(
                        step,
                        snapshot -> workers.changeState(
                                snapshot.worker(),
                                step,
                                model.isSameIncarnation(snapshot),
                                next -> supervision.transition(snapshot.seen().incarnation(), next)));
            case RESTART_IF_UNCHANGED ->
                withSnapshot(step, snapshot -> workers.restart(snapshot, "http://" + id + "/" + step.y()));
            case REPLACE_IF_UNCHANGED -> withSnapshot(step, snapshot -> workers.replace(snapshot, step.x(), step.y()));
            case REMOVE -> workers.removed(registry.remove(id), worker, Exit.Cause.DEREGISTERED, Optional.empty());
            case REMOVE_IF_UNCHANGED ->
                withSnapshot(
                        step, snapshot -> workers.removeIfUnchanged(snapshot, REASONS.get(step.y() % REASONS.size())));
            case REMOVE_UNSTARTED -> withSnapshot(step, workers::removeUnstarted);
            case REMOVE_EXITED ->
                withIncarnation(
                        worker,
                        id,
                        step,
                        (incarnation, isCurrent) -> workers.removeExited(worker, incarnation, isCurrent, step.y()));
            case CLEAR -> workers.clear();
            case TRY_ACQUIRE -> leases.leased(registry.tryAcquire(modelRef), any);
            case TRY_ACQUIRE_REQUEST -> leases.leased(registry.tryAcquire(request), request);
            case ACQUIRE_AT_ONCE ->
                leases.acquire(any, waiters.isFull(modelRef), () -> registry.acquire(modelRef, Duration.ZERO));
            case ACQUIRE_REQUEST_AT_ONCE ->
                leases.acquire(request, waiters.isFull(modelRef), () -> registry.acquire(request, Duration.ZERO));
            case ACQUIRE_ASYNC -> waiters.acquireAsync(request, step.x() + step.y());
            case WITH_SLOT -> waiters.withSlot(request, step.x() + step.y());
            case CANCEL_REQUEST -> waiters.cancelSome(step.x());
            case END_WORK -> waiters.endSomeWork(step.y());
            case TRY_ACQUIRE_FROM -> leases.tryAcquireFrom(id, worker);
            case CLOSE_LEASE -> leases.closeSome(step.x());
            case FAIL_LEASE -> leases.failSome(step.x(), step.y() % 4 > 0);
            case PASS_CHECK -> leases.passSomeCheck(step.x());
            case FAIL_HEALTH_CHECK -> workers.failed(registry.incrementFailedHealthChecks(id), worker);
            case FAIL_HEALTH_CHECK_IF_UNCHANGED ->
                withSnapshot(
                        step,
                        snapshot -> workers.failed(
                                supervision.checkFailed(snapshot.seen()),
                                model.isUnchanged(snapshot) ? snapshot.worker() : null));
            case PASS_HEALTH_CHECK ->
                withIncarnation(
                        worker,
                        id,
                        step,
                        (incarnation, isCurrent) -> compareResult(
                                supervision.checkPassed(incarnation), isCurrent, () -> worker.failed = 0));
            case UNKNOWN_HEALTH_CHECK ->
                withIncarnation(
                        worker,
                        id,
                        step,
                        (incarnation, isCurrent) ->
                                compareResult(supervision.checkUnknown(incarnation), isCurrent, model::checkUnknown));
            case SUSPECT -> {
                StopReason reason = REASONS.get(step.y() % REASONS.size());
                withIncarnation(
                        worker,
                        id,
                        step,
                        (incarnation, isCurrent) -> compareResult(
                                supervision.suspect(incarnation, reason),
                                isCurrent && !worker.suspected,
                                () -> model.suspect(worker, reason)));
            }
            case CLEAR_SUSPICION ->
                withIncarnation(
                        worker,
                        id,
                        step,
                        (incarnation, isCurrent) -> compareResult(
                                supervision.clearSuspicion(incarnation),
                                isCurrent && worker.suspected,
                                () -> model.clearSuspicion(worker)));
            case HEARTBEAT ->
                compareResult(registry.heartbeat(id), worker != null, () -> worker.lastHeartbeat = time.instant());
            case HEARTBEAT_OF_A_GENERATION -> {
                int generation = worker == null ? 1 : worker.generation + step.y() % 3 - 1;
                boolean isCurrent = worker != null && worker.generation == generation;
                compareResult(
                        registry.heartbeat(id, generation), isCurrent, () -> worker.lastHeartbeat = time.instant());
            }
            case STARTED ->
                withIncarnation(
                        worker, id, step, (incarnation, isCurrent) -> workers.started(worker, incarnation, isCurrent));
            case FORGET_HINTS -> supervision.forgetHints(); // the model does not say which of several workers is leased
            case REPORT_LEAKS -> leases.reportLeaks();
            case READ -> read(worker, id);
            case READ_ALL -> compareAll();
            case READ_ALL_OF_A_MODEL -> reads.readAllOf(modelRef);
            case READ_ALL_IDLE -> reads.readAllIdle();
            case FIND_IDLE -> reads.findIdle(modelRef);
            case FIND_ON_NODE -> reads.findOnNode(step.y() % 4 == 0 ? "there" : "here", modelRef);
            case SUBSCRIBE -> {
                if (listeners.size() < 4) {
                    listeners.add(new ComparedListener());
                }
            }
            case UNSUBSCRIBE -> listeners.get(step.x() % listeners.size()).close();
            case ADVANCE_TIME -> advance(Duration.ofSeconds(step.y()));
        }
    }

    private void read(ModelledWorker worker, String id) {
        reads.readAgain(id);
        if (worker != null) {
            snapshots.add(new Snapshot(worker.info(), worker, worker.idleSpell));
        }
    }

    private interface WithSnapshot {
        void accept(Snapshot snapshot);
    }

    private void withSnapshot(Step step, WithSnapshot action) {
        if (!snapshots.isEmpty()) {
            action.accept(snapshots.get(Math.max(0, snapshots.size() - 1 - step.x() % 4)));
        }
    }

    private interface WithIncarnation {
        void accept(Incarnation incarnation, boolean isCurrent);
    }

    /** Often the worker's incarnation, else its next one, the one before, or that of another under its id. */
    private void withIncarnation(ModelledWorker worker, String id, Step step, WithIncarnation action) {
        Incarnation now = worker == null ? new Incarnation(id, 1, time.instant()) : worker.incarnation();
        Incarnation incarnation = List.of(
                        now,
                        now,
                        new Incarnation(id, now.generation() + 1, now.startedAt()),
                        new Incarnation(id, Math.max(0, now.generation() - 1), now.startedAt()),
                        new Incarnation(id, now.generation(), now.startedAt().plusNanos(1)))
                .get(step.y() % 5);
        action.accept(incarnation, worker != null && incarnation.equals(now));
    }

    private static void compareResult(boolean result, boolean expected, Runnable inTheModel) {
        assertThat(result).isEqualTo(expected);
        if (expected) {
            inTheModel.run();
        }
    }

    /** Compares all workers. Each of them is read. */
    void compareAll() {
        assertThat(registry.supervision()).isSameAs(supervision);
        reads.readAll();
        assertThat(registry.clock().instant()).isEqualTo(time.instant());
        assertThat(registry.node()).isEqualTo("here");
    }

    /** Compares after every step what can be compared without a read, which would change the last activity. */
    void compareWithoutReading() {
        leases.compare();
        waiters.compare();
        assertThat(registry.stats()).isEqualTo(model.stats());
        assertThat(registry).hasToString("WorkerRegistry[node here, workers: " + model.describe() + "]");
        listeners.forEach(ComparedListener::compare);
    }
}
