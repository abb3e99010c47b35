package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

/** The work of {@link WorkerRegistry#withSlot}: releases the slot before the result is known to others. */
final class SlotWork {

    private SlotWork() {}

    static <T> void run(
            SlotLease lease,
            Function<? super SlotLease, ? extends CompletionStage<T>> work,
            CompletableFuture<T> result) {
        try {
            requireNonNull(work.apply(lease), "the stage of the work").whenComplete((value, failure) -> {
                lease.close();
                if (failure != null) {
                    result.completeExceptionally(failure);
                } else {
                    result.complete(value);
                }
            });
        } catch (Throwable t) { // thrown by the work, or by its stage
            lease.close();
            result.completeExceptionally(t);
        }
    }
}
