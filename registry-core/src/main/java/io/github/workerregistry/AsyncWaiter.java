package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

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
    private volatile @Nullable ModelSlots model;

    @SuppressWarnings("UnusedVariable") // used through DELIVERED
    private volatile boolean delivered;

    /** The next one that the same thread completes; owned by {@link CompletionLoop} and {@link SlotWaitQueue}. */
    @Nullable
    AsyncWaiter nextEnded;

    /**
     * A request that waits from now on.
     *
     * @param timeout how long it waits, for the exception
     * @param executor runs the completion
     * @param models where its model is found
     * @param stack of the request, for the report of leaks; null if there is none
     */
    AsyncWaiter(
            SlotRequest request,
            boolean failIfAbsent,
            long since,
            Duration timeout,
            Executor executor,
            ModelTable models,
            @Nullable Throwable stack) {
        super(request, failIfAbsent, since);
        this.timeout = timeout;
        this.executor = executor;
        this.models = models;
        this.stack = stack;
    }

    /** It is about to join the queue of a model. */
    void joins(@Nullable ModelSlots model) {
        this.model = model;
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
        left();
        future.completeExceptionally(new CancellationException("cancelled: a slot of " + request()));
        return true;
    }

    @Override
    public OptionalInt position() {
        ModelSlots model = this.model;
        return model == null ? OptionalInt.empty() : model.waitQueue().positionOf(this);
    }

    @Override
    boolean ended() {
        return true;
    }

    /** Completes the stage on the executor. Called by {@link CompletionLoop}, with no lock held. */
    void complete() {
        try {
            left();
            executor.execute(this::deliver);
        } catch (Throwable refusal) { // also if memory runs out
            refused(refusal);
        }
    }

    /** Leaves the queue and the table. */
    private void left() {
        ModelSlots joined = model;
        if (joined != null) {
            models.leave(this, joined);
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
                case TIMED_OUT -> future.completeExceptionally(models.timeout(this, requireNonNull(model), timeout));
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
