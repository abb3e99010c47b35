package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One slot of one worker, held until closed.
 *
 * <p>A lease knows its worker, the worker's generation, and that generation's url. Closing it twice, or after the
 * worker crashed, was restarted or removed, does nothing, and can never release a slot held by another lease.
 * Thread-safe; may be closed by a thread other than the one that acquired it. Actions before {@link #close()}
 * happen-before any later lease of the same slot (after Stormpot's {@code Poolable.release}).
 *
 * <h2>Failed requests</h2>
 *
 * <p>A connection breaks some milliseconds before the exit of its worker is detected; until then the lease looks valid,
 * and the slot would be leased to the next caller. So a caller that got no answer calls {@link #fail} instead of
 * {@link #close()}, and learns from {@link #lostWithin} or {@link #whenEnded} whether the worker was lost:
 *
 * <pre>{@code
 * try (SlotLease slot = registry.acquire("llama", timeout)) {
 *     try {
 *         return send(request, slot.url());
 *     } catch (IOException e) {
 *         slot.fail(e);
 *         throw slot.lostWithin(Duration.ofSeconds(2)) ? new WorkerLostException(e) : e;   // the former is retried
 *     }
 * }
 * }</pre>
 *
 * @since 0.1
 */
public final class SlotLease implements AutoCloseable {

    // Values of the lease's mark.

    /** Neither closed nor failed. */
    static final byte OPEN = 0;

    /** Closed, or failed and the check found the worker alive. */
    static final byte RELEASED = 1;

    /** Closed while it held no slot: the worker was lost, or another thread is closing the lease. */
    static final byte VOID = 2;

    /** Failed; the check of its worker decides how it ended. */
    static final byte FAILED = 3;

    /** Closed after the worker was lost, or failed and the check found it lost. */
    static final byte LOST = 4;

    private static final VarHandle MARK;

    static {
        try {
            MARK = MethodHandles.lookup().findVarHandle(SlotLease.class, "mark", byte.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final WorkerEntry entry;
    private final String url;
    private final Incarnation incarnation;
    private final int stamp;
    private volatile byte mark; // written through MARK

    SlotLease(WorkerEntry entry, String url, Incarnation incarnation, int stamp) {
        this.entry = entry;
        this.url = url;
        this.incarnation = incarnation;
        this.stamp = stamp;
    }

    WorkerEntry entry() {
        return entry;
    }

    int stamp() {
        return stamp;
    }

    byte mark() {
        return mark;
    }

    /** Whether the slot is in use, by this lease if it is open; false once the worker is lost. */
    boolean isHeld() {
        return entry.isHeldUnder(stamp);
    }

    /**
     * The id of the leased worker.
     *
     * @return the id
     */
    public String workerId() {
        return incarnation.workerId();
    }

    /**
     * The url of the lease's own generation, even if the worker has been restarted at another url since.
     *
     * @return the url, as in {@link WorkerInfo#url()}
     */
    public String url() {
        return url;
    }

    /**
     * A snapshot of the worker. During a transition it is the state before or after; after the removal, the last state.
     *
     * @return the worker
     */
    public WorkerInfo worker() {
        return entry.last();
    }

    /**
     * The incarnation of the worker that was leased.
     *
     * @return {@link WorkerInfo#incarnation()} at the time of the acquisition
     */
    public Incarnation incarnation() {
        return incarnation;
    }

    /**
     * The generation of the worker that was leased.
     *
     * @return the generation, as in {@link WorkerInfo#generation()}
     */
    public int generation() {
        return incarnation.generation();
    }

    /**
     * Whether this lease holds its slot: neither closed nor failed, and the worker neither crashed nor removed. Leases
     * of a Stopping worker stay valid.
     *
     * @return false once this lease has become void; it never becomes valid again
     */
    public boolean isValid() {
        return mark == OPEN && isHeld();
    }

    /**
     * Releases the slot. Idempotent, never throws. Blocks only while callers wait for a slot of this model, for as long
     * as it takes to pass the slot to the first that accepts it. The executors of asynchronous requests are called, and
     * dependents of {@link #whenEnded()} run, on this thread.
     */
    @Override
    public void close() {
        if (mark != OPEN) {
            return;
        }
        if (entry.slots() == 1) { // the word decides between concurrent closes
            if (entry.release(stamp)) {
                MARK.setRelease(this, RELEASED);
            } else {
                MARK.compareAndSet(this, OPEN, VOID);
            }
        } else if (MARK.compareAndSet(this, OPEN, isHeld() ? RELEASED : LOST)) {
            entry.release(stamp);
        }
        entry.model().closed(this);
    }

    /**
     * Releases the slot as failed: the request got no answer, or not one that a healthy worker would send. The worker's
     * supervisor checks the worker at once: whether its process has exited, and with a probe ahead of schedule. No slot
     * of the worker is leased, not even to waiting callers, until a probe that began after this call passes; without a
     * probe, until the process still runs 100 ms later; and never for longer than
     * {@link io.github.workerregistry.lifecycle.LifecycleConfig#healthTimeout()}, or one second more of real time if
     * the supervisor's scheduler is blocked. Meanwhile the worker's state and {@link WorkerInfo#slotsAvailable()} do
     * not change. A worker without a supervisor is not checked: this is then {@link #close()}.
     *
     * <p>A request that the worker rejected (status 400) has not failed in this sense. Calling this for it is safe, but
     * costs a probe.
     *
     * <p>Does nothing if this lease was closed or has failed before; closes the lease if the worker is lost. Never
     * throws except for null, and returns at once. Blocks and calls back as {@link #close()} does.
     *
     * @param cause why; logged at DEBUG, and passed to {@link FailedLease#cause()}
     */
    public void fail(Throwable cause) {
        requireNonNull(cause, "cause");
        if (mark == OPEN && MARK.compareAndSet(this, OPEN, FAILED)) {
            entry.model().checks().release(this, cause);
        }
    }

    /** Releases the slot of a failed lease without a check, unless it has been released. */
    void releaseFailed() {
        if (mark == FAILED) {
            conclude(entry.release(stamp) ? RELEASED : entry.slots() == 1 ? VOID : LOST);
        }
    }

    /** Sets how a failed lease ended. */
    void conclude(byte how) {
        MARK.compareAndSet(this, FAILED, how);
    }

    /**
     * How this lease ends: {@link LeaseEnd.Released} if it is closed while its worker lives, {@link LeaseEnd.Lost} as
     * soon as the worker's process has exited or its record is removed, whether or not the lease is closed afterwards.
     * After {@link #fail}: {@code Lost} if the check finds that the process has exited, else {@code Released} when the
     * check ends.
     *
     * <p>Costs nothing for leases on which it is not called; a lease on which it is called is kept in a table until it
     * ends. Dependents run on the thread that ends the lease (in {@link #close()}, or in the supervisor when it handles
     * the exit), with no lock held. Run blocking code elsewhere: {@code thenAcceptAsync(…)}.
     *
     * @return a stage that completes once, never exceptionally; the caller cannot complete it
     */
    public CompletionStage<LeaseEnd> whenEnded() {
        return entry.model().ends().of(this).minimalCompletionStage();
    }

    /**
     * Whether the worker was lost under this lease, now or within a time. For a caller whose request failed, and that
     * has called {@link #fail} or has not closed the lease yet; a lease closed earlier was released, even if its worker
     * exits a moment later. Returns as soon as {@link #whenEnded()} would complete.
     *
     * <p>Parks the calling thread, platform or virtual, in real time, whatever the registry's clock is. Not for a
     * thread of the supervisor: its check would wait for the end of this call.
     *
     * @param patience how long to wait, &ge; 0; with zero, returns what is known now
     * @return true if the worker was lost; false if the lease ended otherwise, if its end is not known in time, or if
     *     the thread is interrupted (its interrupt status stays set)
     * @throws IllegalArgumentException if {@code patience} is negative
     */
    public boolean lostWithin(Duration patience) {
        if (requireNonNull(patience, "patience").isNegative()) {
            throw new IllegalArgumentException("patience must be >= 0, was " + patience);
        }
        LeaseEndFutures ends = entry.model().ends();
        LeaseEnd known = ends.known(this);
        if (known == null && !patience.isZero()) {
            known = await(ends.of(this), patience);
        }
        return known instanceof LeaseEnd.Lost;
    }

    private static @Nullable LeaseEnd await(CompletableFuture<LeaseEnd> end, Duration patience) {
        try {
            return end.get(TimeUnit.NANOSECONDS.convert(patience), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (TimeoutException | ExecutionException e) {
            return null;
        }
        return end.getNow(null);
    }

    /** Worker, generation and validity, for logs. */
    @Override
    public String toString() {
        return "SlotLease[" + workerId() + ", generation " + generation() + (isValid() ? "]" : ", void]");
    }
}
