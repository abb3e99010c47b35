package io.github.workerregistry;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How the workers of each model ended lately, for callers that find no slot: the last failed exit, and whether the hive
 * has shut them down. Kept for 10 minutes, and of the 1,000 models in which something happened last, whether they have
 * workers or not. Thread-safe; calls no foreign code.
 */
final class ModelHistory {

    static final int MODELS = 1_000;

    private static final long MAX_AGE_NANOS = TimeUnit.MINUTES.toNanos(10);

    /** Chars of the last line of output that are kept. */
    private static final int LINE_LENGTH = 300;

    /**
     * A failed exit.
     *
     * @param exit with the last line of its output only, sanitised
     * @param backend what the worker computed on
     * @param device on which device
     * @param atNanos when, by {@link System#nanoTime()}
     */
    record Failure(Exit exit, String backend, int device, long atNanos) {}

    private record Past(@Nullable Failure failure, boolean shutDown, long atNanos) {}

    private final LongSupplier nanoTime;
    private final Map<String, Past> byModel = new LinkedHashMap<>(); // the oldest first

    ModelHistory() {
        this(System::nanoTime);
    }

    ModelHistory(LongSupplier nanoTime) {
        this.nanoTime = nanoTime;
    }

    /** A process of a worker has failed. */
    synchronized void failed(WorkerInfo worker, Exit exit) {
        long now = nanoTime.getAsLong();
        Failure failure = new Failure(withLastLineOnly(exit), worker.backend(), worker.device(), now);
        put(worker.modelRef(), new Past(failure, false, now));
    }

    /** A worker was registered: another one of its hive may have been shut down, but this one will serve. */
    synchronized void registered(WorkerInfo worker) {
        byModel.computeIfPresent(
                worker.modelRef(), (model, past) -> past.shutDown ? new Past(past.failure, false, past.atNanos) : past);
    }

    /** A worker was removed. */
    synchronized void removed(WorkerInfo worker, Exit.Cause reason) {
        Past known = byModel.get(worker.modelRef());
        boolean shutDown = reason == Exit.Cause.SHUTDOWN;
        if (shutDown || (known != null && known.shutDown)) {
            put(worker.modelRef(), new Past(known == null ? null : known.failure, shutDown, nanoTime.getAsLong()));
        }
    }

    private void put(String modelRef, Past past) {
        byModel.remove(modelRef); // so that it is the newest
        byModel.put(modelRef, past);
        if (byModel.size() > MODELS) {
            byModel.remove(byModel.keySet().iterator().next());
        }
    }

    /** The last failed exit of a worker that a filter fits; null if none is known. */
    synchronized @Nullable Failure lastFailure(String modelRef, SlotFilter filter) {
        Past past = byModel.get(modelRef);
        Failure failure = past == null ? null : past.failure;
        return failure != null && isRecent(failure.atNanos) && filter.fits(failure.backend, failure.device)
                ? failure
                : null;
    }

    /**
     * Whether the worker of a model that was removed last was removed because the hive shuts down, and no other one was
     * registered since.
     */
    synchronized boolean isShutDown(String modelRef) {
        Past past = byModel.get(modelRef);
        return past != null && past.shutDown && isRecent(past.atNanos);
    }

    /** How long ago something happened. */
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
                .map(line -> SlotShortage.shortened(line, LINE_LENGTH))
                .map(List::of)
                .orElse(List.of());
        return new Exit(
                exit.workerId(), exit.modelRef(), exit.generation(), exit.cause(), exit.status(), output, exit.at());
    }
}
