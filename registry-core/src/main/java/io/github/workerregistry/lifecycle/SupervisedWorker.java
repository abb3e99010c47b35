package io.github.workerregistry.lifecycle;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** One spawned worker: what ties its record in the registry to its process, its port and the stop that may be going on. */
final class SupervisedWorker {

    final String id;
    final String modelRef;
    final int generation;
    final OptionalInt port;
    final StopSequence stop;

    /** Completes when the worker has gone, or is found unkillable. */
    final CompletableFuture<ExitStatus> gone = new CompletableFuture<>();

    private final AtomicBoolean exited = new AtomicBoolean();
    private volatile @Nullable WorkerProcess process;

    // owned by LoadLoop
    private long outputBytes;
    private Instant lastOutput = Instant.MIN;

    SupervisedWorker(String id, String modelRef, int generation, OptionalInt port, Duration killWait) {
        this.id = id;
        this.modelRef = modelRef;
        this.generation = generation;
        this.port = port;
        this.stop = new StopSequence(killWait);
    }

    /** The process; null while it is being started. */
    @Nullable
    WorkerProcess process() {
        return process;
    }

    void attach(WorkerProcess started) {
        process = started;
    }

    /** Whether a record is of this worker's process, and not one that the host has put in its place. */
    boolean owns(WorkerInfo record) {
        WorkerProcess mine = process;
        return mine != null
                && record.pid().isPresent()
                && record.pid().getAsLong() == mine.identity().pid();
    }

    /** Notes how much output there is; growth is a sign of life. */
    void noteOutput(long bytes, Instant now) {
        if (bytes > outputBytes) {
            outputBytes = bytes;
            lastOutput = now;
        }
    }

    /** When the output was last seen to grow; the distant past if never. */
    Instant lastOutput() {
        return lastOutput;
    }

    /** True for the first caller only: the exit is dealt with once, whoever notices it. */
    boolean markExited() {
        return exited.compareAndSet(false, true);
    }
}
