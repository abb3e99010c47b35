package io.github.workerregistry;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/** A slot requested with {@link WorkerRegistry#acquireAsync}. */
final class AsyncWaiter extends Waiter implements PendingSlot {

    private static final VarHandle DELIVERED;

    static {
        try {
            DELIVERED = MethodHandles.lookup().findVarHandle(AsyncWaiter.class, "delivered", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final CompletableFuture<SlotLease> future = new CompletableFuture<>();
    private final CompletionStage<SlotLease> stage = future.minimalCompletionStage();
    private final Executor executor;
    private final ModelTable models;
    private final @Nullable Throwable stack;
    private final Duration timeout;

    @SuppressWarnings("UnusedVariable") // used through DELIVERED
    private volatile boolean delivered;

    /** The next one that the same thread completes; owned by {@link CompletionLoop} and {@link SlotWaitQueue}. */
    @Nullable
    AsyncWaiter nextEnded;

    /**
     * A request that may have to wait.
     *
     * @param timeout how long it waits, for the exception
     * @param executor runs the completion
     * @param models where its model is found
     * @param stack of the request, for the report of leaks; null if there is none
     */
    AsyncWaiter(
            SlotRequest request,
            boolean failIfAbsent,
            Duration timeout,
            Executor executor,
            ModelTable models,
            @Nullable Throwable stack) {
        super(request, failIfAbsent);
        this.timeout = timeout;
        this.executor = executor;
        this.models = models;
        this.stack = stack;
    }

    @Override
    public CompletionStage<SlotLease> lease() {
        return stage;
    }

    @Override
    public boolean cancel() {
        if (!end(State.CANCELLED)) {
            return false;
        }
        models.leave(this);
        future.completeExceptionally(new CancellationException("cancelled: a slot of " + request()));
        return true;
    }

    @Override
    public OptionalInt position() {
        ModelSlots joined = model();
        return joined == null ? OptionalInt.empty() : joined.waitQueue().positionOf(this);
    }

    @Override
    AsyncWaiter ended() {
        return this;
    }

    /** Completes the stage on the executor. Called by {@link CompletionLoop}, with no lock held. */
    void complete() {
        try {
            models.leave(this);
            executor.execute(this::deliver);
        } catch (Throwable refusal) { // also if memory runs out
            refused(refusal);
        }
    }

    private boolean claim() {
        return DELIVERED.compareAndSet(this, false, true);
    }

    private void deliver() {
        if (!claim()) {
            return; // the executor ran the task twice, or threw after it had run it
        }
        try {
            switch (state()) {
                case GRANTED -> granted(slot());
                case TIMED_OUT -> future.completeExceptionally(models.timeout(this, timeout));
                default -> future.completeExceptionally(failure());
            }
        } catch (Throwable t) { // out of memory
            abandon(t);
        }
    }

    private void granted(SlotLease lease) {
        models.watch(lease, stack);
        future.complete(lease);
    }

    private void refused(Throwable refusal) {
        if (claim()) {
            abandon(refusal);
        }
    }

    /** Passes the slot on. */
    private void abandon(Throwable why) {
        if (state() == State.GRANTED) {
            slot().close();
        }
        future.completeExceptionally(why);
    }
}
