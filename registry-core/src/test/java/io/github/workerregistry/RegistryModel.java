package io.github.workerregistry;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
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
 * What a registry is, in the plainest way: a map of workers, the events so far, and some totals. Single-threaded, with
 * no words and no generations in bits, and meant to be obviously right.
 */
final class RegistryModel {

    final Map<String, ModelledWorker> members = new LinkedHashMap<>();
    final List<WorkerEvent> events = new ArrayList<>();
    final List<Lease> leases = new ArrayList<>();

    private final Map<Exit.Cause, Long> endedBy = new EnumMap<>(Exit.Cause.class);
    private long orphansReaped;

    /** How many edges were gone, to see that the lives are not dull. */
    int edges;

    /** A lease that somebody holds, and that may be void. */
    final class Lease {
        final SlotLease lease;
        final ModelledWorker worker;
        final Instant takenAt;
        final String url;
        private final int generation;
        boolean closed;
        boolean reported;

        /** How it ended; empty while it is held, or checked. */
        Optional<LeaseEnd> end = Optional.empty();

        /** What was asked for when it was taken, if it was. */
        Optional<CompletionStage<LeaseEnd>> asked = Optional.empty();

        private Lease(SlotLease lease, ModelledWorker worker, Instant now) {
            this.lease = lease;
            this.worker = worker;
            this.takenAt = now;
            generation = worker.generation;
            url = worker.url;
        }

        boolean isValid() {
            return !closed && isMember(worker, generation) && !(worker.state instanceof BackingOff);
        }

        private boolean isOf(ModelledWorker other) {
            return worker == other && generation == other.generation;
        }

        /** What whoever asks now is told: of each worker, only the last exit is known. */
        Optional<LeaseEnd> endAskedNow() {
            return end.map(known -> known instanceof LeaseEnd.Lost ? lost(worker, generation) : known);
        }
    }

    private static LeaseEnd lost(ModelledWorker worker, int generation) {
        return new LeaseEnd.Lost(worker.lastExit.filter(exit -> exit.generation() == generation));
    }

    /** A worker as somebody read it. */
    record Memory(WorkerInfo seen, ModelledWorker worker, int idleSpell) {}

    ModelledWorker get(String id) {
        return members.get(id);
    }

    private boolean isMember(ModelledWorker worker, int generation) {
        return members.get(worker.id) == worker && worker.generation == generation;
    }

    /** Whether it is this very worker still, whatever it has done since. */
    boolean isSame(Memory memory) {
        return isMember(memory.worker, memory.seen.generation());
    }

    /** Whether nothing has happened to it since. */
    boolean isUnchanged(Memory memory) {
        return isSame(memory)
                && memory.worker.state.equals(memory.seen.state())
                && (!(memory.worker.state instanceof Idle) || memory.worker.idleSpell == memory.idleSpell);
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

    /** Goes to another state, or, if that is no other, only looks. */
    void go(ModelledWorker worker, WorkerState next, Instant now) {
        WorkerState from = worker.state;
        worker.look(now);
        if (next.equals(from)) {
            return;
        }
        if (next instanceof BackingOff backingOff) {
            loseLeases(worker, Optional.of(backingOff.cause()));
        }
        worker.go(next, now);
        edges++;
        WorkerInfo after = worker.info();
        if (next instanceof Idle && from instanceof Loading) {
            events.add(new WorkerEvent.BecameReady(after));
        } else if (next instanceof BackingOff backingOff) {
            ended(after, backingOff.cause().cause(), Optional.of(backingOff.cause()));
            events.add(new WorkerEvent.RestartScheduled(after, backingOff.attempt(), backingOff.retryAt()));
        } else if (next instanceof Loading) {
            events.add(new WorkerEvent.Restarted(after));
        } else if (next instanceof Stopping stopping) {
            if (stopping.reason() == Exit.Cause.IDLE_TIMEOUT) {
                events.add(new WorkerEvent.IdleTimedOut(after));
            }
            events.add(new WorkerEvent.Stopping(after, stopping.reason()));
        }
    }

    void leave(ModelledWorker worker, Exit.Cause reason, Optional<Exit> exit) {
        members.remove(worker.id);
        loseLeases(worker, exit);
        if (!(worker.state instanceof BackingOff)) { // its end has been told
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

    void suspect(ModelledWorker worker, Exit.Cause cause) {
        worker.suspected = true;
        events.add(new WorkerEvent.Suspected(worker.info(), cause));
    }

    void clearSuspicion(ModelledWorker worker) {
        worker.suspected = false;
        events.add(new WorkerEvent.Cleared(worker.info()));
    }

    void noteReapedOrphans(int processes) {
        orphansReaped += processes;
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

    /** A lease that was valid fails, and its worker is checked: its end is known later. */
    void failed(Lease lease, FailedLease failed) {
        lease.worker.lease(-1);
        lease.closed = true;
        lease.worker.checking = Optional.of(failed);
    }

    /** A check passes, if it is that of the last lease that failed. */
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

    /** The leases of a worker's generation that have failed, and whose end is not known. */
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
                .forEach(lease -> lease.end = Optional.of(lost(worker, lease.generation)));
    }

    RegistryStats stats() {
        return new RegistryStats(
                count("loading"),
                count("idle"),
                count("busy"),
                count("backing_off"),
                count("stopping"),
                routable().mapToLong(worker -> worker.slots).sum(),
                routable().mapToLong(worker -> worker.inUse).sum(),
                told(WorkerEvent.Registered.class),
                told(WorkerEvent.BecameReady.class),
                told(WorkerEvent.Crashed.class),
                told(WorkerEvent.Restarted.class),
                told(WorkerEvent.HealthCheckFailed.class),
                0,
                told(WorkerEvent.Suspected.class),
                orphansReaped,
                endedBy);
    }

    /** How many are in which state, in words. */
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

    private long told(Class<? extends WorkerEvent> kind) {
        return events.stream().filter(kind::isInstance).count();
    }
}
