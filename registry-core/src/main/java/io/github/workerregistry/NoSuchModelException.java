package io.github.workerregistry;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * There is no worker that could serve the request, and none that loads or is about to be restarted. Waiting would be in
 * vain. The message tells the state of the model: its workers by state, and its last failed exit.
 */
public final class NoSuchModelException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** The state of the model. */
    private final transient SlotShortage shortage;

    private final transient @Nullable Exit lastExit;

    NoSuchModelException(SlotShortage shortage, SlotFilter filter, @Nullable Exit lastExit) {
        super("no worker serves " + shortage.modelName()
                + filter.backend().map(backend -> " on backend " + backend).orElse("")
                + (filter.device().isPresent() ? " on device " + filter.device().getAsInt() : "")
                + ", and none is loading"
                + describe(lastExit, shortage)
                + shortage);
        this.shortage = shortage;
        this.lastExit = lastExit;
    }

    /** Unless it is told as the last failure. */
    private static String describe(@Nullable Exit lastExit, SlotShortage shortage) {
        return lastExit == null
                        || shortage.lastFailure()
                                .filter(lastExit::isOfSameProcess)
                                .isPresent()
                ? ""
                : "; the last one ended: " + lastExit.cause() + ", " + lastExit.status();
    }

    /**
     * The model that nobody serves.
     *
     * @return the model
     */
    public String modelRef() {
        return shortage.modelRef();
    }

    /**
     * How the last worker of the model that has left came to its end.
     *
     * @return the exit, with its cause and the last lines of output; empty if that worker could not have served the
     *     request either, was removed without an end that anybody saw, or left when nobody waited for the model
     */
    public Optional<Exit> lastExit() {
        return Optional.ofNullable(lastExit);
    }

    /**
     * The workers of the model at that time, by the {@linkplain WorkerState#label() label} of their state:
     * {@code loading}, {@code idle}, {@code busy}, {@code backing_off}, {@code stopping}, in this order.
     *
     * @return an unmodifiable map from label to count, &gt; 0; empty if the model had no worker
     */
    public Map<String, Integer> workersByState() {
        return shortage.workersByState();
    }

    /**
     * How many other callers waited for a slot of the model at that time.
     *
     * @return &ge; 0
     */
    public int waiting() {
        return shortage.waiting();
    }

    /**
     * How long this caller had waited, in real time.
     *
     * @return &ge; 0
     */
    public Duration waited() {
        return shortage.waited();
    }

    /**
     * Whether the hive is shutting down: workers that could have served the request are stopping, or were removed, with
     * {@link Exit.Cause#SHUTDOWN}. Callers that come later are told so for 10 minutes.
     *
     * @return true if it is
     */
    public boolean isShuttingDown() {
        return shortage.isShuttingDown();
    }

    /**
     * The last failed exit of a worker of the model that could have served the request, also if that worker has been
     * restarted or removed since. Known for 10 minutes, and for the 1,000 models in which something ended last.
     *
     * @return the exit, with the last line of its output only, sanitised and at most 300 characters; empty if none is
     *     known
     */
    public Optional<Exit> lastFailure() {
        return shortage.lastFailure();
    }
}
