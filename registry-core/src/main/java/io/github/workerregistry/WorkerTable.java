package io.github.workerregistry;

import io.github.workerregistry.WorkerEntry.Change;
import io.github.workerregistry.WorkerState.BackingOff;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The workers of a registry, and the lock over their map.
 *
 * <p>Registration, removal and transitions run under the write lock, so events have one order. {@link #select} and
 * {@link #stats} run under the read lock and see a consistent set of workers and states. Leases take no lock, so each
 * worker's occupancy is read at a moment of its own.
 *
 * <p>Operations on a single worker take no lock either. A read lock writes to one shared word; two threads that only
 * read would pay many times the cost of the map look-up. A worker's occupancy is one atomic word (a stamp that tells
 * old leases from new, routable or not, slots in use); everything else is one immutable value. A lease changes only the
 * word. A transition is a pure function from value to value, and changes the word first. So the first lease of an idle
 * worker and the idle timeout compete for one word, and exactly one wins. (A reader that meets a transition in progress
 * waits for its end on the read lock; this is the only case in which {@link #snapshot} takes it.)
 *
 * <p>A write section consists of: look up, pure step, put, enqueue the event. Listeners, loggers and clocks are called
 * outside; what else follows from a write section is collected in {@link PendingEffects} and applied after it.
 */
final class WorkerTable {

    private static final PendingEffects NO_EFFECTS = new PendingEffects();

    private final InstantSource clock;
    private final EventFeed events;
    private final ModelHistory history = new ModelHistory();
    private final LeaseEndFutures leaseEnds = new LeaseEndFutures(this::stableSnapshot);
    private final LeaseCheckCoordinator leaseChecks = new LeaseCheckCoordinator(leaseEnds);
    private final IdleActions idleActions = new IdleActions();
    private final DemandListeners demandListeners = new DemandListeners();
    private final ModelTable models;

    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

    /** Guarded by {@code lock}, in registration order. */
    private final Map<String, WorkerEntry> workers = new LinkedHashMap<>();

    /** Index for readers without the lock; written under the write lock only. */
    private final ConcurrentMap<String, WorkerEntry> byId = new ConcurrentHashMap<>();

    /** Effects of the current write section; guarded by the write lock. */
    private PendingEffects pending = new PendingEffects();

    /** Per table: a thread may be inside {@link #deferEvents} of two. Removed at the end of each. */
    @SuppressWarnings("ThreadLocalUsage")
    private final ThreadLocal<@Nullable List<PendingEffects>> deferring = new ThreadLocal<>();

    WorkerTable(InstantSource clock, EventFeed events, ThreadHints hints, SlotSettings settings) {
        this.clock = clock;
        this.events = events;
        Deadlines deadlines = new Deadlines(settings.timer(), clock, ModelTable::timeOut);
        SlotRules rules = new SlotRules(
                settings,
                clock,
                history,
                leaseEnds,
                leaseChecks,
                idleActions,
                demandListeners,
                deadlines,
                new WaitTotals());
        models = new ModelTable(rules, hints);
    }

    ModelTable models() {
        return models;
    }

    LeaseCheckCoordinator leaseChecks() {
        return leaseChecks;
    }

    DemandListeners demandListeners() {
        return demandListeners;
    }

    // ---- reads ----

    /** The entry of a worker; null if the id is unknown. Takes no lock. */
    @Nullable
    WorkerEntry get(String id) {
        return byId.get(id);
    }

    /** A snapshot of the worker; null if it was removed. */
    @Nullable
    WorkerInfo snapshot(WorkerEntry entry) {
        WorkerInfo resting = entry.snapshotAtRest();
        if (resting != null) {
            return resting;
        }
        if (entry.isUsed()) {
            entry.stampActivity(clock.instant());
        }
        return stableSnapshot(entry);
    }

    /** A snapshot of the worker outside a transition; null if it was removed. */
    private @Nullable WorkerInfo stableSnapshot(WorkerEntry entry) {
        WorkerInfo worker = entry.snapshot();
        return worker != null
                ? worker
                : read(() -> Optional.ofNullable(entry.snapshot())).orElse(null);
    }

    /**
     * The workers that pass both tests, in registration order.
     *
     * @param visited on the entry, before its snapshot is taken
     * @param wanted on the snapshot
     */
    List<WorkerInfo> select(Predicate<WorkerEntry> visited, Predicate<WorkerInfo> wanted) {
        Instant now = clock.instant();
        return read(() -> {
            List<WorkerInfo> found = new ArrayList<>();
            for (WorkerEntry entry : workers.values()) {
                if (!visited.test(entry)) {
                    continue;
                }
                entry.stampActivity(now);
                WorkerInfo worker = entry.last();
                if (wanted.test(worker)) {
                    found.add(worker);
                }
            }
            return List.copyOf(found);
        });
    }

    RegistryStats stats() {
        return read(() -> models.addTo(events.stats(
                        workers.values().stream().map(WorkerEntry::last).toList()))
                .build());
    }

    /** Counts the workers by state. Takes no lock. */
    StateCounts countByState() {
        StateCounts counts = new StateCounts();
        byId.values().forEach(counts::add);
        return counts;
    }

    // ---- changes ----

    void register(WorkerInfo worker) {
        write(() -> {
            WorkerEntry entry = new WorkerEntry(worker);
            if (workers.putIfAbsent(worker.id(), entry) != null) {
                throw new DuplicateWorkerException(worker.id());
            }
            models.add(entry);
            pending.changed(entry.model());
            byId.put(worker.id(), entry); // last: from here on, slots can be acquired
            events.registered(worker);
            history.registered(worker);
            return worker;
        });
    }

    Optional<WorkerInfo> changeState(String id, WorkerState next, Precondition condition) {
        return changeState(id, (entry, now) -> entry.changeState(next, now, condition));
    }

    Optional<WorkerInfo> changeState(String id, BiFunction<WorkerEntry, Instant, Optional<Change>> step) {
        Instant now = clock.instant();
        return write(() -> {
            WorkerEntry entry = workers.get(id);
            if (entry == null) {
                return Optional.empty();
            }
            Optional<Change> change = step.apply(entry, now);
            change.filter(Change::isTransition).ifPresent(transition -> changed(entry, transition));
            return change.map(Change::after);
        });
    }

    private void changed(WorkerEntry entry, Change transition) {
        FreeSlots.note(entry);
        pending.changed(entry.model());
        noteIfWatched(entry);
        if (transition.after().state() instanceof BackingOff end) {
            pending.ended(entry, end.exit().incarnation());
            if (end.exit().cause().isFailure()) {
                history.failed(transition.after(), end.exit());
            }
        }
        events.changed(transition.before(), transition.after());
    }

    private void noteIfWatched(WorkerEntry entry) {
        if (idleActions.existFor(entry)) {
            pending.watched(entry);
        }
    }

    /** See {@link Supervision#whenIdle}; false if the incarnation is not registered. */
    boolean whenIdle(Incarnation incarnation, Runnable action) {
        WorkerEntry entry = get(incarnation.workerId());
        if (entry == null || !entry.isOf(incarnation)) {
            return false;
        }
        idleActions.add(entry, action);
        return true;
    }

    /**
     * Removes a worker.
     *
     * @param exit the exit of its process; empty if there is none
     * @return the worker's last state; empty if the id is unknown, or the condition does not hold
     */
    Optional<WorkerInfo> remove(String id, Precondition condition, Exit.Cause cause, Optional<Exit> exit) {
        return write(() ->
                Optional.ofNullable(workers.get(id)).flatMap(entry -> removeEntry(entry, condition, cause, exit)));
    }

    List<WorkerInfo> removeAll(Exit.Cause cause) {
        return write(() -> {
            List<WorkerInfo> removed = new ArrayList<>();
            for (WorkerEntry entry : List.copyOf(workers.values())) {
                removeEntry(entry, Precondition.none(), cause, Optional.empty()).ifPresent(removed::add);
            }
            return List.copyOf(removed);
        });
    }

    private Optional<WorkerInfo> removeEntry(
            WorkerEntry entry, Precondition condition, Exit.Cause cause, Optional<Exit> exit) {
        Optional<WorkerInfo> removed = entry.remove(condition, exit.orElse(null));
        removed.ifPresent(worker -> {
            pending.ended(entry, worker.incarnation());
            workers.remove(worker.id());
            byId.remove(worker.id());
            models.remove(entry, exit.orElse(null));
            pending.changed(entry.model());
            noteIfWatched(entry);
            exit.filter(end -> end.cause().isFailure()).ifPresent(end -> history.failed(worker, end));
            history.removed(worker, cause);
            events.removed(worker, cause, exit);
        });
        return removed;
    }

    /** Counts a failed health check; the number of failed checks in a row, or empty as {@link #remove}. */
    OptionalInt countFailedCheck(String id, Precondition condition) {
        return write(() -> {
            WorkerEntry entry = workers.get(id);
            if (entry == null || !entry.meets(condition)) {
                return OptionalInt.empty();
            }
            entry.update(worker -> worker.toBuilder()
                    .failedHealthChecks(Math.min(worker.failedHealthChecks(), Integer.MAX_VALUE - 1) + 1)
                    .build());
            WorkerInfo failed = entry.last();
            events.healthCheckFailed(failed);
            return OptionalInt.of(failed.failedHealthChecks());
        });
    }

    /** Counts a health check without a result; false if the incarnation is not registered. */
    boolean countUnknownCheck(Incarnation incarnation) {
        return write(() -> {
            Optional<WorkerEntry> checked = entryOf(incarnation);
            checked.ifPresent(entry -> events.healthCheckUnknown());
            return checked.isPresent();
        });
    }

    /** Stores the pid; the worker after the change, or empty if the incarnation is not registered. */
    Optional<WorkerInfo> started(Incarnation incarnation, long pid) {
        return write(() -> entryOf(incarnation).map(entry -> {
            entry.update(worker -> worker.toBuilder().pid(pid).build());
            return entry.last();
        }));
    }

    /** Leases no slot of a loading worker for now; false if the incarnation is not registered, or not loading. */
    boolean holdLeasing(Incarnation incarnation) {
        return write(() -> entryOf(incarnation).filter(WorkerEntry::holdLeasing).isPresent());
    }

    /** Begins leasing after {@link #holdLeasing}; false if the incarnation is not registered, or not held. */
    boolean beginLeasing(Incarnation incarnation) {
        return write(() -> {
            Optional<WorkerEntry> begun = entryOf(incarnation).filter(WorkerEntry::beginLeasing);
            begun.ifPresent(entry -> pending.changed(entry.model()));
            return begun.isPresent();
        });
    }

    /** Ends leasing before the exit is reported; false if the incarnation is not registered. */
    boolean endLeasing(Incarnation incarnation) {
        return write(() -> {
            Optional<WorkerEntry> exited = entryOf(incarnation);
            exited.ifPresent(WorkerEntry::endLeasing);
            return exited.isPresent();
        });
    }

    /** Marks as suspected; false if the incarnation is not registered, or is suspected already. */
    boolean suspect(Incarnation incarnation, StopReason reason) {
        return write(() -> {
            Optional<WorkerEntry> suspected = entryOf(incarnation).filter(entry -> entry.suspect(true));
            suspected.ifPresent(entry -> events.suspected(entry.last(), reason));
            return suspected.isPresent();
        });
    }

    /** Clears the suspicion; false if the incarnation is not registered, or is not suspected. */
    boolean clearSuspicion(Incarnation incarnation) {
        return write(() -> {
            Optional<WorkerEntry> cleared = entryOf(incarnation).filter(entry -> entry.suspect(false));
            cleared.ifPresent(entry -> events.cleared(entry.last()));
            return cleared.isPresent();
        });
    }

    private Optional<WorkerEntry> entryOf(Incarnation incarnation) {
        return Optional.ofNullable(workers.get(incarnation.workerId())).filter(entry -> entry.isOf(incarnation));
    }

    // ---- sections ----

    private <T> T read(Supplier<T> reader) {
        lock.readLock().lock();
        try {
            return reader.get();
        } finally {
            lock.readLock().unlock();
        }
    }

    private <T> T write(Supplier<T> change) {
        T result;
        PendingEffects effects = NO_EFFECTS;
        lock.writeLock().lock();
        try {
            result = change.get();
            if (!pending.isEmpty()) { // else the next section, of another thread, fills the same object
                effects = pending;
                pending = new PendingEffects();
            }
        } finally {
            lock.writeLock().unlock(); // nothing else here: its failure would leave the lock held
        }
        effects.serve();
        List<PendingEffects> deferred = deferring.get();
        if (deferred == null) {
            effects.complete(leaseChecks, leaseEnds, idleActions);
            events.dispatch();
        } else {
            deferred.add(effects);
        }
        return result;
    }

    /**
     * See {@link Supervision#deferEvents}. Requests that the action serves are completed last, on their own executors:
     * a completion that blocks holds up neither events nor the ends of leases.
     */
    void deferEvents(Runnable action) {
        if (deferring.get() != null) {
            action.run();
        } else {
            CompletionLoop.around(() -> deferred(action));
        }
    }

    private void deferred(Runnable action) {
        List<PendingEffects> deferred = new ArrayList<>();
        deferring.set(deferred);
        try {
            action.run();
        } finally {
            deferring.remove();
            deferred.forEach(effects -> effects.complete(leaseChecks, leaseEnds, idleActions));
            events.dispatch();
        }
    }
}
