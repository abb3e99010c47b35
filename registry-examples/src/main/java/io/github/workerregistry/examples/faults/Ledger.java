package io.github.workerregistry.examples.faults;

import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What the run has done to its workers, and what has come of it.
 *
 * <p>Everything is written down before it is done, and crossed out by the {@link Judge} when the library tells of its
 * effect. Thread-safe.
 *
 * <ul>
 *   <li>What has to be noticed is <em>as expected</em> if the right event came within the bound, and <em>missed</em> if
 *       it came late or never.
 *   <li>What has to be survived is as expected if the worker's process is still there afterwards.
 *   <li>Either is <em>overtaken</em> if the process had ended before, for another reason that the ledger knows.
 *   <li>An end without a reason here is <em>unexplained</em>: somebody was killed who should live.
 * </ul>
 */
final class Ledger {

    private final Bounds bounds;
    private final LongSupplier clock;
    private final LongSupplier heldUp;
    private final Remarks remarks;
    private final Map<String, Life> lives = new HashMap<>();
    private final Map<FaultKind, Tally> tallies = new EnumMap<>(FaultKind.class);
    private int unexplained;

    /**
     * An empty ledger.
     *
     * @param clock gives nanoseconds
     * @param heldUp gives for how many nanoseconds the machine has held up the run; this is added to the bounds
     */
    Ledger(Bounds bounds, LongSupplier clock, LongSupplier heldUp, Remarks remarks) {
        this.bounds = bounds;
        this.clock = clock;
        this.heldUp = heldUp;
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
            add(life, FaultKind.CRASH_LOOP, id, bounds.lastGeneration(), clock.getAsLong());
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
        return Optional.of(add(life, kind, target.id(), target.generation(), clock.getAsLong()));
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

    // ---- what the judge enters ----

    /** A worker that has not gone for good; null if there is none. */
    synchronized @Nullable Life life(String id) {
        return lives.get(id);
    }

    /** From now on, something is done to a process, or has to follow. */
    synchronized Fault add(Life life, FaultKind kind, String id, int generation, long since) {
        Fault fault = new Fault(kind, id, generation, since, heldUp.getAsLong());
        life.open.add(fault);
        tallies.get(kind).injected();
        return fault;
    }

    /** The effect of such a fault has come, if there is one. */
    synchronized void confirm(Life life, FaultKind kind, long now) {
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

    /** The process has gone: nothing more will follow but that which is named. */
    synchronized void overtakeAllBut(Life life, FaultKind... kinds) {
        life.open.removeIf(fault -> {
            boolean stays = List.of(kinds).contains(fault.kind());
            if (!stays) {
                tallies.get(fault.kind()).overtaken();
            }
            return !stays;
        });
    }

    /** Whatever it had to survive, it did not. */
    synchronized void killedInVain(Life life) {
        life.open.removeIf(fault -> {
            if (fault.kind().mustSurvive()) {
                tallies.get(fault.kind()).missed();
            }
            return fault.kind().mustSurvive();
        });
    }

    /** Something happened that has no reason here. */
    synchronized void unexplained(String what) {
        unexplained++;
        remarks.add("without a reason: " + what);
    }

    /** A worker has gone for good. */
    synchronized void close(String id, Life life) {
        overtakeAllBut(life);
        lives.remove(id);
    }

    private long bound(Fault fault) {
        return bounds.of(fault.kind()).toNanos() + heldUp.getAsLong() - fault.heldUpBefore();
    }

    private boolean take(Fault fault) {
        Life life = lives.get(fault.workerId());
        return life != null && life.open.remove(fault);
    }
}
