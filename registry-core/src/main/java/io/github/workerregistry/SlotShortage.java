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

    /** Nothing but the model is known; the description is empty. */
    static SlotShortage unknown(String modelRef) {
        return new SlotShortage(modelRef);
    }

    private SlotShortage(String modelRef) {
        this.modelRef = modelRef;
        this.workersByState = Map.of();
        this.waiting = 0;
        this.waited = Duration.ZERO;
        this.shuttingDown = false;
        this.lastFailure = null;
        this.description = "";
    }

    /**
     * The state of the request's model now.
     *
     * @param model null if the model has neither workers nor waiters
     * @param waited how long the request has waited
     */
    static SlotShortage of(SlotRequest request, @Nullable ModelSlots model, Duration waited, ModelHistory history) {
        String modelRef = request.modelRef();
        Census census = new Census(request);
        if (model != null) {
            model.free().first(census::visit);
        }
        ModelHistory.Failure failure = history.lastFailure(modelRef, request);
        return new SlotShortage(
                modelRef,
                census.counts,
                model == null ? 0 : model.waitQueue().length(),
                waited,
                census.fitting == 0 ? history.isShutDown(modelRef) : census.shuttingDown,
                failure == null ? null : failure.exit(),
                failure == null ? Duration.ZERO : Duration.ofNanos(history.nanosSince(failure.atNanos())));
    }

    /** Counts the workers of a model. */
    private static final class Census {
        private final SlotRequest request;
        private final StateCounts counts = new StateCounts();
        private int fitting;
        private boolean shuttingDown;

        Census(SlotRequest request) {
            this.request = request;
        }

        @Nullable
        Object visit(WorkerEntry entry) {
            counts.add(entry);
            WorkerInfo worker = entry.stored();
            if (request.constraints().accept(worker)) {
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
        return LogText.shortened(modelRef, MODEL_LENGTH);
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
}
