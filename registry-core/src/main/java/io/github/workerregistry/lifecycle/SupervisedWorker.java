package io.github.workerregistry.lifecycle;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.LogText;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One generation of a spawned worker: what ties its record in the registry to its process, its port and the stop that
 * may be going on. A restart makes the next generation, of the same {@link Lineage}.
 *
 * <p>Changed only in a turn of the lineage ({@link #decide}); loops may look without one.
 */
final class SupervisedWorker {

    private static final Logger log = LoggerFactory.getLogger(SupervisedWorker.class);

    final Lineage lineage;
    final String id;
    final int generation;
    final Launch launch;
    private final Instant startedAt;
    final StopSequence stop;
    final ProcessStart start = new ProcessStart();

    /** Completes with the record when the process is there, or exceptionally when it could not be started. */
    final CompletableFuture<WorkerInfo> started = new CompletableFuture<>();

    /** Completes when the worker is ready, or exceptionally when its process has gone before. */
    final CompletableFuture<WorkerInfo> ready = new CompletableFuture<>();

    /** Completes when the process has gone, or is found unkillable. */
    volatile CompletableFuture<ExitStatus> gone = new CompletableFuture<>();

    /** Completes when the next generation has been started, or exceptionally when there will be none. */
    volatile CompletableFuture<WorkerInfo> successor = new CompletableFuture<>();

    /** What is seen of its load. */
    final LoadProgress load = new LoadProgress();

    private final AtomicBoolean complained = new AtomicBoolean();
    private volatile boolean exited;
    private volatile boolean dismissed;
    private volatile boolean restartWanted;
    private volatile boolean calledBack;
    private final AtomicBoolean strangerListens = new AtomicBoolean();
    private final AtomicBoolean strangerTold = new AtomicBoolean();
    private volatile long pid;
    private volatile @Nullable WorkerProcess process;
    private volatile @Nullable Instant readySince;

    private @Nullable Instant exitNoticed;

    SupervisedWorker(Lineage lineage, int generation, Launch launch, Instant startedAt, StopSequence stop) {
        this.lineage = lineage;
        this.id = lineage.id();
        this.generation = generation;
        this.launch = launch;
        this.startedAt = startedAt;
        this.stop = stop;
    }

    /** The next generation, not started yet. */
    SupervisedWorker next(Launch launch, Instant startedAt, StopSequence stop) {
        return new SupervisedWorker(lineage, generation + 1, launch, startedAt, stop);
    }

    /** Runs a decision about this worker in its turn. */
    void decide(Runnable decision) {
        lineage.turns().take(decision);
    }

    /** The process; null while it is being started. */
    @Nullable
    WorkerProcess process() {
        return process;
    }

    void attach(WorkerProcess started, long pid) {
        this.pid = pid; // first: who sees the process needs it
        process = started;
    }

    /** The process id; 0 while the process is being started. */
    long pid() {
        return pid;
    }

    /** Whether it is being spawned, and its record may not be there yet. */
    boolean isBeingRegistered() {
        return generation == Spawner.FIRST_GENERATION && start.isWaiting();
    }

    /** Whether the record is that of the next generation, which is about to take this one's place. */
    boolean isFollowedBy(WorkerInfo record) {
        return exited && record.generation() == generation + 1;
    }

    /** Whether a record is of this worker, and not one that the host has put in its place. */
    boolean owns(WorkerInfo record) {
        return isGenerationOf(record) && hasPidOf(record);
    }

    /** Whether a record is of this generation; its pid may not be in it yet. */
    boolean isGenerationOf(WorkerInfo record) {
        return record.generation() == generation && record.startedAt().equals(startedAt);
    }

    /** While the process is being started, and when it has gone, the record has no pid to compare. */
    private boolean hasPidOf(WorkerInfo record) {
        return process == null
                || record.state() instanceof BackingOff
                || record.pid().equals(OptionalLong.of(pid));
    }

    /** Whether its output is recorded. While the process is being started, it will be, as far as is known. */
    boolean recordsOutput() {
        WorkerProcess present = process;
        try {
            return present == null || present.recordsOutput();
        } catch (Throwable t) { // foreign code
            complain(log, "worker {}: whether its output is recorded cannot be told", t);
            return true;
        }
    }

    /**
     * Notes that the worker has called back before its process was known here; false if no process of this generation
     * can have.
     */
    boolean noteCallBack() {
        boolean possible = start.hasBegun();
        calledBack |= possible;
        return possible;
    }

    boolean hasCalledBack() {
        return calledBack;
    }

    /** Notes whether another process listens in its place; gives whether one did when this was noted last. */
    boolean noteStranger(boolean listens) {
        return strangerListens.getAndSet(listens);
    }

    /** Whether another process listens in its place, as was noted last. */
    boolean hasStranger() {
        return strangerListens.get();
    }

    /** Whether nobody was told of a stranger yet; true once. */
    boolean isFirstStranger() {
        return strangerTold.compareAndSet(false, true);
    }

    /** Notes that the worker has become ready. */
    void becameReady(WorkerInfo worker, Instant now) {
        if (readySince == null) {
            readySince = now;
        }
        ready.complete(worker);
    }

    /** How long the worker has been ready; zero if it never was. */
    Duration readyFor(Instant now) {
        Instant since = readySince;
        return since == null ? Duration.ZERO : Duration.between(since, now);
    }

    /**
     * Warns of a failure of foreign code the first time, and after that tells of it at DEBUG: a sweep meets it ten
     * times a second.
     */
    void complain(Logger log, String message, Throwable failure) {
        if (complained.compareAndSet(false, true)) {
            log.warn(message, id, LogText.of(failure));
        } else {
            log.debug(message, id, LogText.of(failure));
        }
    }

    /** Somebody wants this worker to end for good: whatever ends it, no restart follows. */
    void dismiss() {
        dismissed = true;
    }

    boolean isDismissed() {
        return dismissed;
    }

    /** An operator wants the next generation: whatever ends this one, it follows at once. */
    void wantRestart() {
        restartWanted = true;
    }

    boolean isRestartWanted() {
        return restartWanted;
    }

    /** When the exit of the process was noticed and put off; null if it was not. */
    @Nullable
    Instant exitNoticed() {
        return exitNoticed;
    }

    void exitNoticed(Instant now) {
        exitNoticed = now;
    }

    void exited() {
        exited = true;
    }

    /** Whether the process has gone, or could not be started: the worker backs off now, or is about to be removed. */
    boolean hasExited() {
        return exited;
    }

    /** The process was found unkillable and is to be killed again: from now on, that is waited for. */
    void waitAgain() {
        if (gone.isCompletedExceptionally()) {
            gone = new CompletableFuture<>();
        }
        if (successor.isCompletedExceptionally()) {
            successor = new CompletableFuture<>();
        }
    }

    /** Tells whoever waits for something that will not come. What has come already stays. */
    void giveUp(Throwable why) {
        started.completeExceptionally(why);
        ready.completeExceptionally(why);
        gone.completeExceptionally(why);
        successor.completeExceptionally(why);
    }
}
