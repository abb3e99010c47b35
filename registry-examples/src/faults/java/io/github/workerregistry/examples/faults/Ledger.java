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
 * The faults of the run and their effects.
 *
 * <p>A fault is entered before it is injected, and completed by the {@link Judge} when the library reports its effect.
 * Thread-safe.
 *
 * <ul>
 *   <li>A fault that must be detected is <em>as expected</em> if the right event came within the bound, and
 *       <em>missed</em> if it came late or never.
 *   <li>A fault that must be survived is as expected if the worker's process still runs afterwards.
 *   <li>Either is <em>overtaken</em> if the process exited before, for another reason in the ledger.
 *   <li>An exit without a reason in the ledger is <em>unexplained</em>: a worker was killed by mistake.
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
     * Creates an empty ledger.
     *
     * @param clock a nanosecond clock
     * @param heldUp returns the total pauses of the machine in nanoseconds, which are added to the bounds
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

    // ---- called by the run ----

    /** A worker is about to be spawned. */
    synchronized void spawning(String id, Purpose purpose) {
        Life life = new Life(purpose);
        lives.put(id, life);
        if (purpose == Purpose.CRASH_LOOP) {
            add(life, FaultKind.CRASH_LOOP, id, bounds.lastGeneration(), clock.getAsLong());
        }
    }

    /** The spawn was rejected. */
    synchronized void notSpawned(String id) {
        Life life = lives.remove(id);
        if (life != null) {
            life.open.forEach(fault -> tallies.get(fault.kind()).withdrawn());
        }
    }

    /** A fault is about to be injected; empty if the worker has a new generation or an open fault. */
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

    /** The fault could not be injected: the worker had exited. */
    synchronized void withdraw(Fault fault) {
        if (take(fault)) {
            tallies.get(fault.kind()).withdrawn();
        }
    }

    /** A fault that must be survived is over, and so is the observation time. */
    synchronized void survived(Fault fault) {
        if (take(fault)) {
            tallies.get(fault.kind()).asExpected(fault.lasted(clock.getAsLong()));
        }
    }

    /** A time in which no worker may exit has passed. */
    synchronized void passed(FaultKind kind, long since, int unexplainedBefore) {
        Tally tally = tallies.get(kind);
        tally.injected();
        if (unexplained == unexplainedBefore) {
            tally.asExpected(clock.getAsLong() - since);
        } else {
            tally.missed();
        }
    }

    // ---- read by the run ----

    /** Whether this worker has no open fault, so that it may be leased. */
    synchronized boolean mayBeUsed(String id) {
        Life life = lives.get(id);
        return life != null && life.isUndisturbed();
    }

    /** Whether one more restart of this worker is far from a crash loop. */
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

    /** Counts overdue faults as missed. */
    synchronized void countOverdue() {
        long now = clock.getAsLong();
        for (Fault fault : openFaults()) {
            if (isLate(fault, now)) {
                take(fault);
                tallies.get(fault.kind()).missed();
                remarks.add("never noticed: " + fault);
            }
        }
    }

    // ---- called by the judge ----

    /** A worker that is not removed; null if there is none. */
    synchronized @Nullable Life life(String id) {
        return lives.get(id);
    }

    /** Opens a fault of a process, or an expected effect. */
    synchronized Fault add(Life life, FaultKind kind, String id, int generation, long since) {
        Fault fault = begin(kind, id, generation, since);
        life.open.add(fault);
        return fault;
    }

    /** Counts a fault, or an expected effect, without a life. */
    synchronized Fault begin(FaultKind kind, String id, int generation, long since) {
        tallies.get(kind).injected();
        return new Fault(kind, id, generation, since, heldUp.getAsLong());
    }

    /** The effect of an open fault of this kind, if any, has occurred. */
    synchronized void confirm(Life life, FaultKind kind, long now) {
        life.find(kind).ifPresent(fault -> {
            life.open.remove(fault);
            conclude(fault, now);
        });
    }

    /** The effect of a fault has occurred. */
    synchronized void conclude(Fault fault, long now) {
        long delay = Math.max(0, now - fault.since());
        if (!isLate(fault, now)) {
            tallies.get(fault.kind()).asExpected(delay);
        } else {
            tallies.get(fault.kind()).late(delay);
            remarks.add("late: " + fault + " after " + Duration.ofNanos(delay).toMillis() + " ms");
        }
    }

    /** Another fault had its effect before this one. */
    synchronized void overtaken(Fault fault) {
        tallies.get(fault.kind()).overtaken();
    }

    /** The effect has not occurred, or another one has. */
    synchronized void missed(Fault fault, String why) {
        tallies.get(fault.kind()).missed();
        remarks.add(why + ": " + fault);
    }

    /** The fault of {@link #begin} could not be injected. */
    synchronized void withdrawn(Fault fault) {
        tallies.get(fault.kind()).withdrawn();
    }

    /** The process has exited: no more effects are expected except those of these kinds. */
    synchronized void overtakeAllBut(Life life, FaultKind... kinds) {
        life.open.removeIf(fault -> {
            boolean stays = List.of(kinds).contains(fault.kind());
            if (!stays) {
                tallies.get(fault.kind()).overtaken();
            }
            return !stays;
        });
    }

    /** Faults that it had to survive count as missed. */
    synchronized void killedInVain(Life life) {
        life.open.removeIf(fault -> {
            if (fault.kind().mustSurvive()) {
                tallies.get(fault.kind()).missed();
            }
            return fault.kind().mustSurvive();
        });
    }

    /** An event without a reason in the ledger. */
    synchronized void unexplained(String what) {
        unexplained++;
        remarks.add("without a reason: " + what);
    }

    /** A worker was removed. */
    synchronized void close(String id, Life life) {
        overtakeAllBut(life);
        lives.remove(id);
    }

    /** Whether an effect that occurs now is beyond its bound. */
    synchronized boolean isLate(Fault fault, long now) {
        long bound = bounds.of(fault.kind()).toNanos() + heldUp.getAsLong() - fault.heldUpBefore();
        return now - fault.since() > bound;
    }

    private boolean take(Fault fault) {
        Life life = lives.get(fault.workerId());
        return life != null && life.open.remove(fault);
    }
}
