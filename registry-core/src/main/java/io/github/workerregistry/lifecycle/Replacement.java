package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/** A replacement of a worker that has begun. Ends once. Thread-safe. */
final class Replacement {

    private final SupervisedWorker replaced;
    private final WorkerSpec spec;
    private final Consumer<Replacement> onEnd;
    private final CompletableFuture<WorkerInfo> result = new CompletableFuture<>();
    private volatile boolean waitsForStart;

    /**
     * A replacement.
     *
     * @param replaced the worker, in its generation at the beginning
     * @param spec what replaces it
     * @param onEnd called before the result is complete, so that a dependent can begin the next replacement
     */
    Replacement(SupervisedWorker replaced, WorkerSpec spec, Consumer<Replacement> onEnd) {
        this.replaced = replaced;
        this.spec = spec;
        this.onEnd = onEnd;
    }

    SupervisedWorker replaced() {
        return replaced;
    }

    WorkerSpec spec() {
        return spec;
    }

    /** Its start is submitted to an executor, which may drop it. */
    void startIsSubmitted() {
        waitsForStart = true;
    }

    /** The executor runs its start. */
    void startBegins() {
        waitsForStart = false;
    }

    boolean waitsForStart() {
        return waitsForStart;
    }

    /** Completes with the worker after the replacement, when it is ready. */
    CompletableFuture<WorkerInfo> result() {
        return result;
    }

    void complete(WorkerInfo ready) {
        onEnd.accept(this);
        result.complete(ready);
    }

    void fail(Throwable why) {
        onEnd.accept(this);
        result.completeExceptionally(why);
    }
}
