package io.github.workerregistry.pool;

import io.github.workerregistry.PendingSlot;
import io.github.workerregistry.SlotLease;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;

/** A request to a pool that has been closed. */
final class NoSlot implements PendingSlot {

    private final CompletableFuture<SlotLease> lease = new CompletableFuture<>();

    private NoSlot() {}

    /** Fails the stage on the executor; if that refuses, on this thread with the refusal. */
    static NoSlot failed(PoolClosedException closed, Executor executor) {
        NoSlot slot = new NoSlot();
        try {
            executor.execute(() -> slot.lease.completeExceptionally(closed));
        } catch (RuntimeException refused) {
            slot.lease.completeExceptionally(refused);
        }
        return slot;
    }

    @Override
    public CompletionStage<SlotLease> lease() {
        return lease.minimalCompletionStage();
    }

    @Override
    public boolean cancel() {
        return lease.cancel(false);
    }

    @Override
    public OptionalInt position() {
        return OptionalInt.empty();
    }
}
