package io.github.workerregistry.examples.faults;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.LongSupplier;
import java.util.function.Predicate;

/**
 * Injects faults one after another, in the order of a {@link Deck} that depends on the seed. Each is first entered in
 * the {@link Ledger}.
 */
final class Injector {

    private static final Duration LOOK = Duration.ofMillis(100);

    private final WorkerRegistry registry;
    private final WorkerSupervisor supervisor;
    private final Ledger ledger;
    private final LeaseBook leases;
    private final Crew crew;
    private final SmallDisk disk;
    private final Bounds bounds;
    private final LongSupplier clock;
    private final ScheduledExecutorService later;
    private final Random random;
    private final CommonPool pool = new CommonPool();
    private final AtomicBoolean diskIsFull = new AtomicBoolean();
    private final Deck deck;
    private int heldOverRestarts;

    /**
     * Creates an injector.
     *
     * @param later the scheduler on which faults are undone
     */
    Injector(
            WorkerRegistry registry,
            WorkerSupervisor supervisor,
            Ledger ledger,
            LeaseBook leases,
            Crew crew,
            SmallDisk disk,
            Bounds bounds,
            LongSupplier clock,
            ScheduledExecutorService later,
            long seed) {
        this.registry = registry;
        this.supervisor = supervisor;
        this.ledger = ledger;
        this.leases = leases;
        this.crew = crew;
        this.disk = disk;
        this.bounds = bounds;
        this.clock = clock;
        this.later = later;
        this.random = new Random(seed);
        this.deck = new Deck(random);
    }

    /** Injects the next fault. If no suitable worker exists now, its card is put back, last. */
    void injectNext() {
        FaultKind kind = deck.next();
        if (inject(kind)) {
            deck.played();
        } else {
            deck.again(kind);
        }
    }

    /** Whether every kind has been injected. */
    boolean everyKindHasCome() {
        return deck.isThrough();
    }

    /** Number of injected faults; a fault that needs another one counts as one. */
    int count() {
        return deck.count();
    }

    /** Number of leases that were held during an operator's restart of their worker; each must be void afterwards. */
    int heldOverRestarts() {
        return heldOverRestarts;
    }

    private boolean inject(FaultKind kind) {
        return switch (kind) {
            case KILL -> kill();
            case HANG -> hang();
            case SICK -> sicken();
            case MUTE -> mute();
            case CRASH_LOOP -> crew.spawnCrashing();
            case STOP ->
                onVictim(kind, worker -> true, (worker, victim, fault) -> {
                    supervisor.stop(worker.id());
                    return true;
                });
            case FORCE_KILL ->
                onVictim(kind, worker -> true, (worker, victim, fault) -> {
                    supervisor.forceKill(worker.id());
                    return true;
                });
            case OPERATOR_RESTART -> restart();
            case PAUSE -> pause();
            case SLOW -> slowDown();
            case HANG_AT_WORK -> hangAtWork();
            case DISK_FULL -> fillDisk();
            case POOL_FULL -> fillPool();
            default -> throw new AssertionError(kind);
        };
    }

    // ---- faults that must be detected ----

    private boolean kill() {
        FaultKind kind = pool.isFull() ? FaultKind.KILL_POOL_FULL : FaultKind.KILL;
        return onVictim(kind, worker -> ledger.mayBeRestarted(worker.id()), (worker, victim, fault) -> victim.kill());
    }

    private boolean hang() {
        return onVictim(FaultKind.HANG, this::isIdleAndMayFail, (worker, victim, fault) -> victim.pause());
    }

    private boolean sicken() {
        return onVictim(FaultKind.SICK, this::isIdleAndMayFail, (worker, victim, fault) -> victim.answer(503, 0));
    }

    private boolean mute() {
        return onVictim(
                FaultKind.MUTE,
                worker -> Purpose.of(worker.modelRef()) == Purpose.BUSY
                        && worker.state().routable()
                        && ledger.mayBeRestarted(worker.id()),
                (worker, victim, fault) -> victim.mute());
    }

    /**
     * If a slot is free, which is required for the first restart, a lease is held until after the drain, and must be
     * void when the worker has restarted.
     */
    private boolean restart() {
        return onVictim(FaultKind.OPERATOR_RESTART, worker -> worker.state().routable(), (worker, victim, fault) -> {
            Optional<SlotLease> lease = registry.tryAcquireFrom(worker.id());
            if (lease.isEmpty() && heldOverRestarts == 0) {
                return false; // at least one must be held
            }
            lease.ifPresent(leases::taken);
            supervisor.restart(worker.id());
            lease.ifPresent(held -> {
                heldOverRestarts++;
                Duration drain = config().drainTimeout();
                schedule(drain.dividedBy(2), () -> leases.mustBeValid(held, fault.since() + drain.toNanos()));
                giveBackAfterRestart(
                        held,
                        fault.since() + bounds.of(FaultKind.OPERATOR_RESTART).toNanos());
            });
            return true;
        });
    }

    /** When the worker has restarted, was removed, or is overdue. */
    private void giveBackAfterRestart(SlotLease held, long until) {
        boolean waiting = clock.getAsLong() - until < 0
                && registry.get(held.workerId())
                        .filter(worker -> worker.generation() == held.generation())
                        .isPresent();
        try {
            if (waiting) {
                schedule(LOOK, () -> giveBackAfterRestart(held, until));
                return;
            }
        } catch (RejectedExecutionException theRunEnds) {
            // and has waited for earlier restarts
        }
        leases.giveBack(held);
    }

    private boolean isIdleAndMayFail(WorkerInfo worker) {
        return isCalm(worker) && worker.state() instanceof Idle && ledger.mayBeRestarted(worker.id());
    }

    private static boolean isCalm(WorkerInfo worker) {
        return Purpose.of(worker.modelRef()) == Purpose.CALM;
    }

    // ---- faults that must be survived ----

    private boolean pause() {
        Duration pause = part(config().healthInterval(), 0.5, 1.5);
        return onVictim(FaultKind.PAUSE, worker -> worker.state().routable(), (worker, victim, fault) -> {
            boolean paused = victim.pause();
            if (paused) {
                schedule(pause, () -> {
                    victim.resume();
                    fault.undone(clock.getAsLong());
                    watch(fault);
                });
            }
            return paused;
        });
    }

    private boolean slowDown() {
        Duration delay = part(config().healthTimeout(), 0.2, 0.4);
        Duration length = config().healthInterval().multipliedBy(config().failureThreshold() + 1);
        return onVictim(FaultKind.SLOW, worker -> worker.state().routable(), (worker, victim, fault) -> {
            boolean slow = victim.answer(200, delay.toMillis());
            if (slow) {
                schedule(length, () -> {
                    victim.answer(200, 0);
                    watch(fault);
                });
            }
            return slow;
        });
    }

    /** Longer than it takes to stop an idle worker. */
    private boolean hangAtWork() {
        Duration length = bounds.of(FaultKind.HANG);
        return onVictim(FaultKind.HANG_AT_WORK, Injector::isCalm, (worker, victim, fault) -> {
            SlotLease lease = registry.tryAcquireFrom(worker.id()).orElse(null);
            if (lease == null) {
                return false;
            }
            leases.taken(lease);
            boolean hangs = victim.answer(200, length.multipliedBy(2).toMillis());
            if (!hangs) {
                leases.giveBack(lease);
                return false;
            }
            schedule(length, () -> {
                victim.answer(200, 0);
                leases.giveBack(lease);
                watch(fault);
            });
            return true;
        });
    }

    private boolean fillDisk() {
        if (disk.whyNeverFull().isPresent()) {
            return true; // cannot be undone now
        }
        if (!diskIsFull.compareAndSet(false, true)) {
            return false;
        }
        long since = clock.getAsLong();
        int unexplained = ledger.unexplained();
        disk.fill();
        schedule(part(config().healthInterval(), 1, 4), () -> {
            try {
                disk.clear();
            } catch (IOException e) {
                throw new IllegalStateException("cannot free the disk", e);
            }
            diskIsFull.set(false);
            ledger.passed(FaultKind.DISK_FULL, since, unexplained);
        });
        return true;
    }

    /** Only together with a kill while it is full, which shows the effect. */
    private boolean fillPool() {
        if (!pool.fill()) {
            return false;
        }
        if (!kill()) {
            pool.clear();
            return false;
        }
        long since = clock.getAsLong();
        int unexplained = ledger.unexplained();
        schedule(part(config().healthInterval(), 1, 4), () -> {
            pool.clear();
            ledger.passed(FaultKind.POOL_FULL, since, unexplained);
        });
        return true;
    }

    // ---- common ----

    /** Injects a fault into a worker; false if that was not possible. */
    @FunctionalInterface
    private interface Deed {
        boolean on(WorkerInfo worker, Victim victim, Fault fault);
    }

    private boolean onVictim(FaultKind kind, Predicate<WorkerInfo> wanted, Deed deed) {
        List<WorkerInfo> candidates = registry.list().stream()
                .filter(worker -> worker.state().routable() || worker.state() instanceof Loading)
                .filter(worker -> isOfInterest(Purpose.of(worker.modelRef())) && ledger.mayBeUsed(worker.id()))
                .filter(wanted)
                .toList();
        if (candidates.isEmpty()) {
            return false;
        }
        WorkerInfo worker = candidates.get(random.nextInt(candidates.size()));
        Optional<Victim> victim = Victim.of(worker);
        Optional<Fault> fault = victim.flatMap(there -> ledger.open(kind, worker));
        boolean done = fault.isPresent() && deed.on(worker, victim.orElseThrow(), fault.get());
        if (fault.isPresent() && !done) {
            ledger.withdraw(fault.get());
        }
        return done;
    }

    private static boolean isOfInterest(Purpose purpose) {
        return purpose == Purpose.BUSY || purpose == Purpose.CALM;
    }

    private LifecycleConfig config() {
        return bounds.config();
    }

    private Duration part(Duration whole, double least, double most) {
        double part = least + (most - least) * random.nextDouble();
        return Duration.ofNanos((long) (whole.toNanos() * part));
    }

    /** Only after the observation time: a check that began during the fault may fail late. */
    private void watch(Fault fault) {
        schedule(bounds.of(fault.kind()), () -> ledger.survived(fault));
    }

    private void schedule(Duration delay, Runnable action) {
        later.schedule(action, delay.toNanos(), TimeUnit.NANOSECONDS);
    }
}
