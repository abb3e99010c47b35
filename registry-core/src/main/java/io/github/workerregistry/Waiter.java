package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A request that waits for a slot. One atomic word decides how its wait ends: granted, cancelled, timed out or failed.
 * Only the thread that changes the word acts on the end.
 */
abstract class Waiter {

    /** How the wait ends. */
    enum State {
        /** It has not ended. */
        WAITING,
        /** A slot has been acquired for it. */
        GRANTED,
        /** The caller gave up: {@link PendingSlot#cancel}, or an interrupt. */
        CANCELLED,
        /** The timeout is over. */
        TIMED_OUT,
        /** The request is refused, or has become unservable. */
        FAILED
    }

    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Waiter.class, "state", State.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final SlotRequest request;
    private final boolean failIfAbsent;
    private volatile @Nullable ModelSlots model;
    private long since; // written before the waiter is in a queue

    // position in the queue; owned by WaitersByRequest
    long ticket;
    WaitersByRequest.@Nullable Group group;

    @Nullable
    Waiter previous;

    @Nullable
    Waiter next;

    // owned by Deadlines, the index by DeadlineHeap
    volatile boolean hasDeadline;
    long deadline;
    int heapIndex = DeadlineHeap.ABSENT;

    @Nullable
    Waiter nextExpired;

    private volatile State state = State.WAITING;
    private @Nullable SlotLease slot; // these two are written before the state
    private @Nullable Supplier<? extends RuntimeException> failure;

    /**
     * A request that may have to wait.
     *
     * @param failIfAbsent whether it fails as soon as it is unservable
     */
    Waiter(SlotRequest request, boolean failIfAbsent) {
        this.request = request;
        this.failIfAbsent = failIfAbsent;
    }

    /**
     * It is about to join the queue of a model.
     *
     * @param now by {@link Deadlines#now()}
     */
    void joins(ModelSlots joined, long now) {
        since = now;
        model = joined;
    }

    /** It has not joined: the queue was closed or full, or the request is unservable. */
    void doesNotJoin() {
        model = null;
    }

    /** The model in whose queue it waits or has waited; null if it did not wait. */
    @Nullable
    ModelSlots model() {
        return model;
    }

    SlotRequest request() {
        return request;
    }

    boolean failsIfAbsent() {
        return failIfAbsent;
    }

    /** When it began to wait, by {@link Deadlines#now()}. */
    long since() {
        return since;
    }

    State state() {
        return state;
    }

    boolean isWaiting() {
        return state == State.WAITING;
    }

    /** The slot; only if {@code GRANTED}. */
    SlotLease slot() {
        return requireNonNull(slot);
    }

    /** The exception; only if {@code FAILED}. */
    RuntimeException failure() {
        return requireNonNull(failure).get();
    }

    /** Grants a slot. If it returns false, the wait has ended otherwise, and the slot is still the granter's. */
    boolean grant(SlotLease granted) {
        slot = granted;
        return end(State.GRANTED);
    }

    /** Fails the request; false if its wait has ended otherwise. Several threads may try; one exception remains. */
    synchronized boolean fail(Supplier<? extends RuntimeException> exception) {
        if (!isWaiting()) {
            return false;
        }
        failure = exception;
        return end(State.FAILED);
    }

    /** Ends the wait; false if it has ended before. */
    boolean end(State how) {
        return STATE.compareAndSet(this, State.WAITING, how);
    }

    /**
     * Called once after the wait has ended with {@code GRANTED}, {@code TIMED_OUT} or {@code FAILED}, by the thread
     * that ended it, possibly with the queue's lock held.
     *
     * @return the request that {@link CompletionLoop} is to complete; null if there is nothing to do
     */
    @Nullable
    abstract AsyncWaiter ended();
}
