package io.github.workerregistry;

import static io.github.workerregistry.internal.Checks.requireName;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerState.Loading;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** The {@link Supervision} of a registry: checks arguments, and turns them into preconditions. */
final class RegistrySupervision implements Supervision {

    private final WorkerTable table;
    private final EventFeed events;
    private final ThreadHints hints;
    private final @Nullable LeaseLeaks leaks;

    RegistrySupervision(WorkerTable table, EventFeed events, ThreadHints hints, @Nullable LeaseLeaks leaks) {
        this.table = table;
        this.events = events;
        this.hints = hints;
        this.leaks = leaks;
    }

    @Override
    public Optional<WorkerInfo> transition(Incarnation incarnation, WorkerState next) {
        requireNonNull(incarnation, "incarnation");
        requireNonNull(next, "next");
        return table.changeState(incarnation.workerId(), next, Precondition.is(incarnation));
    }

    @Override
    public Optional<WorkerInfo> transitionIfUnchanged(WorkerInfo seen, WorkerState next) {
        requireNonNull(seen, "seen");
        requireNonNull(next, "next");
        return table.changeState(seen.id(), next, Precondition.unchangedSince(seen));
    }

    @Override
    public Optional<WorkerInfo> restartIfUnchanged(WorkerInfo seen, Loading load, String url) {
        requireNonNull(seen, "seen");
        requireNonNull(load, "load");
        requireName(url, "url");
        Precondition unchanged = Precondition.unchangedSince(seen);
        return table.changeState(seen.id(), (entry, now) -> entry.restart(load, url, now, unchanged));
    }

    @Override
    public Optional<WorkerInfo> replaceIfUnchanged(WorkerInfo seen, WorkerInfo next) {
        requireNonNull(seen, "seen");
        requireNonNull(next, "next");
        requireEqual(seen.id(), next.id(), "id");
        requireEqual(seen.modelRef(), next.modelRef(), "modelRef");
        if (!(next.state() instanceof Loading load)) {
            throw new IllegalArgumentException(
                    "next must be loading, was " + next.state().label());
        }
        Precondition unchanged = Precondition.unchangedSince(seen);
        return table.changeState(seen.id(), (entry, now) -> entry.replace(load, next, now, unchanged));
    }

    private static void requireEqual(String seen, String next, String what) {
        if (!next.equals(seen)) {
            throw new IllegalArgumentException(what + " of next must be " + seen + ", was " + next);
        }
    }

    @Override
    public Optional<WorkerInfo> remove(Exit exit) {
        requireNonNull(exit, "exit");
        return table.remove(exit.workerId(), Precondition.is(exit.incarnation()), exit.cause(), Optional.of(exit));
    }

    @Override
    public Optional<WorkerInfo> removeIfUnchanged(WorkerInfo seen, StopReason reason) {
        requireNonNull(seen, "seen");
        requireNonNull(reason, "reason");
        return table.remove(seen.id(), Precondition.unchangedSince(seen), reason.cause(), Optional.empty());
    }

    @Override
    public Optional<WorkerInfo> removeUnstarted(WorkerInfo seen) {
        requireNonNull(seen, "seen");
        return table.remove(seen.id(), Precondition.unchangedSince(seen), Exit.Cause.START_FAILED, Optional.empty());
    }

    @Override
    public Optional<WorkerInfo> started(Incarnation incarnation, long pid) {
        requireNonNull(incarnation, "incarnation");
        if (pid <= 0) {
            throw new IllegalArgumentException("pid must be > 0, was " + pid);
        }
        return table.started(incarnation, pid);
    }

    @Override
    public boolean holdLeasing(Incarnation incarnation) {
        return table.holdLeasing(requireNonNull(incarnation, "incarnation"));
    }

    @Override
    public boolean beginLeasing(Incarnation incarnation) {
        return table.beginLeasing(requireNonNull(incarnation, "incarnation"));
    }

    @Override
    public boolean endLeasing(Incarnation incarnation) {
        return table.endLeasing(requireNonNull(incarnation, "incarnation"));
    }

    @Override
    public OptionalInt checkFailed(WorkerInfo seen) {
        requireNonNull(seen, "seen");
        return table.countFailedCheck(seen.id(), Precondition.unchangedSince(seen));
    }

    @Override
    public boolean checkPassed(Incarnation incarnation) {
        WorkerEntry entry = table.get(requireNonNull(incarnation, "incarnation").workerId());
        return entry != null && entry.clearFailedHealthChecks(incarnation);
    }

    @Override
    public boolean checkUnknown(Incarnation incarnation) {
        return table.countUnknownCheck(requireNonNull(incarnation, "incarnation"));
    }

    @Override
    public boolean suspect(Incarnation incarnation, StopReason reason) {
        return table.suspect(requireNonNull(incarnation, "incarnation"), requireNonNull(reason, "reason"));
    }

    @Override
    public boolean clearSuspicion(Incarnation incarnation) {
        return table.clearSuspicion(requireNonNull(incarnation, "incarnation"));
    }

    @Override
    public List<ModelDemand> demand() {
        return table.models().demand();
    }

    @Override
    public Subscription onDemand(Consumer<String> listener) {
        return table.demandListeners().add(requireNonNull(listener, "listener"));
    }

    @Override
    public boolean whenIdle(Incarnation incarnation, Runnable action) {
        return table.whenIdle(requireNonNull(incarnation, "incarnation"), requireNonNull(action, "action"));
    }

    @Override
    public int failWaiting(
            String modelRef, Predicate<SlotRequest> which, Supplier<? extends SlotUnavailableException> exception) {
        return table.models()
                .failWaiting(
                        requireNonNull(modelRef, "modelRef"),
                        requireNonNull(which, "which"),
                        requireNonNull(exception, "exception"));
    }

    @Override
    public void forgetHints() {
        hints.clear();
    }

    @Override
    public void reportLeaks() {
        if (leaks != null) {
            leaks.report();
        }
    }

    @Override
    public Subscription registerLeaseChecker(LeaseChecker checker) {
        return table.leaseChecks().register(requireNonNull(checker, "checker"));
    }

    @Override
    public void deferEvents(Runnable action) {
        table.deferEvents(requireNonNull(action, "action"));
    }

    @Override
    public boolean isDeliveringEvents() {
        return events.isDelivering();
    }
}
