package io.github.workerregistry;

import io.github.workerregistry.internal.LogText;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Recent ends of each model's workers, for callers that get no slot: the last failed exit, and whether the hive has
 * shut the workers down. Kept for 10 minutes, for the 1,000 models with the most recent changes, with or without
 * workers. Thread-safe; calls no foreign code.
 */
final class ModelHistory {

    static final int MODELS = 1_000;

    private static final long MAX_AGE_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** Maximum length of the output line, in chars. */
    private static final int LINE_LENGTH = 300;

    /**
     * A failed exit.
     *
     * @param exit the exit, with the last line of its output only, sanitised
     * @param backend the worker's backend
     * @param device the worker's device
     * @param labels the worker's labels
     * @param atNanos when, by {@link System#nanoTime()}
     */
    record Failure(Exit exit, String backend, int device, Map<String, String> labels, long atNanos) {}

    private record Past(@Nullable Failure failure, boolean shutDown, long atNanos) {}

    private final LongSupplier nanoTime;
    private final Map<String, Past> byModel = new LinkedHashMap<>(); // oldest first

    ModelHistory() {
        this(System::nanoTime);
    }

    ModelHistory(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** A process of a worker has failed. */
    synchronized void failed(WorkerInfo worker, Exit exit) {
        long now = nanoTime.getAsLong();
        Failure failure = new Failure(withLastLineOnly(exit), worker.backend(), worker.device(), worker.labels(), now);
        put(worker.modelRef(), new Past(failure, false, now));
    }

    /** A worker was registered, so the model is not shut down, even if its other workers were. */
    synchronized void registered(WorkerInfo worker) {
        byModel.computeIfPresent(
                worker.modelRef(), (model, past) -> past.shutDown ? new Past(past.failure, false, past.atNanos) : past);
    }

    /** A worker was removed. */
    synchronized void removed(WorkerInfo worker, Exit.Cause cause) {
        Past known = byModel.get(worker.modelRef());
        boolean shutDown = cause == Exit.Cause.SHUTDOWN;
        if (shutDown || (known != null && known.shutDown)) {
            put(worker.modelRef(), new Past(known == null ? null : known.failure, shutDown, nanoTime.getAsLong()));
        }
    }

    private void put(String modelRef, Past past) {
        byModel.remove(modelRef); // re-inserted as the newest
        byModel.put(modelRef, past);
        if (byModel.size() > MODELS) {
            byModel.remove(byModel.keySet().iterator().next());
        }
    }

    /** The last failed exit of a worker that fits the request; null if none is known. */
    synchronized @Nullable Failure lastFailure(String modelRef, SlotRequest request) {
        Past past = byModel.get(modelRef);
        Failure failure = past == null ? null : past.failure;
        return failure != null
                        && isRecent(failure.atNanos)
                        && request.constraints()
                                .accept(failure.exit.workerId(), failure.backend, failure.device, failure.labels)
                ? failure
                : null;
    }

    /** Whether the most recently removed worker of a model was removed by a shutdown, and none was registered since. */
    synchronized boolean isShutDown(String modelRef) {
        Past past = byModel.get(modelRef);
        return past != null && past.shutDown && isRecent(past.atNanos);
    }

    long nanosSince(long atNanos) {
        return nanoTime.getAsLong() - atNanos;
    }

    private boolean isRecent(long atNanos) {
        return nanosSince(atNanos) <= MAX_AGE_NANOS;
    }

    synchronized int size() {
        return byModel.size();
    }

    private static Exit withLastLineOnly(Exit exit) {
        List<String> output = exit.output().stream()
                .filter(line -> !line.isBlank())
                .reduce((before, last) -> last)
                .map(line -> LogText.shortened(line, LINE_LENGTH))
                .map(List::of)
                .orElse(List.of());
        return new Exit(exit.incarnation(), exit.modelRef(), exit.cause(), exit.status(), output, exit.at());
    }
}
