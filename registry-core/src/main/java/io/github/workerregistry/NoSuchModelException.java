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

    NoSuchModelException(String modelRef, @Nullable Exit lastExit) {
        super("no worker serves " + modelRef + ", and none is loading"
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
     * How the last worker ended that could have served the request, if it did so while the caller waited.
     *
     * @return the exit, with its cause and the last lines of output
     */
    public Optional<Exit> lastExit() {
        return Optional.ofNullable(lastExit);
    }
}
