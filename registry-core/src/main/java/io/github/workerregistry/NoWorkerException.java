package io.github.workerregistry;

import io.github.workerregistry.internal.LogText;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The request is unservable: no worker can serve it, and none that could is loading or backing off.
 *
 * @since 0.1
 */
public final class NoWorkerException extends SlotUnavailableException {

    private static final long serialVersionUID = 1L;

    /** Maximum length of the constraints in a message; callers may request any text. */
    private static final int CONSTRAINTS_LENGTH = 256;

    private final transient @Nullable Exit lastExit;

    NoWorkerException(SlotShortage shortage, SlotRequest request, @Nullable Exit lastExit) {
        super(
                "no worker serves " + shortage.modelName()
                        + LogText.shortened(request.describeConstraints(), CONSTRAINTS_LENGTH)
                        + ", and none is loading"
                        + describe(lastExit, shortage),
                shortage);
        this.lastExit = lastExit;
    }

    /**
     * An exception for {@link Supervision#failWaiting}, for code that knows that no worker will be started for the
     * request. The registry adds the state of the model when it fails a request with it.
     *
     * @param modelRef the requested model
     * @param message why there is no slot, without the state of the model
     */
    public NoWorkerException(String modelRef, String message) {
        super(modelRef, message);
        this.lastExit = null;
    }

    /** Omitted if it is the last failure, which the shortage describes. */
    private static String describe(@Nullable Exit lastExit, SlotShortage shortage) {
        return lastExit == null
                        || shortage.lastFailure()
                                .filter(failure -> failure.incarnation().equals(lastExit.incarnation()))
                                .isPresent()
                ? ""
                : "; the last one ended: " + lastExit.cause() + ", " + lastExit.status();
    }

    /**
     * The exit of the most recently removed worker of the model.
     *
     * @return the exit, with its cause and the last lines of output; empty if that worker could not have served the
     *     request, if its exit was not detected, or if no caller waited for the model when it was removed
     */
    public Optional<Exit> lastExit() {
        return Optional.ofNullable(lastExit);
    }
}
