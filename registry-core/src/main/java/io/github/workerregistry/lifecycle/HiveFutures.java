package io.github.workerregistry.lifecycle;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** Copies futures for the hive; completes them outside of decisions, with the original exception. */
final class HiveFutures {

    private HiveFutures() {}

    /**
     * A copy for the hive, which may complete it without an effect on the original. It completes outside of decisions,
     * see {@link DeferredCallBacks}, with the original exception, not wrapped.
     */
    static <T> CompletableFuture<T> forHive(CompletableFuture<T> original) {
        CompletableFuture<T> copy = new CompletableFuture<>();
        original.whenComplete((value, failure) -> DeferredCallBacks.run(() -> complete(copy, value, failure)));
        return copy;
    }

    /** Completes one future as another does, with the original exception, not wrapped. */
    static <T> void relay(CompletableFuture<T> from, CompletableFuture<T> to) {
        from.whenComplete((value, failure) -> complete(to, value, failure));
    }

    private static <T> void complete(CompletableFuture<T> future, T value, @Nullable Throwable failure) {
        if (failure != null) {
            future.completeExceptionally(failure);
        } else {
            future.complete(value);
        }
    }
}
