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
    private final long since;

    // position in the queue; owned by WaitersByRequest
    long ticket;
    WaitersByRequest.@Nullable Group group;

    @Nullable
    Waiter previous;

    @Nullable
    Waiter next;

    // owned by Deadlines
    volatile boolean hasDeadline;
    long deadline;
    int heapIndex = Deadlines.ABSENT;

    @Nullable
    Waiter nextExpired;

    private volatile State state = State.WAITING;
    private @Nullable SlotLease slot; // these two are written before the state
    private @Nullable Supplier<? extends RuntimeException> failure;

    /**
     * A request that waits from now on.
     *
     * @param failIfAbsent whether it fails as soon as it is unservable
     * @param since the time now, by {@link Deadlines#now()}
     */
    Waiter(SlotRequest request, boolean failIfAbsent, long since) {
        this.request = request;
        this.failIfAbsent = failIfAbsent;
        this.since = since;
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

    /** Fails the request; false if its wait has ended otherwise. */
    boolean fail(Supplier<? extends RuntimeException> exception) {
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
     * @return whether {@link CompletionLoop} is to complete it
     */
    abstract boolean ended();
}
