package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/**
 * A slot that has been requested with {@link WorkerRegistry#acquireAsync}. It is granted, cancelled, timed out or
 * failed: exactly one of them, decided by one atomic step. Thread-safe.
 *
 * @since 0.1
 */
public interface PendingSlot {

    /**
     * Completes when the request has ended: with the lease, or exceptionally. The caller must close the lease.
     *
     * <p>Dependents run on the executor passed to {@link WorkerRegistry#acquireAsync}; after {@link #cancel()} and
     * after a refusal of that executor, on the thread that caused it. The stage cannot be completed from outside, and
     * cancelling what is derived from it ({@code toCompletableFuture()}, {@code thenApply(…)}) does not cancel the
     * request: use {@link #cancel()}.
     *
     * <p>Exceptions: {@link SlotTimeoutException}, {@link SlotQueueFullException} and {@link NoWorkerException} as for
     * {@link WorkerRegistry#acquire}; {@link java.util.concurrent.CancellationException} after {@link #cancel()};
     * {@link java.util.concurrent.RejectedExecutionException}, or whatever the executor threw, if it refused. As usual,
     * dependents see them wrapped in a {@link java.util.concurrent.CompletionException}.
     *
     * @return the same stage on every call
     */
    CompletionStage<SlotLease> lease();

    /**
     * Cancels the request if it still waits. Then {@link #lease()} completes with a
     * {@link java.util.concurrent.CancellationException} before this method returns, on this thread.
     *
     * @return whether the request was cancelled; false if it has been granted (the lease then comes through
     *     {@link #lease()} and must be closed), cancelled before, timed out or failed
     */
    boolean cancel();

    /**
     * Number of waiting requests of the model that are ahead of this one. Takes time proportional to that number.
     *
     * @return the position, from 0; empty if this request does not wait any more
     */
    OptionalInt position();

    /**
     * Does some work with the slot when it is granted, and releases it when the work has ended, as
     * {@link WorkerRegistry#withSlot}. Call it at most once, and do not use {@link #lease()} then.
     *
     * @param work called once, with the lease, unless the request fails; returns a stage that completes when the slot
     *     is no longer needed
     * @param <T> the result of the work
     * @return completes with the result of the work; exceptionally as {@link #lease()}, or with the exception of the
     *     work
     */
    default <T> CompletionStage<T> use(Function<? super SlotLease, ? extends CompletionStage<T>> work) {
        requireNonNull(work, "work");
        CompletableFuture<T> result = new CompletableFuture<>();
        lease().whenComplete((lease, failure) -> {
            if (failure != null) {
                result.completeExceptionally(failure);
            } else {
                SlotWork.run(lease, work, result);
            }
        });
        return result.minimalCompletionStage();
    }
}
