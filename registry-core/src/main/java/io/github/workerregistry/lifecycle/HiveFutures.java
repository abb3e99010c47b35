package io.github.workerregistry.lifecycle;

import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** What {@link CompletableFuture} lacks. */
final class HiveFutures {

    private HiveFutures() {}

    /**
     * A future for the hive, which may complete it as it likes; with the very exception and not one that wraps it. It
     * completes outside of all decisions, see {@link DeferredCallBacks}.
     */
    static <T> CompletableFuture<T> forHive(CompletableFuture<T> original) {
        CompletableFuture<T> copy = new CompletableFuture<>();
        original.whenComplete((value, failure) -> DeferredCallBacks.run(() -> complete(copy, value, failure)));
        return copy;
    }

    /** Completes one future as another does, with the very exception and not one that wraps it. */
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
