package io.github.workerregistry;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import org.jspecify.annotations.Nullable;

/**
 * Tells an executor that is full for a moment from one that takes no task any more: it has been shut down, or has
 * refused every task for a minute, 100 at the least. Not thread-safe.
 */
final class ExecutorRefusals {

    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final int FEWEST = 100;

    private final Executor executor;
    private int inARow;
    private @Nullable Instant first;

    ExecutorRefusals(Executor executor) {
        this.executor = executor;
    }

    /** The executor has run a task. */
    void accepted() {
        inARow = 0;
        first = null;
    }

    /** The executor has refused a task. Gives why it will take no other; null if it may. */
    @Nullable
    String refused(Instant now) {
        if (executor instanceof ExecutorService service && service.isShutdown()) {
            return "its executor has been shut down";
        }
        inARow = Math.min(inARow, FEWEST) + 1;
        Instant since = first == null ? now : first;
        first = since;
        return inARow >= FEWEST && Duration.between(since, now).compareTo(PATIENCE) >= 0
                ? "its executor has refused every task since " + since
                : null;
    }

    /** Whether a task that the executor took will never be run. */
    boolean hasLostItsTasks() {
        return executor instanceof ExecutorService service && service.isTerminated();
    }
}
