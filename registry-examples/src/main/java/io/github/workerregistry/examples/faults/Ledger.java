package io.github.workerregistry.examples.faults;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerListener;
import io.github.workerregistry.WorkerState.BackingOff;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * What the run has done to its workers, what has to follow, and whether it did.
 *
 * <p>Everything is written down before it is done. Then every end of a worker that the library tells of must have its
 * reason here, and everything here must have its effect there, in time. Of the library's own accounts only the events
 * are used. Thread-safe.
 *
 * <ul>
 *   <li>What has to be noticed is <em>as expected</em> if the right event came within the bound, and <em>missed</em> if
 *       it came late or never.
 *   <li>What has to be survived is as expected if the worker's process is still there afterwards.
 *   <li>Either is <em>overtaken</em> if the process had ended before, for another reason that the ledger knows.
 *   <li>An end without a reason here is <em>unexplained</em>: somebody was killed who should live.
 * </ul>
 */
final class Ledger implements WorkerListener {

    private static final int SIGKILL = 9;

    /** An event may reach us late, and that of the beginning of an idle time later than that of its end. */
    private static final Duration EVENT_LAG = Duration.ofMillis(500);

    private final Bounds bounds;
    private final LongSupplier clock;
    private final LongSupplier heldUp;
    private final LeaseBook leases;
    private final Remarks remarks;
    private final Map<String, Life> lives = new HashMap<>();
    private final Map<FaultKind, Tally> tallies = new EnumMap<>(FaultKind.class);
    private int unexplained;
    private boolean shuttingDown;

    /**
     * An empty ledger.
     *
     * @param clock gives nanoseconds
     * @param heldUp gives for how many nanoseconds the machine has held up the run; this is added to the bounds
     */
    Ledger(Bounds bounds, LongSupplier clock, LongSupplier heldUp, LeaseBook leases, Remarks remarks) {
        this.bounds = bounds;
        this.clock = clock;
        this.heldUp = heldUp;
        this.leases = leases;
        this.remarks = remarks;
        for (FaultKind kind : FaultKind.values()) {
            tallies.put(kind, new Tally());
        }
    }

    // ---- what the run does ----

    /** A worker is about to be spawned. */
    synchronized void spawning(String id, Purpose purpose) {
        Life life = new Life(purpose);
        lives.put(id, life);
        if (purpose == Purpose.CRASH_LOOP) {
            add(life, fault(FaultKind.CRASH_LOOP, id, lastGeneration(), clock.getAsLong()));
        }
    }

    /** The spawn was refused. */
    synchronized void notSpawned(String id) {
        Life life = lives.remove(id);
        if (life != null) {
            life.open.forEach(fault -> tallies.get(fault.kind()).withdrawn());
        }
    }

    /** Something is about to be done to a worker; empty if that has moved on, or is being dealt with already. */
    synchronized Optional<Fault> open(FaultKind kind, WorkerInfo target) {
        Life life = lives.get(target.id());
        if (life == null
                || life.ended
                || life.stopping != null
                || life.generation != target.generation()
                || !life.isUndisturbed()) {
            return Optional.empty();
        }
        Fault fault = fault(kind, target.id(), target.generation(), clock.getAsLong());
        add(life, fault);
        return Optional.of(fault);
    }

    /** It could not be done: the worker had gone. */
    synchronized void withdraw(Fault fault) {
        if (take(fault)) {
            tallies.get(fault.kind()).withdrawn();
        }
    }

    /** A fault that had to be survived is over, and the time to watch as well. */
    synchronized void survived(Fault fault) {
        if (take(fault)) {
            tallies.get(fault.kind()).asExpected(fault.lasted(clock.getAsLong()));
        }
    }

    /** A time in which all workers had to live on, has passed. */
    synchronized void passed(FaultKind kind, long since, int unexplainedBefore) {
        Tally tally = tallies.get(kind);
        tally.injected();
        if (unexplained == unexplainedBefore) {
            tally.asExpected(clock.getAsLong() - since);
        } else {
            tally.missed();
        }
    }

    /** From now on every worker may be ended. */
    synchronized void shuttingDown() {
        shuttingDown = true;
    }

    // ---- what the run asks ----

    /** Whether nothing that the run did to this worker is still open, so that it may be leased. */
    synchronized boolean mayBeUsed(String id) {
        Life life = lives.get(id);
        return life != null && life.isUndisturbed();
    }

    /** Whether one more restart of this worker is far from what the library takes for a crash loop. */
    synchronized boolean mayBeRestarted(String id) {
        Life life = lives.get(id);
        long window = clock.getAsLong() - bounds.restart().window().toNanos();
        return life != null && life.restartsSince(window) < bounds.restart().limit() - 2;
    }

    synchronized List<Fault> openFaults() {
        List<Fault> open = new ArrayList<>();
        lives.values().forEach(life -> open.addAll(life.open));
        return open;
    }

    synchronized int unexplained() {
        return unexplained;
    }

    synchronized Tally.Counts counts(FaultKind kind) {
        return tallies.get(kind).counts();
    }

    /** Whatever has not followed by now, and is overdue, never will. */
    synchronized void countOverdue() {
        long now = clock.getAsLong();
        for (Fault fault : openFaults()) {
            if (now - fault.since() > bound(fault)) {
                take(fault);
                tallies.get(fault.kind()).missed();
                remarks.add("never noticed: " + fault);
            }
        }
    }

    // ---- what the library tells ----

    @Override
    public synchronized void onEvent(WorkerEvent event) {
        if (event instanceof WorkerEvent.Overflowed overflowed) {
            unexplained("lost " + overflowed.dropped() + " events");
        } else if (event instanceof WorkerEvent.OfWorker told) {
            WorkerInfo worker = told.worker();
            Life life = lives.get(worker.id());
            if (life == null) {
                unexplained("an event of a worker that nobody has spawned, or that has gone: " + event);
            } else {
                on(told, life, worker, clock.getAsLong());
            }
        }
    }

    private void on(WorkerEvent.OfWorker event, Life life, WorkerInfo worker, long now) {
        if (event instanceof WorkerEvent.Registered) {
            begun(life, worker, now);
        } else if (event instanceof WorkerEvent.BecameReady) {
            ready(life, worker, now);
        } else if (event instanceof WorkerEvent.Stopping stopping) {
            stopping(life, worker, stopping.reason(), now);
        } else if (event instanceof WorkerEvent.Crashed crashed) {
            ended(life, worker, crashed.exit(), now);
        } else if (event instanceof WorkerEvent.RestartScheduled scheduled) {
            restartPlanned(life, worker, scheduled, now);
        } else if (event instanceof WorkerEvent.Restarted) {
            confirm(life, FaultKind.RESTART, now);
            begun(life, worker, now);
        } else if (event instanceof WorkerEvent.Removed removed) {
            removed(life, worker, removed, now);
        }
    }

    private void begun(Life life, WorkerInfo worker, long now) {
        life.begin(worker.generation());
        if (life.purpose != Purpose.CRASH_LOOP) {
            add(life, fault(FaultKind.LOAD, worker.id(), worker.generation(), now));
        }
    }

    private void ready(Life life, WorkerInfo worker, long now) {
        confirm(life, FaultKind.LOAD, now);
        life.readyAt = now;
        if (life.purpose == Purpose.QUIET) {
            add(life, fault(FaultKind.IDLE, worker.id(), worker.generation(), now));
        }
    }

    private void stopping(Life life, WorkerInfo worker, Exit.Cause reason, long now) {
        boolean explained = switch (reason) {
            case UNHEALTHY -> isHung(life, now);
            case IDLE_TIMEOUT -> isIdle(life, worker, now);
            case REQUESTED -> life.has(FaultKind.STOP);
            case FORCED -> life.has(FaultKind.FORCE_KILL);
            default -> false;
        };
        if (!explained && !shuttingDown) {
            unexplained(worker.id() + ", generation " + worker.generation() + ", is ended: " + reason + "; done to it: "
                    + life.open);
            killedInVain(life);
        }
        life.stopping = reason;
        if (reason == Exit.Cause.UNHEALTHY) {
            confirm(life, FaultKind.HANG, now);
            confirm(life, FaultKind.SICK, now);
        } else if (reason == Exit.Cause.IDLE_TIMEOUT) {
            confirm(life, FaultKind.IDLE, now);
        }
        add(life, fault(FaultKind.END, worker.id(), worker.generation(), now));
    }

    /** A pause that got longer than it was meant to be counts as a hang. */
    private boolean isHung(Life life, long now) {
        return life.has(FaultKind.HANG)
                || life.has(FaultKind.SICK)
                || life.find(FaultKind.PAUSE)
                        .filter(pause ->
                                pause.lasted(now) >= bounds.shortestHang().toNanos())
                        .isPresent();
    }

    private boolean isIdle(Life life, WorkerInfo worker, long now) {
        long lastUse = leases.lastUse(worker.id(), worker.generation());
        long idle = lastUse == Long.MIN_VALUE ? now - life.readyAt : Math.min(now - life.readyAt, now - lastUse);
        Duration timeout = bounds.config().idleTimeout().orElseThrow();
        return idle >= timeout.minus(EVENT_LAG).toNanos();
    }

    /** A process has gone. Whatever was done to it has its effect now, or has been overtaken. */
    private void ended(Life life, WorkerInfo worker, Exit exit, long now) {
        boolean killed = exit.status().signal().orElse(0) == SIGKILL;
        boolean explained = exit.cause() == life.stopping || shuttingDown || isCrash(life, exit, killed);
        if (!explained) {
            unexplained(worker.id() + ", generation " + exit.generation() + ", ended: " + exit.cause() + ", "
                    + exit.status() + "; done to it: " + life.open + "; its last words: " + exit.output());
            killedInVain(life);
        }
        life.ended = true;
        confirm(life, FaultKind.END, now);
        if (killed) {
            confirm(life, FaultKind.KILL, now);
            confirm(life, FaultKind.KILL_POOL_FULL, now);
        }
        overtakeAllBut(life, FaultKind.CRASH_LOOP, FaultKind.STOP, FaultKind.FORCE_KILL);
    }

    private boolean isCrash(Life life, Exit exit, boolean killed) {
        boolean lastOfLoop = exit.generation() == lastGeneration();
        return switch (exit.cause()) {
            case CRASHED ->
                life.has(FaultKind.CRASH_LOOP)
                        ? exit.status().code() == FaultWorker.CRASH_CODE && !lastOfLoop
                        : killed && (life.has(FaultKind.KILL) || life.has(FaultKind.KILL_POOL_FULL));
            case CRASH_LOOP -> life.has(FaultKind.CRASH_LOOP) && lastOfLoop;
            default -> false;
        };
    }

    /** Generations begin at 1, and each restart adds one. */
    private int lastGeneration() {
        return bounds.restart().limit() + 1;
    }

    private void restartPlanned(Life life, WorkerInfo worker, WorkerEvent.RestartScheduled scheduled, long now) {
        life.restartPlanned(now);
        Duration wait = worker.state() instanceof BackingOff backingOff
                ? Duration.between(backingOff.cause().at(), scheduled.retryAt())
                : Duration.ZERO;
        add(life, fault(FaultKind.RESTART, worker.id(), worker.generation(), now + wait.toNanos()));
    }

    private void removed(Life life, WorkerInfo worker, WorkerEvent.Removed removed, long now) {
        boolean asked = life.has(FaultKind.STOP) || life.has(FaultKind.FORCE_KILL) || shuttingDown;
        if (!life.ended) { // it ended and nobody calls that a crash
            removed.exit()
                    .ifPresentOrElse(
                            exit -> ended(life, worker, exit, now),
                            () -> unexplained(worker.id() + " was removed without an exit: " + removed.reason()));
        } else if (!asked && removed.reason() != Exit.Cause.CRASH_LOOP) {
            unexplained(worker.id() + " was not restarted after " + removed.reason());
        }
        confirm(life, FaultKind.STOP, now);
        confirm(life, FaultKind.FORCE_KILL, now);
        if (removed.reason() == Exit.Cause.CRASH_LOOP) {
            confirm(life, FaultKind.CRASH_LOOP, now);
        }
        overtakeAllBut(life);
        lives.remove(worker.id());
    }

    // ---- the books ----

    private Fault fault(FaultKind kind, String id, int generation, long since) {
        return new Fault(kind, id, generation, since, heldUp.getAsLong());
    }

    private long bound(Fault fault) {
        return bounds.of(fault.kind()).toNanos() + heldUp.getAsLong() - fault.heldUpBefore();
    }

    private void add(Life life, Fault fault) {
        life.open.add(fault);
        tallies.get(fault.kind()).injected();
    }

    private boolean take(Fault fault) {
        Life life = lives.get(fault.workerId());
        return life != null && life.open.remove(fault);
    }

    private void confirm(Life life, FaultKind kind, long now) {
        life.find(kind).ifPresent(fault -> {
            life.open.remove(fault);
            long delay = Math.max(0, now - fault.since());
            if (delay <= bound(fault)) {
                tallies.get(kind).asExpected(delay);
            } else {
                tallies.get(kind).late(delay);
                remarks.add(
                        "late: " + fault + " after " + Duration.ofNanos(delay).toMillis() + " ms");
            }
        });
    }

    private void overtakeAllBut(Life life, FaultKind... kinds) {
        life.open.removeIf(fault -> {
            boolean stays = List.of(kinds).contains(fault.kind());
            if (!stays) {
                tallies.get(fault.kind()).overtaken();
            }
            return !stays;
        });
    }

    /** Whatever it had to survive, it did not. */
    private void killedInVain(Life life) {
        life.open.removeIf(fault -> {
            if (fault.kind().mustSurvive()) {
                tallies.get(fault.kind()).missed();
            }
            return fault.kind().mustSurvive();
        });
    }

    private void unexplained(String what) {
        unexplained++;
        remarks.add("without a reason: " + what);
    }
}
