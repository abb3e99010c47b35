package io.github.workerregistry.lifecycle;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.Incarnation;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.internal.LogText;
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
 * One generation of a spawned worker: connects its record in the registry with its process, its port and its stop. A
 * restart creates the next generation of the same {@link WorkerSeries}.
 *
 * <p>Written only in the worker's serial executor ({@link #decide}); loops may read on any thread.
 */
final class SupervisedWorker {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    final WorkerSeries series;
    final String id;
    final int generation;
    final Incarnation incarnation;
    final WorkerName name;
    final Launch launch;
    final StopSequence stop;
    final ProcessStart start = new ProcessStart();

    /** Completes with the record when the process has been started, exceptionally if that failed. */
    final CompletableFuture<WorkerInfo> started = new CompletableFuture<>();

    /** Completes when the worker is ready, exceptionally if its process exits first. */
    final CompletableFuture<WorkerInfo> ready = new CompletableFuture<>();

    /** Completes when the process has exited, exceptionally if it is unkillable. */
    volatile CompletableFuture<ExitStatus> exit = new CompletableFuture<>();

    /** Completes when the process has exited, also after it was unkillable, or when there will be none. */
    final CompletableFuture<Void> gone = new CompletableFuture<>();

    /** Completes when the next generation has been started, exceptionally if there is none. */
    volatile CompletableFuture<WorkerInfo> successor = new CompletableFuture<>();

    /** The progress of its load. */
    final LoadProgress load = new LoadProgress();

    private final AtomicBoolean warned = new AtomicBoolean();
    private volatile boolean exited;
    private boolean reported;
    private volatile boolean restartForbidden;
    private volatile boolean restartRequested;
    private volatile boolean replacing;
    private @Nullable Revision revision;
    private volatile boolean calledBack;
    private final AtomicBoolean foreignPortOwner = new AtomicBoolean();
    private final AtomicBoolean foreignPortOwnerReported = new AtomicBoolean();
    private volatile long pid;
    private volatile @Nullable WorkerProcess process;
    private volatile @Nullable Instant readySince;

    private @Nullable Instant exitNoticed;

    SupervisedWorker(WorkerSeries series, int generation, Launch launch, Instant startedAt, StopSequence stop) {
        this.series = series;
        this.id = series.id();
        this.generation = generation;
        this.name = new WorkerName(id, series.spec().modelRef(), generation);
        this.launch = launch;
        this.incarnation = new Incarnation(id, generation, startedAt);
        this.stop = stop;
    }

    /** The next generation, not started yet. */
    SupervisedWorker next(WorkerSeries series, Launch launch, Instant startedAt, StopSequence stop) {
        return new SupervisedWorker(series, generation + 1, launch, startedAt, stop);
    }

    /** How it is evaluated, restarted and stopped. */
    WorkerRules rules() {
        return series.rules();
    }

    /** Runs a decision in the worker's serial executor. */
    void decide(Runnable decision) {
        series.serialExecutor().execute(name, decision);
    }

    /** The process; null while it is being started. */
    @Nullable
    WorkerProcess process() {
        return process;
    }

    void attach(WorkerProcess started, long pid) {
        this.pid = pid; // first: readers of the process also read the pid
        process = started;
    }

    /** The process id; 0 while the process is being started. */
    long pid() {
        return pid;
    }

    /** Whether it is being spawned: its record may not be registered yet. */
    boolean isBeingRegistered() {
        return generation == Spawner.FIRST_GENERATION && start.isWaiting();
    }

    /** Whether the record is of the next generation, which is about to replace this one. */
    boolean isFollowedBy(WorkerInfo record) {
        return exited && record.generation() == generation + 1;
    }

    /** Whether a record is of this worker, and not a replacement by the hive. */
    boolean owns(WorkerInfo record) {
        return isGenerationOf(record) && hasPidOf(record);
    }

    /** Whether a record is of this incarnation; it may not have the pid yet. */
    boolean isGenerationOf(WorkerInfo record) {
        return record.incarnation().equals(incarnation);
    }

    /** Before the process is started and after its exit, the record has no pid to compare. */
    private boolean hasPidOf(WorkerInfo record) {
        return process == null
                || record.state() instanceof BackingOff
                || record.pid().equals(OptionalLong.of(pid));
    }

    /** Whether its output is recorded; true while the process is being started. */
    boolean recordsOutput() {
        WorkerProcess present = process;
        try {
            return present == null || present.recordsOutput();
        } catch (Throwable t) { // foreign code
            warnOnce(log, "worker {}: cannot tell whether its output is recorded", t);
            return true;
        }
    }

    /**
     * Records a call-back that arrived before the process was attached; false if no process of this generation can have
     * sent it.
     */
    boolean recordCallBack() {
        boolean possible = start.hasBegun();
        calledBack |= possible;
        return possible;
    }

    boolean hasCalledBack() {
        return calledBack;
    }

    /** Records whether another process listens at the worker's address; returns the previous value. */
    boolean recordForeignPortOwner(boolean listens) {
        return foreignPortOwner.getAndSet(listens);
    }

    /** Whether the last check found another process at the worker's address. */
    boolean hasForeignPortOwner() {
        return foreignPortOwner.get();
    }

    /** True on the first call only: it is reported once. */
    boolean isFirstForeignPortOwner() {
        return foreignPortOwnerReported.compareAndSet(false, true);
    }

    /** Records that the worker is ready. */
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

    /** Logs a failure of foreign code at WARN the first time, then at DEBUG: it may repeat at every tick. */
    void warnOnce(Logger log, String message, Throwable failure) {
        if (warned.compareAndSet(false, true)) {
            log.warn(message, name, LogText.of(failure));
        } else {
            log.debug(message, name, LogText.of(failure));
        }
    }

    /** However this worker exits, no restart follows. */
    void forbidRestart() {
        restartForbidden = true;
    }

    boolean isRestartForbidden() {
        return restartForbidden || replacing;
    }

    /** It is to replace another worker; until {@link #endReplacing}, no restart follows. */
    void beginReplacing() {
        replacing = true;
    }

    /** It is ready, and the other worker is stopped: from now on a restart may follow. */
    void endReplacing() {
        replacing = false;
    }

    boolean isReplacing() {
        return replacing;
    }

    /** However this generation exits, the next one follows at once. */
    void requestRestart() {
        restartRequested = true;
    }

    boolean isRestartRequested() {
        return restartRequested;
    }

    /** However this generation exits, the next one follows at once, started with another spec. */
    void requestReplacement(Revision next) {
        revision = next;
        requestRestart();
    }

    /** What the next generation is started with; null: the same spec. */
    @Nullable
    Revision revision() {
        return revision;
    }

    /** When a deferred exit was first detected; null if none was. */
    @Nullable
    Instant exitNoticed() {
        return exitNoticed;
    }

    void exitNoticed(Instant now) {
        exitNoticed = now;
    }

    /** True once: the processing of an exit is repeated if it has failed. In the worker's serial executor. */
    boolean isFirstReport() {
        boolean first = !reported;
        reported = true;
        return first;
    }

    void markExited() {
        exited = true;
        gone.complete(null);
    }

    /** Whether the process has exited or could not be started: the worker is backing off, or about to be removed. */
    boolean hasExited() {
        return exited;
    }

    /**
     * An unkillable process is killed again: replaces the futures that have failed. Those of a worker that failed for
     * another reason, such as a refused spawn, stay as they are: nothing would complete new ones.
     */
    void resetAfterUnkillable() {
        if (stop.phase() != StopSequence.Phase.UNKILLABLE) {
            return;
        }
        if (exit.isCompletedExceptionally()) {
            exit = new CompletableFuture<>();
        }
        if (successor.isCompletedExceptionally()) {
            successor = new CompletableFuture<>();
        }
    }

    /** Fails all futures that are not complete. */
    void fail(Throwable why) {
        started.completeExceptionally(why);
        ready.completeExceptionally(why);
        exit.completeExceptionally(why);
        successor.completeExceptionally(why);
    }
}
