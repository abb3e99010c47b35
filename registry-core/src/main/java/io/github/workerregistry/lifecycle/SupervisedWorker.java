package io.github.workerregistry.lifecycle;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;

/**
 * One generation of a spawned worker: what ties its record in the registry to its process, its port and the stop that
 * may be going on. A restart makes the next generation, which inherits process spec, port and history.
 */
final class SupervisedWorker {

    final String id;
    final String modelRef;
    final int generation;
    private final Instant startedAt;
    final StopSequence stop;

    // the same for all generations
    final ProcessSpec processSpec;
    final OptionalInt port;
    final RestartHistory restarts;
    private final Duration killWait;

    /** Completes when the process has gone, or is found unkillable. */
    final CompletableFuture<ExitStatus> gone = new CompletableFuture<>();

    /** Completes when the worker is ready, or exceptionally when its process has gone before. */
    final CompletableFuture<WorkerInfo> ready = new CompletableFuture<>();

    /** Completes when the next generation has been started, or exceptionally when there will be none. */
    final CompletableFuture<WorkerInfo> successor = new CompletableFuture<>();

    private final AtomicBoolean exited = new AtomicBoolean();
    private final AtomicBoolean successorClaimed = new AtomicBoolean();
    private final AtomicBoolean complained = new AtomicBoolean();
    private volatile boolean dismissed;
    private volatile @Nullable WorkerProcess process;
    private volatile @Nullable Instant readySince;

    private volatile Instant lastProgress = Instant.MIN;
    private long outputBytes; // owned by LoadLoop

    SupervisedWorker(
            WorkerInfo record, ProcessSpec processSpec, OptionalInt port, RestartHistory restarts, Duration killWait) {
        this(
                record.id(),
                record.modelRef(),
                record.generation(),
                record.startedAt(),
                processSpec,
                port,
                restarts,
                killWait);
    }

    private SupervisedWorker(
            String id,
            String modelRef,
            int generation,
            Instant startedAt,
            ProcessSpec processSpec,
            OptionalInt port,
            RestartHistory restarts,
            Duration killWait) {
        this.id = id;
        this.modelRef = modelRef;
        this.generation = generation;
        this.startedAt = startedAt;
        this.processSpec = processSpec;
        this.port = port;
        this.restarts = restarts;
        this.killWait = killWait;
        this.stop = new StopSequence(killWait);
    }

    /** The next generation, not started yet. */
    SupervisedWorker next(Instant startedAt) {
        return new SupervisedWorker(id, modelRef, generation + 1, startedAt, processSpec, port, restarts, killWait);
    }

    /** The process; null while it is being started. */
    @Nullable
    WorkerProcess process() {
        return process;
    }

    void attach(WorkerProcess started) {
        process = started;
    }

    /** Whether a record is of this worker, and not one that the host has put in its place. */
    boolean owns(WorkerInfo record) {
        return record.generation() == generation && record.startedAt().equals(startedAt) && hasPidOf(record);
    }

    /** While the process is being started, and when it has gone, the record has no pid to compare. */
    private boolean hasPidOf(WorkerInfo record) {
        WorkerProcess mine = process;
        return mine == null
                || record.state() instanceof BackingOff
                || record.pid().equals(OptionalLong.of(mine.identity().pid()));
    }

    /** Notes how much output there is; growth is progress. */
    void noteOutput(long bytes, Instant now) {
        if (bytes > outputBytes) {
            outputBytes = bytes;
            lastProgress = now;
        }
    }

    /** Notes progress of a load. */
    void progress(Instant now) {
        lastProgress = now;
    }

    /** When progress was last seen; the distant past if never. */
    Instant lastProgress() {
        return lastProgress;
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
            log.warn(message, id, failure);
        } else {
            log.debug(message, id, failure);
        }
    }

    /** Somebody wants this worker to end for good: whatever ends it, no restart follows. */
    void dismiss() {
        dismissed = true;
    }

    boolean isDismissed() {
        return dismissed;
    }

    /** True for the first caller only: the exit is dealt with once, whoever notices it. */
    boolean markExited() {
        return exited.compareAndSet(false, true);
    }

    boolean hasExited() {
        return exited.get();
    }

    /** True for the first caller only: a generation has one successor. */
    boolean claimSuccessor() {
        return successorClaimed.compareAndSet(false, true);
    }
}
