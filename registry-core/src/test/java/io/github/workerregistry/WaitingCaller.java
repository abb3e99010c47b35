package io.github.workerregistry;

import static org.awaitility.Awaitility.await;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;

/** A thread in the wait queue of a model, and the result of its call. */
final class WaitingCaller {

    /** Longer than any test runs. */
    static final Duration LONG = Duration.ofSeconds(30);

    final CompletableFuture<SlotLease> result = new CompletableFuture<>();
    final Thread thread;

    /** Starts a thread that calls {@link WorkerRegistry#acquire}. */
    WaitingCaller(WorkerRegistry registry, SlotRequest request, Duration timeout) {
        thread = new Thread(() -> {
            try {
                result.complete(registry.acquire(request, timeout));
            } catch (Throwable t) {
                result.completeExceptionally(t);
            }
        });
        thread.setDaemon(true);
        thread.start();
    }

    /** Returns once the thread waits. */
    void awaitWaiting() {
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .until(() -> thread.getState() == Thread.State.TIMED_WAITING);
    }

    SlotLease lease() throws Exception {
        return result.get(LONG.toSeconds(), TimeUnit.SECONDS);
    }

    Throwable failure() throws Exception {
        try {
            return new AssertionError("acquired " + result.get(LONG.toSeconds(), TimeUnit.SECONDS));
        } catch (ExecutionException e) {
            return e.getCause();
        }
    }
}
