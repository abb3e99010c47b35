package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.Entry.Change;
import io.github.workerregistry.Entry.Condition;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The workers of one node, in memory: who they are, where they are in their lives, and a slot for the next request.
 *
 * <p>A registry starts no thread, no process and no I/O. Its lives are driven by a
 * {@link io.github.workerregistry.lifecycle.WorkerSupervisor} or by the host itself. All methods are thread-safe.
 *
 * <pre>{@code
 * try (SlotLease lease = registry.tryAcquire("hf:TheBloke/TinyLlama").orElseThrow()) {
 *     send(request, lease.url());
 * }
 * }</pre>
 *
 * <h2>Concurrency</h2>
 *
 * <p>One {@link ReentrantReadWriteLock} stands over the map. Membership and life-cycle transitions run under its write
 * lock, so that events have one order. {@link #list}, {@link #idleWorkers} and {@link #stats} run under its read lock
 * and see one moment of both; leases, which take no lock, come and go meanwhile, so the occupancy of each worker is
 * that of a moment of its own.
 *
 * <p>What touches one worker only never takes it: {@link #get}, {@link #tryAcquire}, {@link #tryAcquireFrom},
 * {@link #heartbeat} and {@link SlotLease#close}. A read lock is a write to one shared word; two threads that only read
 * would pay many times the cost of the map look-up itself. The truth about a worker's occupancy is one atomic word (a
 * stamp that tells old leases from new, routable or not, slots in use); everything else is one immutable value. A lease
 * moves only the word. A transition is a pure step from value to value; it moves the word first. So the first lease of
 * an idle worker and the idle timeout compete for one word, and exactly one wins. (A reader that comes in the middle of
 * a transition waits for its end on the read lock. That is the one case in which {@code get} takes it.)
 *
 * <p>Inside the write lock there is: look up, pure step, put, enqueue the event. Listeners, loggers and clocks are
 * called outside.
 *
 * <h2>Acting on what was seen</h2>
 *
 * <p>A worker may move on between a look and an act. Methods that are named {@code …IfUnchanged} act only if nothing
 * happened to the worker since it was read: it is in the same generation and the same state, and if it was Idle, it has
 * not been used in between. So a verdict on a worker can never hit its successor, and never a worker that has found
 * work meanwhile.
 */
public final class WorkerRegistry {

    private final String node;
    private final InstantSource clock;

    /** The map: guarded by {@code lock}, in registration order. */
    private final Map<String, Entry> workers = new LinkedHashMap<>();

    /** Indexes of the map for readers without the lock. Workers come and go there under the write lock only. */
    private final ConcurrentMap<String, Entry> byId = new ConcurrentHashMap<>();

    private final Models models;
    private final Hints hints = new Hints();
    private final ModelHistory history = new ModelHistory();

    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();
    private final EventFeed events;

    /** Of this registry alone: a thread may be in the middle of a change of two. Taken away at the end of each. */
    @SuppressWarnings("ThreadLocalUsage")
    private final ThreadLocal<@Nullable List<Aftermath>> deferring = new ThreadLocal<>();

    private final @Nullable LeaseLeaks leaks;

    private final LeaseEnds leaseEnds = new LeaseEnds(this::settled);
    private final LeaseChecks leaseChecks = new LeaseChecks(leaseEnds);

    /** What the write section that runs leaves to be done after it; guarded by the write lock. */
    private Aftermath aftermath = new Aftermath();

    private WorkerRegistry(Builder builder) {
        node = builder.node;
        clock = builder.clock == null ? new MonotonicClock() : new SteadyClock(builder.clock);
        LeaseLeaks leaks =
                builder.leaseLeakThreshold == null ? null : new LeaseLeaks(builder.leaseLeakThreshold, clock);
        this.leaks = leaks;
        SlotRules rules =
                new SlotRules(builder.selection, builder.waitQueueCapacity, leaks, history, leaseEnds, leaseChecks);
        models = new Models(rules, hints, builder.failIfAbsent);
        events = new EventFeed(builder.eventQueueCapacity, clock);
    }

    /**
     * A registry with the defaults of {@link Builder}.
     *
     * @return a new, empty registry
     */
    public static WorkerRegistry create() {
        return builder().build();
    }

    /**
     * A builder with the defaults set.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The name of the node whose workers these are.
     *
     * @return the name given to the builder
     */
    public String node() {
        return node;
    }

    /**
     * The clock by which this registry stamps. It never goes back, even if the one given to the builder does.
     *
     * @return the clock
     */
    public InstantSource clock() {
        return clock;
    }

    /**
     * Adds a worker. It is stored as given; a worker registered as Busy is one whose host reports its occupancy.
     *
     * @param worker the worker
     * @throws DuplicateWorkerException if its id is taken; then nothing has changed
     */
    public void register(WorkerInfo worker) {
        requireNonNull(worker, "worker");
        write(() -> {
            Entry entry = new Entry(worker);
            if (workers.putIfAbsent(worker.id(), entry) != null) {
                throw new DuplicateWorkerException(worker.id());
            }
            models.add(entry);
            aftermath.changed(entry.model());
            byId.put(worker.id(), entry); // last: who finds it there may take its slots
            events.registered(worker);
            history.registered(worker);
            return worker;
        });
    }

    /**
     * Moves a worker along an edge of its life (see {@link WorkerState}).
     *
     * <p>{@code Idle} and {@code Busy} are the host's to report only where nobody leases: {@code Busy} takes all slots
     * until the host reports {@code Idle}, and both are refused while leases are open. A {@code BackingOff} has to name
     * the end of the worker's present generation; one that names another comes too late, and nothing happens. To report
     * the state that the worker is in already changes nothing.
     *
     * @param id the worker's id
     * @param next the state to go to
     * @return the worker after the edge; empty if the id is unknown, or {@code next} comes too late
     * @throws IllegalTransitionException if there is no such edge, or leases are open; then nothing has changed
     */
    public Optional<WorkerInfo> updateState(String id, WorkerState next) {
        requireNonNull(id, "id");
        requireNonNull(next, "next");
        return changeState(id, next, Condition.none());
    }

    /**
     * Moves a worker along an edge of its life if nothing happened to it since it was read.
     *
     * @param seen the worker as it was read
     * @param next the state to go to
     * @return the worker after the edge; empty if it has left or moved on
     * @throws IllegalTransitionException if there is no such edge; then nothing has changed
     */
    public Optional<WorkerInfo> updateStateIfUnchanged(WorkerInfo seen, WorkerState next) {
        requireNonNull(seen, "seen");
        requireNonNull(next, "next");
        return changeState(seen.id(), next, Condition.unchangedSince(seen));
    }

    /**
     * Moves this very worker to another state: the one with this id, generation and start, whatever it has done since
     * it was seen. Another worker that was registered under its id meanwhile is left alone.
     *
     * @param worker the worker, as it was at any time
     * @param next its next state
     * @return the worker after the transition; empty if it is not there any more
     * @throws IllegalTransitionException as {@link #updateState(String, WorkerState)}
     */
    public Optional<WorkerInfo> updateStateOf(WorkerInfo worker, WorkerState next) {
        requireNonNull(worker, "worker");
        requireNonNull(next, "next");
        return changeState(worker.id(), next, Condition.sameAs(worker));
    }

    /**
     * Begins the next generation of a worker that backs off, at a url that may be another, if nothing happened to the
     * worker since it was read. Its port may have been taken by somebody else meanwhile. Open leases of the last
     * generation are void, and keep the url that they had. {@link #updateStateIfUnchanged} to {@code Loading} does the
     * same at the url that the worker has.
     *
     * @param seen the worker as it was read, BackingOff
     * @param load the load that begins
     * @param url where the next generation is reached, a name as in {@link WorkerInfo}
     * @return the worker, Loading, in its next generation; empty if it has left or moved on
     * @throws IllegalTransitionException if it does not back off; then nothing has changed
     * @throws IllegalArgumentException if the url is no name
     */
    public Optional<WorkerInfo> restartIfUnchanged(WorkerInfo seen, Loading load, String url) {
        requireNonNull(seen, "seen");
        requireNonNull(load, "load");
        WorkerInfo.requireName(url, "url");
        Condition unchanged = Condition.unchangedSince(seen);
        return changeState(seen.id(), (entry, now) -> entry.restart(load, url, now, unchanged));
    }

    private Optional<WorkerInfo> changeState(String id, WorkerState next, Condition condition) {
        return changeState(id, (entry, now) -> entry.changeState(next, now, condition));
    }

    private Optional<WorkerInfo> changeState(String id, BiFunction<Entry, Instant, Optional<Change>> step) {
        Instant now = clock.instant();
        return write(() -> {
            Entry entry = workers.get(id);
            if (entry == null) {
                return Optional.empty();
            }
            Optional<Change> change = step.apply(entry, now);
            change.filter(Change::isEdge).ifPresent(edge -> {
                FreeSlots.note(entry);
                aftermath.changed(entry.model());
                if (edge.after().state() instanceof BackingOff end) {
                    aftermath.ended(entry, end.cause().generation());
                    if (end.cause().cause().isFailure()) {
                        history.failed(edge.after(), end.cause());
                    }
                }
                events.changed(edge.before(), edge.after());
            });
            return change.map(Change::after);
        });
    }

    /**
     * Looks a worker up. No lock but in the moment of a transition, and no clock unless the worker was used since the
     * last look.
     *
     * @param id the worker's id
     * @return the worker now; empty if the id is unknown
     */
    public Optional<WorkerInfo> get(String id) {
        Entry entry = byId.get(requireNonNull(id, "id"));
        return entry == null ? Optional.empty() : Optional.ofNullable(look(entry));
    }

    /** The worker now; null if it has left. */
    private @Nullable WorkerInfo look(Entry entry) {
        WorkerInfo resting = entry.peekAtRest();
        if (resting != null) {
            return resting;
        }
        if (entry.isUsed()) {
            entry.stampActivity(clock.instant());
        }
        return settled(entry);
    }

    /** The worker as it is, and not in the middle of a transition; null if it has left. */
    private @Nullable WorkerInfo settled(Entry entry) {
        WorkerInfo worker = entry.peek();
        return worker != null
                ? worker
                : read(() -> Optional.ofNullable(entry.peek())).orElse(null);
    }

    /**
     * All workers at one moment.
     *
     * @return an unmodifiable list in registration order
     */
    public List<WorkerInfo> list() {
        return select(worker -> true);
    }

    /**
     * All workers that are Idle, at one moment. With this look, threads that take slots begin with the first free
     * worker of a model again, in place of the one that each used last, so that those that are not needed become idle.
     *
     * @return an unmodifiable list in registration order
     */
    public List<WorkerInfo> idleWorkers() {
        // Or each thread would keep a worker of its own busy, and none would be idle for long.
        hints.clear();
        return select(worker -> worker.state() instanceof Idle);
    }

    private List<WorkerInfo> select(Predicate<WorkerInfo> wanted) {
        Instant now = clock.instant();
        return read(() -> {
            List<WorkerInfo> found = new ArrayList<>();
            for (Entry entry : workers.values()) {
                entry.stampActivity(now);
                WorkerInfo worker = entry.last();
                if (wanted.test(worker)) {
                    found.add(worker);
                }
            }
            return List.copyOf(found);
        });
    }

    /**
     * Removes a worker. Its open leases are void. A supervised worker's process is ended by its supervisor, which hears
     * of the removal; to end a process in good order, stop the worker there instead.
     *
     * @param id the worker's id
     * @return the worker as it was last; empty if the id is unknown
     */
    public Optional<WorkerInfo> remove(String id) {
        requireNonNull(id, "id");
        return write(() -> Optional.ofNullable(workers.get(id))
                .flatMap(entry -> leave(entry, null, Exit.Cause.DEREGISTERED, Optional.empty())));
    }

    /**
     * Removes a worker whose process has ended. Its open leases are void.
     *
     * @param exit the end of its process
     * @return the worker as it was last; empty if the id is unknown, or the worker is no longer in the exit's
     *     generation
     */
    public Optional<WorkerInfo> removeExited(Exit exit) {
        requireNonNull(exit, "exit");
        String id = exit.workerId();
        return write(() -> Optional.ofNullable(workers.get(id))
                .filter(entry -> entry.last().generation() == exit.generation())
                .flatMap(entry -> leave(entry, null, exit.cause(), Optional.of(exit))));
    }

    /**
     * Removes a worker that has no process, or whose process is not ours to end, if nothing happened to it since it was
     * read.
     *
     * @param seen the worker as it was read
     * @param reason why it is removed
     * @return the worker as it was last; empty if it has left or moved on
     */
    public Optional<WorkerInfo> removeIfUnchanged(WorkerInfo seen, Exit.Cause reason) {
        requireNonNull(seen, "seen");
        requireNonNull(reason, "reason");
        return write(() -> Optional.ofNullable(workers.get(seen.id()))
                .flatMap(entry -> leave(entry, seen, reason, Optional.empty())));
    }

    /**
     * Leases no slot of a worker's generation any more: its process is known to have exited, and the exit will be told
     * in a moment. State and open leases stay as they are.
     *
     * @param id the worker's id
     * @param generation the generation that has exited
     * @return false if the id is unknown or the worker is in another generation
     */
    public boolean endLeasing(String id, int generation) {
        requireNonNull(id, "id");
        return write(() -> {
            Entry entry = workers.get(id);
            if (entry == null || entry.last().generation() != generation) {
                return false;
            }
            entry.endLeasing();
            return true;
        });
    }

    /**
     * Removes all workers, as {@link #remove(String)} removes one.
     *
     * @return what was removed, in registration order
     */
    public List<WorkerInfo> clear() {
        return write(() -> {
            List<WorkerInfo> removed = new ArrayList<>();
            for (Entry entry : List.copyOf(workers.values())) {
                leave(entry, null, Exit.Cause.DEREGISTERED, Optional.empty()).ifPresent(removed::add);
            }
            return List.copyOf(removed);
        });
    }

    private Optional<WorkerInfo> leave(Entry entry, @Nullable WorkerInfo seen, Exit.Cause reason, Optional<Exit> exit) {
        Optional<WorkerInfo> left = entry.leave(seen, exit.orElse(null));
        left.ifPresent(worker -> {
            aftermath.ended(entry, worker.generation());
            workers.remove(worker.id());
            byId.remove(worker.id());
            models.remove(entry, exit.orElse(null));
            aftermath.changed(entry.model());
            exit.filter(end -> end.cause().isFailure()).ifPresent(end -> history.failed(worker, end));
            history.removed(worker, reason);
            events.removed(worker, reason, exit);
        });
        return left;
    }

    /**
     * Stores the process id of a worker's generation.
     *
     * @param id the worker's id
     * @param generation the generation that the process is
     * @param pid the process id, &gt; 0
     * @return the worker after the change; empty if the id is unknown or the worker is in another generation
     * @throws IllegalArgumentException if {@code pid} is not positive
     */
    public Optional<WorkerInfo> setPid(String id, int generation, long pid) {
        requireNonNull(id, "id");
        if (pid <= 0) {
            throw new IllegalArgumentException("pid must be > 0, was " + pid);
        }
        return write(() -> {
            Entry entry = workers.get(id);
            if (entry == null || entry.last().generation() != generation) {
                return Optional.empty();
            }
            entry.update(worker -> worker.toBuilder().pid(pid).build());
            aftermath.changed(entry.model());
            return Optional.of(entry.last());
        });
    }

    /**
     * Counts a failed health check.
     *
     * @param id the worker's id
     * @return how many failed in a row now; empty if the id is unknown
     */
    public OptionalInt incrementFailedHealthChecks(String id) {
        requireNonNull(id, "id");
        return incrementFailedHealthChecks(id, entry -> true);
    }

    /**
     * Counts a failed health check if nothing happened to the worker since it was read: a worker that worked meanwhile
     * is alive.
     *
     * @param seen the worker as it was read before the check
     * @return how many failed in a row now; empty if the worker has left or moved on
     */
    public OptionalInt incrementFailedHealthChecksIfUnchanged(WorkerInfo seen) {
        requireNonNull(seen, "seen");
        return incrementFailedHealthChecks(seen.id(), entry -> entry.isUnchangedSince(seen));
    }

    private OptionalInt incrementFailedHealthChecks(String id, Predicate<Entry> condition) {
        return write(() -> {
            Entry entry = workers.get(id);
            if (entry == null || !condition.test(entry)) {
                return OptionalInt.empty();
            }
            entry.update(worker -> worker.toBuilder()
                    .failedHealthChecks(Math.min(worker.failedHealthChecks(), Integer.MAX_VALUE - 1) + 1)
                    .build());
            aftermath.changed(entry.model());
            WorkerInfo failed = entry.last();
            events.healthCheckFailed(failed);
            return OptionalInt.of(failed.failedHealthChecks());
        });
    }

    /**
     * Sets the count of failed health checks back to 0, and nothing else: neither state nor last activity change.
     *
     * @param id the worker's id
     * @return false if the id is unknown
     */
    public boolean resetFailedHealthChecks(String id) {
        Entry entry = byId.get(requireNonNull(id, "id"));
        if (entry != null) {
            entry.clearFailedHealthChecks();
            entry.model().offer(entry);
        }
        return entry != null;
    }

    /**
     * Counts a health check that said nothing about the worker: its answer was Unknown.
     *
     * @param id the worker's id
     * @return false if the id is unknown
     */
    public boolean noteUnknownHealthCheck(String id) {
        requireNonNull(id, "id");
        return write(() -> {
            boolean known = workers.containsKey(id);
            if (known) {
                events.healthCheckUnknown();
            }
            return known;
        });
    }

    /**
     * Puts a worker under suspicion: its checks say that it should be ended, but there is reason to doubt them.
     *
     * @param id the worker's id
     * @param cause why it should be ended
     * @return false if the id is unknown, or the worker is under suspicion already
     */
    public boolean suspect(String id, Exit.Cause cause) {
        requireNonNull(id, "id");
        requireNonNull(cause, "cause");
        return write(() -> {
            Entry entry = workers.get(id);
            if (entry == null || !entry.suspect(true)) {
                return false;
            }
            events.suspected(entry.last(), cause);
            return true;
        });
    }

    /**
     * Clears a worker of suspicion.
     *
     * @param id the worker's id
     * @return false if the id is unknown, or the worker is not under suspicion
     */
    public boolean clearSuspicion(String id) {
        requireNonNull(id, "id");
        return write(() -> {
            Entry entry = workers.get(id);
            if (entry == null || !entry.suspect(false)) {
                return false;
            }
            events.cleared(entry.last());
            return true;
        });
    }

    /**
     * Counts processes of a dead hive that were ended. A supervisor does this for those that it found when it was
     * built; a host that runs an {@code OrphanReaper} itself may.
     *
     * @param processes how many, &ge; 0
     * @throws IllegalArgumentException if {@code processes} is negative
     */
    public void noteReapedOrphans(int processes) {
        WorkerInfo.requireNotNegative(processes, "processes");
        write(() -> {
            events.orphansReaped(processes);
            return processes;
        });
    }

    /**
     * Notes a sign of life that the worker sent by itself, whichever generation that was. Where workers are restarted,
     * {@link #heartbeat(String, int)} is safer: a late beat of the last generation would count for the next one, which
     * would have to go on sending some.
     *
     * @param id the worker's id
     * @return false if the id is unknown
     */
    public boolean heartbeat(String id) {
        Entry entry = byId.get(requireNonNull(id, "id"));
        if (entry != null) {
            entry.beat(clock.instant());
            entry.model().offer(entry);
        }
        return entry != null;
    }

    /**
     * Notes a sign of life that a generation of the worker sent by itself.
     *
     * @param id the worker's id
     * @param generation the generation that sent it; its process has it in {@code WORKER_GENERATION}
     * @return false if the id is unknown, or the worker is in another generation; then nothing is noted
     */
    public boolean heartbeat(String id, int generation) {
        Entry entry = byId.get(requireNonNull(id, "id"));
        if (entry == null || !entry.beat(clock.instant(), generation)) {
            return false;
        }
        entry.model().offer(entry);
        return true;
    }

    /**
     * Finds a worker of a model that has nothing to do. To send it a request, take a slot with {@link #tryAcquireFrom}
     * or, better, {@link #tryAcquire}: between this look and the request, somebody else may have.
     *
     * @param modelRef the model
     * @return an Idle worker, the first in registration order as long as no worker of the model has left; empty if
     *     there is none
     */
    public Optional<WorkerInfo> findIdleWorker(String modelRef) {
        ModelSlots slots = models.get(requireNonNull(modelRef, "modelRef"));
        if (slots == null) {
            return Optional.empty();
        }
        return Optional.ofNullable(slots.free().first(entry -> {
            WorkerInfo worker = entry.level() == 0 ? look(entry) : null;
            return worker != null && worker.state() instanceof Idle ? worker : null;
        }));
    }

    /**
     * Finds a worker of a model on a node, whether or not it is free: an Idle one if there is one, else one with a free
     * slot, else a Busy one, else one that loads. One that is stopping or backing off is never found.
     *
     * @param node the node's name; this registry knows only the workers of its own {@link #node()}
     * @param modelRef the model
     * @return the worker; empty if there is none, or the node is another
     */
    public Optional<WorkerInfo> findByNodeAndModel(String node, String modelRef) {
        requireNonNull(node, "node");
        ModelSlots slots = models.get(requireNonNull(modelRef, "modelRef"));
        if (slots == null || !node.equals(this.node)) {
            return Optional.empty();
        }
        List<Candidate> workers = new ArrayList<>();
        slots.free().first(entry -> {
            WorkerInfo worker = look(entry);
            if (worker != null && usefulness(worker, entry) > 0) {
                workers.add(new Candidate(worker, usefulness(worker, entry)));
            }
            return null; // to the end
        });
        return workers.stream()
                .max(Comparator.comparingInt(Candidate::usefulness))
                .map(Candidate::worker);
    }

    private record Candidate(WorkerInfo worker, int usefulness) {}

    private static int usefulness(WorkerInfo worker, Entry entry) {
        WorkerState state = worker.state();
        if (state instanceof Stopping || state instanceof BackingOff) {
            return 0;
        }
        if (state instanceof Loading) {
            return 1;
        }
        if (entry.isChecking()) {
            return 2; // its slots are not leased now
        }
        return state instanceof Idle ? 4 : worker.slotsAvailable() > 0 ? 3 : 2;
    }

    /**
     * Finds a worker of a model with a free slot and takes the slot, in one atomic step: of the worker that the
     * {@link SlotSelection} prefers. No lock and no clock, and in constant time however many workers there are, unless
     * somebody waits or leaks are looked for.
     *
     * <p>Nobody is overtaken: while callers wait in {@link #acquire}, only a slot that none of them wants is given.
     *
     * @param modelRef the model
     * @return the lease; empty if no worker of the model has a free slot now but those that others wait for
     */
    public Optional<SlotLease> tryAcquire(String modelRef) {
        SlotLease again = hints.tryTakeAgain(requireNonNull(modelRef, "modelRef"));
        return granted(again != null ? again : models.search(modelRef));
    }

    /**
     * The same, of a worker that passes a filter. Looks at them one by one if few pass, so it may miss a slot that
     * comes free behind its back.
     *
     * @param modelRef the model
     * @param filter which workers will do; what its predicate throws is thrown here
     * @return the lease; empty if no worker that passes has a free slot now but those that others wait for
     * @throws IllegalStateException if this is called by a filter, for its own model, while others wait
     */
    public Optional<SlotLease> tryAcquire(String modelRef, SlotFilter filter) {
        return granted(models.tryTake(requireNonNull(modelRef, "modelRef"), requireNonNull(filter, "filter")));
    }

    /**
     * Takes a slot of a model, and waits for it if need be: {@link #acquire(String, SlotFilter, Duration)} of any
     * worker.
     *
     * @param modelRef the model
     * @param timeout how long to wait, &ge; 0
     * @return the lease
     * @throws SlotTimeoutException as there
     * @throws SlotQueueFullException as there
     * @throws NoSuchModelException as there
     * @throws InterruptedException as there
     */
    public SlotLease acquire(String modelRef, Duration timeout) throws InterruptedException {
        return acquire(modelRef, SlotFilter.any(), timeout);
    }

    /**
     * Takes a slot, and waits for it if need be. First come, first served, among all that wait for the same model; a
     * caller whom a free slot does not fit lets those behind pass.
     *
     * <p>Blocks the calling thread, platform or virtual, parked; a virtual one leaves its carrier. It wakes when a slot
     * that fits was given to it: when one is given back, and when a worker becomes ready. And it wakes at once when no
     * worker is left to wait for. The time is real time, whatever the registry's clock is.
     *
     * <p>The three exceptions of this library tell the state of the model: its workers by state, how many callers wait,
     * how long this one did, the model's last failed exit with its last line of output, and whether the hive is
     * shutting down.
     *
     * @param modelRef the model
     * @param filter which workers will do; what its predicate throws is thrown here
     * @param timeout how long to wait, &ge; 0; with 0 it does not wait
     * @return the lease
     * @throws SlotTimeoutException if no slot came in time
     * @throws SlotQueueFullException if as many callers wait for this model as may
     * @throws NoSuchModelException if no worker that passes as to backend and device is here, at once or as soon as the
     *     last one has left; one that loads or backs off is here. Never if {@link Builder#failIfAbsent} is off
     * @throws InterruptedException if the thread is interrupted before it has a slot; then its place is free, and no
     *     slot is lost. If both come together, the slot is given, and the thread stays interrupted
     * @throws IllegalArgumentException if the timeout is negative
     * @throws IllegalStateException if this is called by a filter, for its own model, while others wait
     */
    public SlotLease acquire(String modelRef, SlotFilter filter, Duration timeout) throws InterruptedException {
        requireNonNull(modelRef, "modelRef");
        requireNonNull(filter, "filter");
        if (requireNonNull(timeout, "timeout").isNegative()) {
            throw new IllegalArgumentException("timeout must be >= 0, was " + timeout);
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        SlotLease lease = models.acquire(modelRef, filter, timeout);
        try {
            return watched(lease);
        } catch (Throwable t) {
            lease.close();
            throw t;
        }
    }

    private Optional<SlotLease> granted(@Nullable SlotLease lease) {
        if (lease == null) {
            return Optional.empty();
        }
        try {
            return Optional.of(watched(lease));
        } catch (Throwable t) { // no memory, or the host's clock
            lease.close();
            throw t;
        }
    }

    private SlotLease watched(SlotLease lease) {
        if (leaks != null) {
            leaks.taken(lease);
        }
        return lease;
    }

    /**
     * Logs at WARN, once each, the leases that have been open for longer than
     * {@link Builder#leaseLeakThreshold(Duration)}, with the stack of their acquisition. A supervisor calls this every
     * second; a host without one may. Does nothing unless a threshold was set.
     */
    public void reportLeaks() {
        if (leaks != null) {
            leaks.report();
        }
    }

    /**
     * Takes a slot of one worker, in one atomic step.
     *
     * @param id the worker's id
     * @return the lease; empty if the id is unknown, or the worker has no free slot now, or others wait for it
     */
    public Optional<SlotLease> tryAcquireFrom(String id) {
        Entry entry = byId.get(requireNonNull(id, "id"));
        return entry == null ? Optional.empty() : granted(entry.model().tryTakeFrom(entry));
    }

    /**
     * Registers a checker of workers of which a lease has {@linkplain SlotLease#fail failed}. A supervisor registers
     * itself when it is built. Where there are several checkers, the one that {@linkplain LeaseChecker#drives drives}
     * the worker's process is asked first, then the others, in the order in which they were registered, up to the first
     * that checks the worker. Where none does, a failed lease is a closed one.
     *
     * @param checker what checks workers; called with no lock held, on the thread whose lease failed
     * @return the registration, to be closed when it is over; checks under way end as they would
     */
    public Subscription checkFailedLeases(LeaseChecker checker) {
        return leaseChecks.register(requireNonNull(checker, "checker"));
    }

    /**
     * Tells a listener of every edge in workers' lives from now on.
     *
     * <p>Each listener has a bounded queue of its own, drained serially on its executor: in order, once, with no lock
     * held. One that throws is logged and goes on. One that is slow or blocked delays nobody else, unless they share
     * the executor's only thread. One that falls behind by more than the queue holds is told so with
     * {@link WorkerEvent.Overflowed}, and re-reads {@link #list()}. One whose executor takes no task any more is
     * dropped with a WARN: that executor is an {@link java.util.concurrent.ExecutorService} that has been shut down, or
     * has refused every task for a minute, and 100 at the least.
     *
     * @param listener who is told
     * @param executor where it is called; {@code Runnable::run} calls it on the thread that made the event, after the
     *     lock has been dropped
     * @return the subscription, to be closed when it is no longer wanted
     */
    public Subscription subscribe(WorkerListener listener, Executor executor) {
        return events.subscribe(requireNonNull(listener, "listener"), requireNonNull(executor, "executor"));
    }

    /**
     * Counts of one moment, and totals since this registry was created.
     *
     * @return the counts
     */
    public RegistryStats stats() {
        return read(
                () -> events.stats(workers.values().stream().map(Entry::last).toList()));
    }

    /**
     * Runs an action of whatever drives workers' lives, and tells the hive of what it changes only after it has ended:
     * listeners, and the stages of {@link SlotLease#whenEnded}. A call-back on the calling thread that blocks then
     * holds up nothing in the middle of that action. Calls may be nested; the hive is told at the end of the outermost
     * one.
     *
     * @param action run at once, on this thread; what it throws is thrown here, after listeners have been told
     */
    public void deferEvents(Runnable action) {
        requireNonNull(action, "action");
        if (deferring.get() != null) {
            action.run();
            return;
        }
        List<Aftermath> deferred = new ArrayList<>();
        deferring.set(deferred);
        try {
            action.run();
        } finally {
            deferring.remove();
            deferred.forEach(left -> left.tell(leaseChecks, leaseEnds));
            events.dispatch();
        }
    }

    /**
     * Whether a listener is being called, by any thread. Events of one listener are delivered by one thread at a time:
     * so {@link #deferEvents} may have returned while another thread delivers what it has led to.
     *
     * @return true if a call is under way
     */
    public boolean isDeliveringEvents() {
        return events.isDelivering();
    }

    /** The node, and how many workers are in which state, for logs. Takes no lock. */
    @Override
    public String toString() {
        StateCounts counts = new StateCounts();
        byId.values().forEach(counts::add);
        return "WorkerRegistry[node " + LogText.of(node) + ", workers: " + StateCounts.describe(counts.byLabel()) + "]";
    }

    private <T> T read(Supplier<T> look) {
        lock.readLock().lock();
        try {
            return look.get();
        } finally {
            lock.readLock().unlock();
        }
    }

    private <T> T write(Supplier<T> change) {
        T result;
        Aftermath left;
        lock.writeLock().lock();
        try {
            result = change.get();
            left = aftermath;
            aftermath = left.isEmpty() ? left : new Aftermath();
        } finally {
            lock.writeLock().unlock(); // and nothing else: whatever fails here would keep the lock
        }
        left.serve();
        List<Aftermath> deferred = deferring.get();
        if (deferred == null) {
            left.tell(leaseChecks, leaseEnds);
            events.dispatch();
        } else {
            deferred.add(left);
        }
        return result;
    }

    /** Settings of a registry; every method returns the builder. Not thread-safe. */
    public static final class Builder {
        private String node = "local";
        private @Nullable InstantSource clock;
        private int eventQueueCapacity = 1024;
        private SlotSelection selection = SlotSelection.PACK;
        private int waitQueueCapacity = 512;
        private boolean failIfAbsent = true;
        private @Nullable Duration leaseLeakThreshold;

        private Builder() {}

        /**
         * Names the node whose workers the registry holds.
         *
         * @param node a name as in {@link WorkerInfo}; default {@code local}
         * @return this builder
         * @throws IllegalArgumentException if the name is malformed
         */
        public Builder node(String node) {
            this.node = WorkerInfo.requireName(node, "node");
            return this;
        }

        /**
         * Sets the clock, for tests: {@link io.github.workerregistry.testing.VirtualTime}. It is read by any thread,
         * with no lock held. If it is set back by more than a second, the registry's clock goes on from where it was,
         * so every deadline stays as far away as it was; from then on it is ahead of this one. While it throws or
         * returns null, the registry's clock stands at its last reading.
         *
         * @param clock default: wall time at construction plus elapsed {@code nanoTime}, so that a jump of the wall
         *     clock changes nothing
         * @return this builder
         */
        public Builder clock(InstantSource clock) {
            this.clock = requireNonNull(clock, "clock");
            return this;
        }

        /**
         * Bounds the queue of each listener. Events that one step of a worker makes together ({@code Crashed} and
         * {@code RestartScheduled} or {@code Removed}, {@code IdleTimedOut} and {@code Stopping}) are queued or dropped
         * together: they are queued if there is room for the first.
         *
         * @param events how many events a listener may be behind, &ge; 1; default 1024
         * @return this builder
         * @throws IllegalArgumentException if {@code events} is not positive
         */
        public Builder eventQueueCapacity(int events) {
            if (events < 1) {
                throw new IllegalArgumentException("eventQueueCapacity must be >= 1, was " + events);
            }
            this.eventQueueCapacity = events;
            return this;
        }

        /**
         * Sets which worker of a model gives the next slot, where several could.
         *
         * @param selection default {@link SlotSelection#PACK}
         * @return this builder
         */
        public Builder slotSelection(SlotSelection selection) {
            this.selection = requireNonNull(selection, "selection");
            return this;
        }

        /**
         * Sets how many callers may wait for a slot of one model, see {@link WorkerRegistry#acquire}.
         *
         * @param callers &ge; 0, default 512
         * @return this builder
         * @throws IllegalArgumentException if the number is negative
         */
        public Builder waitQueueCapacity(int callers) {
            WorkerInfo.requireNotNegative(callers, "waitQueueCapacity");
            this.waitQueueCapacity = callers;
            return this;
        }

        /**
         * Sets whether {@link WorkerRegistry#acquire} fails at once if there is no worker to wait for. A host that
         * starts workers on demand may prefer to wait.
         *
         * @param failIfAbsent default true
         * @return this builder
         */
        public Builder failIfAbsent(boolean failIfAbsent) {
            this.failIfAbsent = failIfAbsent;
            return this;
        }

        /**
         * Turns on the report of leases that are open for too long, see {@link WorkerRegistry#reportLeaks()}. Each
         * lease then costs a stack trace and a clock reading.
         *
         * @param threshold &gt; 0; default: off
         * @return this builder
         * @throws IllegalArgumentException if the threshold is not positive
         */
        public Builder leaseLeakThreshold(Duration threshold) {
            if (requireNonNull(threshold, "threshold").isNegative() || threshold.isZero()) {
                throw new IllegalArgumentException("leaseLeakThreshold must be > 0, was " + threshold);
            }
            this.leaseLeakThreshold = threshold;
            return this;
        }

        /**
         * Builds the registry.
         *
         * @return a new, empty registry
         */
        public WorkerRegistry build() {
            return new WorkerRegistry(this);
        }
    }
}
