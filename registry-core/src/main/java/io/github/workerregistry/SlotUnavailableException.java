package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Map;
import java.util.Optional;

/**
 * A request got no slot. The superclass of all such exceptions, so that one {@code catch} can answer 503. The message
 * describes the state of the model: its workers by state, the number of waiting callers, and the last failed exit. May
 * gain subclasses.
 *
 * <p>Not for Java serialisation: the details are not written.
 *
 * @since 0.1
 */
public abstract class SlotUnavailableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    /** The state of the model. Replaced once, before the exception reaches a caller. */
    private transient SlotShortage shortage;

    /** The state of the model as text, for the message, also after serialisation. */
    private String state;

    SlotUnavailableException(String message, SlotShortage shortage) {
        super(message);
        this.shortage = shortage;
        this.state = shortage.toString();
    }

    /**
     * An exception of a subclass, for {@link Supervision#failWaiting}. The registry adds the state of the model when it
     * fails a request with it; until then the model is known, and nothing else.
     *
     * @param modelRef the requested model
     * @param message why there is no slot, without the state of the model
     */
    protected SlotUnavailableException(String modelRef, String message) {
        this(requireNonNull(message, "message"), SlotShortage.unknown(requireNonNull(modelRef, "modelRef")));
    }

    /** This exception, with the state of the model. */
    SlotUnavailableException with(SlotShortage known) {
        shortage = known;
        state = known.toString();
        return this;
    }

    /**
     * Why there is no slot, and the state of the model.
     *
     * @return the message
     */
    @Override
    public String getMessage() {
        return super.getMessage() + state;
    }

    SlotShortage shortage() {
        return shortage;
    }

    /**
     * The requested model.
     *
     * @return the model that the caller named
     */
    public String modelRef() {
        return shortage.modelRef();
    }

    /**
     * When to try again, if known.
     *
     * @return a time from now, for a {@code Retry-After} header; empty if unknown
     */
    public Optional<Duration> retryAfter() {
        return Optional.empty();
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
     * Number of other callers that waited for a slot of the model at that time.
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
     * {@link Exit.Cause#SHUTDOWN}. Known for 10 minutes.
     *
     * @return true if it is
     */
    public boolean isShuttingDown() {
        return shortage.isShuttingDown();
    }

    /**
     * The last failed exit of a worker of the model that could have served the request, even if that worker has been
     * restarted or removed since. Known for 10 minutes, for the 1,000 models with the most recent ends.
     *
     * @return the exit, with the last line of its output only, sanitised and at most 300 characters; empty if none is
     *     known
     */
    public Optional<Exit> lastFailure() {
        return shortage.lastFailure();
    }
}
