package io.github.workerregistry;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * There is no worker that could serve the request, and none that loads or is about to be restarted. Waiting would be in
 * vain.
 */
public final class NoSuchModelException extends RuntimeException {

    /** The model that nobody serves. */
    private final String modelRef;

    private final transient @Nullable Exit lastExit;

    NoSuchModelException(String modelRef, SlotFilter filter, @Nullable Exit lastExit) {
        super("no worker serves " + modelRef
                + filter.backend().map(backend -> " on backend " + backend).orElse("")
                + (filter.device().isPresent() ? " on device " + filter.device().getAsInt() : "")
                + ", and none is loading"
                + (lastExit == null ? "" : "; the last one ended: " + lastExit.cause() + ", " + lastExit.status()));
        this.modelRef = modelRef;
        this.lastExit = lastExit;
    }

    /**
     * The model that nobody serves.
     *
     * @return the model
     */
    public String modelRef() {
        return modelRef;
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
}
