package io.github.workerregistry.lifecycle;

import java.util.concurrent.CompletableFuture;

/** What {@link CompletableFuture} lacks. */
final class Stages {

    private Stages() {}

    /** A future for others, who may complete it as they like, with the very exception and not one that wraps it. */
    static <T> CompletableFuture<T> copyOf(CompletableFuture<T> original) {
        CompletableFuture<T> copy = new CompletableFuture<>();
        relay(original, copy);
        return copy;
    }

    /** Completes one future as another does, with the very exception and not one that wraps it. */
    static <T> void relay(CompletableFuture<T> from, CompletableFuture<T> to) {
        from.whenComplete((value, failure) -> {
            if (failure != null) {
                to.completeExceptionally(failure);
            } else {
                to.complete(value);
            }
        });
    }
}
