package io.github.workerregistry.internal;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * Distinguishes an executor that is full for a moment from one that will accept no task again: it has been shut down,
 * or has refused every task for a minute and at least 100 in a row. Not thread-safe.
 */
public final class ExecutorRefusals {

    private static final Duration MIN_DURATION = Duration.ofMinutes(1);
    private static final int MIN_REFUSALS = 100;

    private final Executor executor;
    private int consecutive;
    private @Nullable Instant first;

    /** For one executor. */
    public ExecutorRefusals(Executor executor) {
        this.executor = requireNonNull(executor, "executor");
    }

    /** The executor has run a task. */
    public void accepted() {
        consecutive = 0;
        first = null;
    }

    /** The executor has refused a task. Returns why it will accept no other one; null if it may. */
    public @Nullable String reasonNotToRetry(Instant now) {
        requireNonNull(now, "now");
        if (executor instanceof ExecutorService service && service.isShutdown()) {
            return "its executor has been shut down";
        }
        consecutive = Math.min(consecutive, MIN_REFUSALS) + 1;
        Instant since = first == null ? now : first;
        first = since;
        return consecutive >= MIN_REFUSALS && Duration.between(since, now).compareTo(MIN_DURATION) >= 0
                ? "its executor has refused every task since " + since
                : null;
    }

    /** Whether an accepted task will never run. */
    public boolean isTerminated() {
        return executor instanceof ExecutorService service && service.isTerminated();
    }
}
