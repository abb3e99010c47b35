package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.STOPPING_BECAUSE_UNHEALTHY;
import static io.github.workerregistry.SomeWorkers.exit;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.github.workerregistry.RegistryModel.Snapshot;
import io.github.workerregistry.RegistryModelProperties.Step;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Registration, transitions and removal of workers, each done on the registry and on its model and compared. */
final class ModelCheckedWorkers {

    private static final List<Exit.Cause> CAUSES = List.of(Exit.Cause.CRASHED, Exit.Cause.EXITED, Exit.Cause.UNHEALTHY);

    private final VirtualTime time;
    private final WorkerRegistry registry;
    private final Supervision supervision;
    private final RegistryModel model;
    private final ModelCheckedReads reads;
    private final ModelCheckedWaiters waiters;

    ModelCheckedWorkers(RegistryWithModel both, ModelCheckedReads reads, ModelCheckedWaiters waiters) {
        this.time = both.time();
        this.registry = both.registry();
        this.supervision = both.supervision();
        this.model = both.model();
        this.reads = reads;
        this.waiters = waiters;
    }

    void register(String id, int x, int y) {
        Instant now = time.instant();
        WorkerState state = List.of(new Loading(now), IDLE, BUSY).get(x % 7 % 3);
        WorkerInfo info = worker(id)
                .url("http://" + id)
                .modelRef(ModelCheckedRegistry.MODELS.get(y % ModelCheckedRegistry.MODELS.size()))
                .backend(y % 5 == 0 ? "cuda" : "cpu")
                .device(x % 2)
                .labels(y % 4 == 0 ? Map.of() : Map.of("tier", y % 4 == 1 ? "slow" : "fast"))
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

    interface Transition {
        Optional<WorkerInfo> to(WorkerState next);
    }

    void changeState(ModelledWorker worker, Step step, boolean applies, Transition transition) {
        WorkerState next = next(worker, step.y());
        boolean member = worker != null && model.get(worker.id) == worker;
        if (!member || !applies || isLate(worker, next)) {
            assertThat(transition.to(next)).isEmpty();
        } else if (worker.canBecome(next)) {
            Optional<WorkerInfo> after = transition.to(next);
            model.transition(worker, next, time.instant());
            assertThat(after).contains(worker.info());
        } else {
            assertThatExceptionOfType(IllegalTransitionException.class).isThrownBy(() -> transition.to(next));
        }
        if (worker != null) { // a refused transition may or may not read the worker: a read of both makes them equal
            waiters.settle();
            reads.readAgain(worker.id);
        }
    }

    void restart(Snapshot snapshot, String url) {
        Loading load = new Loading(time.instant());
        beginNext(
                snapshot, () -> supervision.restartIfUnchanged(snapshot.seen(), load, url), worker -> worker.url = url);
    }

    /** Another specification; requests may match it or not any more. */
    void replace(Snapshot snapshot, int x, int y) {
        WorkerInfo next = snapshot.seen().toBuilder()
                .url("http://" + snapshot.seen().id() + "/" + x)
                .backend(y % 5 == 0 ? "cuda" : "cpu")
                .device(x % 2)
                .labels(y % 4 == 0 ? Map.of() : Map.of("tier", y % 4 == 1 ? "slow" : "fast"))
                .slotsInUse(0)
                .slotsTotal(y % 3 + 1)
                .state(new Loading(time.instant()))
                .build();
        beginNext(
                snapshot,
                () -> supervision.replaceIfUnchanged(snapshot.seen(), next),
                worker -> worker.setProperties(next));
    }

    private void beginNext(
            Snapshot snapshot, Supplier<Optional<WorkerInfo>> step, Consumer<ModelledWorker> modelledStep) {
        ModelledWorker worker = snapshot.worker();
        Loading load = new Loading(time.instant());
        if (!model.isUnchanged(snapshot)) {
            assertThat(step.get()).isEmpty();
        } else if (worker.canBecome(load)) {
            Optional<WorkerInfo> after = step.get();
            modelledStep.accept(worker);
            model.transition(worker, load, time.instant());
            assertThat(after).contains(worker.info());
        } else {
            assertThatExceptionOfType(IllegalTransitionException.class).isThrownBy(step::get);
        }
        waiters.settle();
        reads.readAgain(worker.id);
    }

    private static boolean isLate(ModelledWorker worker, WorkerState next) {
        return next instanceof BackingOff backingOff
                && !backingOff.exit().incarnation().equals(worker.incarnation());
    }

    /** Mostly a state that may follow, else any. */
    private WorkerState next(ModelledWorker worker, int choice) {
        WorkerInfo current = worker == null ? worker("unknown").build() : worker.info();
        WorkerInfo later =
                current.toBuilder().generation(current.generation() + 1).build();
        WorkerInfo successor =
                current.toBuilder().startedAt(current.startedAt().plusNanos(1)).build();
        WorkerInfo other = choice % 2 == 0 ? later : successor;
        WorkerState loading = new Loading(time.instant());
        List<WorkerState> states = List.of(
                IDLE,
                BUSY,
                loading,
                new BackingOff(1, time.instant(), exit(current, Exit.Cause.CRASHED, 139)),
                new BackingOff(2, time.instant(), exit(choice % 5 == 0 ? other : current, Exit.Cause.EXITED, 0)),
                STOPPING_BECAUSE_UNHEALTHY,
                choice % 3 == 0 ? new Stopping(StopReason.REPLACED, true) : new Stopping(StopReason.RESTART),
                choice % 7 == 0 ? STOPPING : loading,
                choice % 7 == 1 ? new Stopping(StopReason.IDLE_TIMEOUT) : loading);
        List<WorkerState> legal = worker == null || choice % 4 == 0
                ? List.of()
                : states.stream().filter(worker::canBecome).toList();
        List<WorkerState> from = legal.isEmpty() ? states : legal;
        return from.get(choice % from.size());
    }

    void removeIfUnchanged(Snapshot snapshot, StopReason reason) {
        ModelledWorker removed = model.isUnchanged(snapshot) ? snapshot.worker() : null;
        removed(supervision.removeIfUnchanged(snapshot.seen(), reason), removed, reason.cause(), Optional.empty());
    }

    void removeUnstarted(Snapshot snapshot) {
        ModelledWorker removed = model.isUnchanged(snapshot) ? snapshot.worker() : null;
        removed(supervision.removeUnstarted(snapshot.seen()), removed, Exit.Cause.START_FAILED, Optional.empty());
    }

    void removeExited(ModelledWorker worker, Incarnation incarnation, boolean isCurrent, int choice) {
        WorkerInfo last = worker == null ? worker(incarnation.workerId()).build() : worker.info();
        WorkerInfo ended = last.toBuilder()
                .generation(incarnation.generation())
                .startedAt(incarnation.startedAt())
                .build();
        Exit exit = exit(ended, CAUSES.get(choice / 5 % CAUSES.size()), 3);
        removed(supervision.remove(exit), isCurrent ? worker : null, exit.cause(), Optional.of(exit));
    }

    void clear() {
        List<ModelledWorker> all = List.copyOf(model.members.values());
        List<WorkerInfo> removed = registry.clear();
        assertThat(removed).hasSize(all.size());
        for (int i = 0; i < all.size(); i++) {
            removed(Optional.of(removed.get(i)), all.get(i), Exit.Cause.DEREGISTERED, Optional.empty());
        }
    }

    void removed(Optional<WorkerInfo> removed, ModelledWorker worker, Exit.Cause reason, Optional<Exit> exit) {
        assertThat(removed).isEqualTo(Optional.ofNullable(worker).map(ModelledWorker::info));
        if (worker != null) {
            model.remove(worker, reason, exit);
        }
    }

    void failed(OptionalInt count, ModelledWorker worker) {
        assertThat(count)
                .isEqualTo(worker == null ? OptionalInt.empty() : OptionalInt.of(model.failHealthCheck(worker)));
    }

    void started(ModelledWorker worker, Incarnation incarnation, boolean isCurrent) {
        Optional<WorkerInfo> after = supervision.started(incarnation, 4711);
        if (isCurrent) {
            worker.pid = 4711;
            assertThat(after).contains(worker.info());
        } else {
            assertThat(after).isEmpty();
        }
    }
}
