package io.github.workerregistry;

import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.internal.LogText;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The state of a model when a request got no slot, for exceptions. */
final class SlotShortage {

    /** Maximum length of a model name in a message; callers may request any text. */
    private static final int MODEL_LENGTH = 256;

    private final String modelRef;
    private final Map<String, Integer> workersByState;
    private final int waiting;
    private final Duration waited;
    private final boolean shuttingDown;
    private final @Nullable Exit lastFailure;
    private final String description;

    private SlotShortage(
            String modelRef,
            StateCounts workers,
            int waiting,
            Duration waited,
            boolean shuttingDown,
            @Nullable Exit lastFailure,
            Duration failureAge) {
        this.modelRef = modelRef;
        this.workersByState = workers.byLabel();
        this.waiting = waiting;
        this.waited = waited;
        this.shuttingDown = shuttingDown;
        this.lastFailure = lastFailure;
        this.description = " (workers: " + StateCounts.describe(workersByState) + "; callers waiting: " + waiting
                + "; waited " + waited.truncatedTo(ChronoUnit.MILLIS) + ")"
                + (shuttingDown ? "; the hive is shutting down" : "")
                + (lastFailure == null ? "" : "; last failure " + describe(lastFailure, failureAge));
    }

    /**
     * The state of a model now.
     *
     * @param model null if the model has neither workers nor waiters
     * @param sinceNanos when the caller began to wait, by {@link System#nanoTime()}
     */
    static SlotShortage of(
            String modelRef, @Nullable ModelSlots model, SlotFilter filter, long sinceNanos, ModelHistory history) {
        Census census = new Census(filter);
        if (model != null) {
            model.free().first(census::visit);
        }
        ModelHistory.Failure failure = history.lastFailure(modelRef, filter);
        return new SlotShortage(
                modelRef,
                census.counts,
                model == null ? 0 : model.waitQueue().length(),
                Duration.ofNanos(System.nanoTime() - sinceNanos),
                census.fitting == 0 ? history.isShutDown(modelRef) : census.shuttingDown,
                failure == null ? null : failure.exit(),
                failure == null ? Duration.ZERO : Duration.ofNanos(history.nanosSince(failure.atNanos())));
    }

    /** Counts the workers of a model. */
    private static final class Census {
        private final SlotFilter filter;
        private final StateCounts counts = new StateCounts();
        private int fitting;
        private boolean shuttingDown;

        Census(SlotFilter filter) {
            this.filter = filter;
        }

        @Nullable
        Object visit(WorkerEntry entry) {
            counts.add(entry);
            WorkerInfo worker = entry.stored();
            if (filter.fits(worker)) {
                fitting++;
                shuttingDown |= worker.state() instanceof Stopping stopping && stopping.reason() == StopReason.SHUTDOWN;
            }
            return null; // visit all
        }
    }

    private static String describe(Exit exit, Duration age) {
        return age.truncatedTo(ChronoUnit.SECONDS) + " ago: worker " + LogText.of(exit.workerId()) + ", generation "
                + exit.generation() + ", " + exit.cause() + ", " + exit.status()
                + (exit.output().isEmpty() ? "" : ": " + exit.output().get(0));
    }

    String modelRef() {
        return modelRef;
    }

    /** The model's name, sanitised for a message. */
    String modelName() {
        return shortened(modelRef, MODEL_LENGTH);
    }

    Map<String, Integer> workersByState() {
        return workersByState;
    }

    int waiting() {
        return waiting;
    }

    Duration waited() {
        return waited;
    }

    boolean isShuttingDown() {
        return shuttingDown;
    }

    Optional<Exit> lastFailure() {
        return Optional.ofNullable(lastFailure);
    }

    /** Everything except the model, for the end of a message. */
    @Override
    public String toString() {
        return description;
    }

    /** Sanitises a text and cuts it to a maximum length. */
    static String shortened(String text, int length) {
        return cut(LogText.of(cut(text, length)), length);
    }

    private static String cut(String text, int length) {
        if (text.length() <= length) {
            return text;
        }
        boolean splitsPair = Character.isHighSurrogate(text.charAt(length - 1));
        return text.substring(0, splitsPair ? length - 1 : length);
    }
}
