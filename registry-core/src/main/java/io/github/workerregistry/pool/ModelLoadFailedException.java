package io.github.workerregistry.pool;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotUnavailableException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/**
 * The model could not be loaded, and no worker of it serves or loads. Until {@link #retryAt()}, further requests fail
 * at once with this exception, without another process.
 *
 * @since 0.1
 */
public final class ModelLoadFailedException extends SlotUnavailableException {

    private static final long serialVersionUID = 1L;

    private final transient Optional<Exit> exit;
    private final transient Optional<Instant> retryAt;
    private final transient Optional<Duration> retryAfter;

    ModelLoadFailedException(String modelRef, LoadFailure failure, Instant now) {
        super(modelRef, "model " + modelRef + " failed to load: " + failure.describe());
        exit = failure.exit();
        retryAt = failure.retryAt();
        retryAfter = retryAt.map(at -> at.isAfter(now) ? Duration.between(now, at) : Duration.ZERO);
    }

    /**
     * How the load ended.
     *
     * @return the exit of the worker; empty if its process could not be started
     */
    public Optional<Exit> exit() {
        return exit;
    }

    /**
     * When the model is loaded again for a request.
     *
     * @return the time, by the registry's clock; empty if only {@link WorkerPool#load} loads it again
     */
    public Optional<Instant> retryAt() {
        return retryAt;
    }

    @Override
    public Optional<Duration> retryAfter() {
        return retryAfter;
    }
}
