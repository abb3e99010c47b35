package io.github.workerregistry;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A plain model of a registry: a map of workers, the events so far, and totals. Single-threaded and without packed
 * words, so that it is easy to verify.
 */
final class RegistryModel {

    final Map<String, ModelledWorker> members = new LinkedHashMap<>();
    final List<WorkerEvent> events = new ArrayList<>();
    final List<Lease> leases = new ArrayList<>();

    private final Map<Exit.Cause, Long> endedBy = new EnumMap<>(Exit.Cause.class);
    private long checksUnknown;

    final ModelledAffinities affinities = new ModelledAffinities();
    int waiting;
    long granted;
    long timedOut;
    long cancelled;
    long refused;
    Duration timeWaited = Duration.ZERO;

    /** Number of transitions, to check that the histories have enough of them. */
    int edges;

    /** An acquired lease, which may be void. */
    final class Lease {
        final SlotLease lease;
        final ModelledWorker worker;
        final Instant acquiredAt;
        final String url;
        private final Incarnation incarnation;
        boolean closed;
        boolean reported;

        /** How it ended; empty while it is open or checked. */
        Optional<LeaseEnd> end = Optional.empty();

        /** The stage of its end, if the test requested it after the acquisition. */
        Optional<CompletionStage<LeaseEnd>> endStage = Optional.empty();

        private Lease(SlotLease lease, ModelledWorker worker, Instant now) {
            this.lease = lease;
            this.worker = worker;
            this.acquiredAt = now;
            incarnation = worker.incarnation();
            url = worker.url;
        }

        boolean isValid() {
            return !closed && isMember(worker, incarnation) && !(worker.state instanceof BackingOff);
        }

        private boolean isOf(ModelledWorker other) {
            return incarnation.equals(other.incarnation());
        }

        /** The end that a new request reports: only the last exit of a worker is kept. */
        Optional<LeaseEnd> endReportedNow() {
            return end.map(known -> known instanceof LeaseEnd.Lost ? lost(worker, incarnation) : known);
        }
    }

    private static LeaseEnd lost(ModelledWorker worker, Incarnation incarnation) {
        return new LeaseEnd.Lost(
                worker.lastExit.filter(exit -> exit.incarnation().equals(incarnation)));
    }

    /** A record that was read from the registry. */
    record Snapshot(WorkerInfo seen, ModelledWorker worker, int idleSpell) {}

    ModelledWorker get(String id) {
        return members.get(id);
    }

    private boolean isMember(ModelledWorker worker, Incarnation incarnation) {
        return members.get(worker.id) == worker && worker.incarnation().equals(incarnation);
    }

    /** Whether the worker is still the same incarnation. */
    boolean isSameIncarnation(Snapshot snapshot) {
        return isMember(snapshot.worker, snapshot.seen.incarnation());
    }

    /** Whether the worker is unchanged since the read. */
    boolean isUnchanged(Snapshot snapshot) {
        return isSameIncarnation(snapshot)
                && snapshot.worker.state.equals(snapshot.seen.state())
                && (!(snapshot.worker.state instanceof Idle) || snapshot.worker.idleSpell == snapshot.idleSpell);
    }

    Stream<ModelledWorker> of(String modelRef) {
        return members.values().stream().filter(worker -> worker.modelRef.equals(modelRef));
    }

    List<WorkerInfo> infos(Predicate<ModelledWorker> wanted) {
        return members.values().stream()
                .filter(wanted)
                .map(ModelledWorker::info)
                .toList();
    }

    void register(ModelledWorker worker) {
        members.put(worker.id, worker);
        events.add(new WorkerEvent.Registered(worker.info()));
    }

    /** Changes the state of a worker; only reads it if it is in that state already. */
    void transition(ModelledWorker worker, WorkerState next, Instant now) {
        WorkerState from = worker.state;
        worker.read(now);
        if (next.equals(from)) {
            return;
        }
        if (next instanceof BackingOff backingOff) {
            loseLeases(worker, Optional.of(backingOff.exit()));
        }
        worker.transition(next, now);
        edges++;
        WorkerInfo after = worker.info();
        if (next instanceof Idle && from instanceof Loading) {
            events.add(new WorkerEvent.BecameReady(after));
        } else if (next instanceof BackingOff backingOff) {
            ended(after, backingOff.exit().cause(), Optional.of(backingOff.exit()));
            events.add(new WorkerEvent.RestartScheduled(after, backingOff.attempt(), backingOff.retryAt()));
        } else if (next instanceof Loading) {
            events.add(new WorkerEvent.Restarted(after));
        } else if (next instanceof Stopping stopping) {
            if (stopping.reason() == StopReason.IDLE_TIMEOUT) {
                events.add(new WorkerEvent.IdleTimedOut(after));
            }
            events.add(new WorkerEvent.StopStarted(after, stopping.reason()));
        }
    }

    void remove(ModelledWorker worker, Exit.Cause reason, Optional<Exit> exit) {
        members.remove(worker.id);
        loseLeases(worker, exit);
        if (!(worker.state instanceof BackingOff)) { // its exit has been reported
            ended(worker.info(), reason, exit);
        }
        events.add(new WorkerEvent.Removed(worker.info(), reason, exit));
    }

    private void ended(WorkerInfo worker, Exit.Cause cause, Optional<Exit> exit) {
        endedBy.merge(cause, 1L, Long::sum);
        if (cause.isFailure() && exit.isPresent()) {
            events.add(new WorkerEvent.Crashed(worker, exit.get()));
        }
    }

    int failHealthCheck(ModelledWorker worker) {
        worker.failed++;
        events.add(new WorkerEvent.HealthCheckFailed(worker.info()));
        return worker.failed;
    }

    void suspect(ModelledWorker worker, StopReason reason) {
        worker.suspected = true;
        events.add(new WorkerEvent.Suspected(worker.info(), reason));
    }

    void clearSuspicion(ModelledWorker worker) {
        worker.suspected = false;
        events.add(new WorkerEvent.SuspicionCleared(worker.info()));
    }

    void checkUnknown() {
        checksUnknown++;
    }

    void leased(SlotLease lease, ModelledWorker worker, Instant now) {
        worker.lease(1);
        leases.add(new Lease(lease, worker, now));
    }

    void closed(Lease lease) {
        if (lease.isValid()) {
            lease.worker.lease(-1);
            lease.end = Optional.of(new LeaseEnd.Released());
        }
        lease.closed = true;
    }

    /** A valid lease fails and its worker is checked; the end is decided later. */
    void failed(Lease lease, FailedLease failed) {
        lease.worker.lease(-1);
        lease.closed = true;
        lease.worker.checking = Optional.of(failed);
    }

    /** A check passes if it is that of the last failed lease. */
    boolean pass(FailedLease failed) {
        Optional<ModelledWorker> checked = members.values().stream()
                .filter(worker -> worker.checking.equals(Optional.of(failed)))
                .findAny();
        checked.ifPresent(worker -> {
            worker.checking = Optional.empty();
            undecided(worker).forEach(lease -> lease.end = Optional.of(new LeaseEnd.Released()));
        });
        return checked.isPresent();
    }

    /** The failed leases of a worker's generation whose end is not decided. */
    private List<Lease> undecided(ModelledWorker worker) {
        return leases.stream()
                .filter(lease -> lease.isOf(worker) && lease.closed && lease.end.isEmpty())
                .toList();
    }

    private void loseLeases(ModelledWorker worker, Optional<Exit> exit) {
        exit.ifPresent(last -> worker.lastExit = Optional.of(last));
        worker.checking = Optional.empty();
        leases.stream()
                .filter(lease -> lease.isOf(worker) && lease.end.isEmpty())
                .forEach(lease -> lease.end = Optional.of(lost(worker, lease.incarnation)));
    }

    RegistryStats stats() {
        return RegistryStats.builder()
                .loading(count("loading"))
                .idle(count("idle"))
                .busy(count("busy"))
                .backingOff(count("backing_off"))
                .stopping(count("stopping"))
                .slotsTotal(routable().mapToLong(worker -> worker.slots).sum())
                .slotsInUse(routable().mapToLong(worker -> worker.inUse).sum())
                .registered(count(WorkerEvent.Registered.class))
                .becameReady(count(WorkerEvent.BecameReady.class))
                .crashed(count(WorkerEvent.Crashed.class))
                .restarted(count(WorkerEvent.Restarted.class))
                .healthChecksFailed(count(WorkerEvent.HealthCheckFailed.class))
                .healthChecksUnknown(checksUnknown)
                .suspected(count(WorkerEvent.Suspected.class))
                .endedBy(endedBy)
                .waiting(waiting)
                .granted(granted)
                .timedOut(timedOut)
                .cancelled(cancelled)
                .refused(refused)
                .timeWaited(timeWaited)
                .build();
    }

    /** Number of workers by state, as text. */
    String describe() {
        String counts = Stream.of("loading", "idle", "busy", "backing_off", "stopping")
                .filter(state -> count(state) > 0)
                .map(state -> count(state) + " " + state)
                .collect(Collectors.joining(", "));
        return counts.isEmpty() ? "none" : counts;
    }

    private Stream<ModelledWorker> routable() {
        return members.values().stream().filter(worker -> worker.state.routable());
    }

    private int count(String state) {
        return infos(worker -> worker.state.label().equals(state)).size();
    }

    private long count(Class<? extends WorkerEvent> kind) {
        return events.stream().filter(kind::isInstance).count();
    }
}
