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
 * <p>A lease knows its worker, the worker's generation, and where that generation is reached. Closing it twice, or
 * after the worker crashed, was restarted or removed, does nothing, and can never free somebody else's slot.
 * Thread-safe; may be closed by another thread than the one that took it. What happens before {@link #close()} happens
 * before any later lease of the same slot (after Stormpot's {@code Poolable.release}).
 *
 * <h2>A request that failed</h2>
 *
 * <p>A connection breaks some milliseconds before the end of its worker is known; until then the lease looks valid, and
 * the slot would go to the next caller. So a caller that got no answer calls {@link #fail} in place of
 * {@link #close()}, and learns from {@link #lostWithin} or {@link #whenEnded} whether the worker died:
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
 */
public final class SlotLease implements AutoCloseable {

    // What this lease knows of its own end.

    /** Neither closed nor failed. */
    static final byte OPEN = 0;

    /** Closed, or failed and its worker checked: it lived on. */
    static final byte RELEASED = 1;

    /** Closed when it held no slot: the worker had gone, or another thread is closing it. */
    static final byte VOID = 2;

    /** Failed: what became of it, the check of its worker tells. */
    static final byte FAILED = 3;

    /** Closed when the worker had gone, or failed and the worker was found to have gone. */
    static final byte LOST = 4;

    private static final VarHandle MARK;

    static {
        try {
            MARK = MethodHandles.lookup().findVarHandle(SlotLease.class, "mark", byte.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Entry entry;
    private final String url;
    private final int generation;
    private final int stamp;
    private volatile byte mark; // written through MARK

    SlotLease(Entry entry, String url, int generation, int stamp) {
        this.entry = entry;
        this.url = url;
        this.generation = generation;
        this.stamp = stamp;
    }

    Entry entry() {
        return entry;
    }

    int stamp() {
        return stamp;
    }

    byte mark() {
        return mark;
    }

    /** Whether its slot is in use, by this lease if that is open; false once the worker has gone. */
    boolean isHeld() {
        return entry.isHeldUnder(stamp);
    }

    /**
     * The id of the worker whose slot this is.
     *
     * @return the id
     */
    public String workerId() {
        return entry.names().id();
    }

    /**
     * Where to send the request. That of the lease's own generation, also when the worker has been restarted since at
     * another url.
     *
     * @return the url, as in {@link WorkerInfo#url()}
     */
    public String url() {
        return url;
    }

    /**
     * The worker as it is now; in the moment of a transition as it was before or is after that, and, if it has left the
     * registry, as it was last.
     *
     * @return the worker
     */
    public WorkerInfo worker() {
        return entry.last();
    }

    /**
     * The generation of the worker that this lease was taken from.
     *
     * @return the generation, as in {@link WorkerInfo#generation()}
     */
    public int generation() {
        return generation;
    }

    /**
     * Whether the slot is still ours: neither closed nor failed, and the worker neither crashed nor removed. A worker
     * that is Stopping lets its leases run to their end.
     *
     * @return false once this lease has become void, and then for ever
     */
    public boolean isValid() {
        return mark == OPEN && isHeld();
    }

    /**
     * Gives the slot back. Idempotent, never throws. Blocks only while others wait for a slot of this model, for the
     * moment in which it is handed to the first of them; their filters run on this thread then, and what depends on
     * {@link #whenEnded()} does, too.
     */
    @Override
    public void close() {
        if (mark != OPEN) {
            return;
        }
        if (entry.slots() == 1) { // the worker's word decides between those who close this at once
            if (entry.give(stamp)) {
                MARK.setRelease(this, RELEASED);
            } else {
                MARK.compareAndSet(this, OPEN, VOID);
            }
        } else if (MARK.compareAndSet(this, OPEN, isHeld() ? RELEASED : LOST)) {
            entry.give(stamp);
        }
        entry.model().closed(this);
    }

    /**
     * Releases the slot as failed: the request got no answer, or none that a worker in order would give. The supervisor
     * of the worker checks it at once: it looks whether the process has exited, and probes it out of turn. No slot of
     * this worker is leased, not even to callers that wait, until a probe that began after this call passes; where
     * there is no probe, until the process still runs 100 ms later; and never for longer than
     * {@link io.github.workerregistry.lifecycle.LifecycleConfig#healthTimeout()}, or, if the supervisor's scheduler is
     * blocked, a second more of real time. Meanwhile the worker's state, and its {@link WorkerInfo#slotsAvailable()},
     * stay as they are. A worker that nobody supervises is not checked: then this is {@link #close()}.
     *
     * <p>A request that the worker refused (a status of 400) has not failed in this sense; to call this for it does no
     * harm, but costs a probe.
     *
     * <p>Does nothing if this lease was closed or has failed before; if the worker has gone, it closes the lease. Never
     * throws but for null, and returns at once. Blocks and calls back as {@link #close()} does.
     *
     * @param cause why; told to the log at DEBUG, and to {@link FailedLease#cause()}
     */
    public void fail(Throwable cause) {
        requireNonNull(cause, "cause");
        if (mark == OPEN && MARK.compareAndSet(this, OPEN, FAILED)) {
            entry.model().checks().release(this, cause);
        }
    }

    /** Gives back the slot of a lease that has failed, if that has not been done, without a check. */
    void releaseFailed() {
        if (mark == FAILED) {
            conclude(entry.give(stamp) ? RELEASED : entry.slots() == 1 ? VOID : LOST);
        }
    }

    /** Notes what became of a lease that has failed. */
    void conclude(byte how) {
        MARK.compareAndSet(this, FAILED, how);
    }

    /**
     * How this lease ends: {@link LeaseEnd.Released} if it is closed while its worker lives, {@link LeaseEnd.Lost} as
     * soon as the worker's process has exited, or its record is removed, whether the lease is closed afterwards or not.
     * After {@link #fail} it is {@code Lost} if the check finds the process gone, else {@code Released} when the check
     * is over.
     *
     * <p>A lease that nobody asks about costs nothing for this; one that is asked about is kept in a table until it
     * ends. What depends on the stage runs on the thread that ends the lease (in {@link #close()}, or in the supervisor
     * as it handles the exit), with no lock held. Let what may block run elsewhere: {@code thenAcceptAsync(…)}.
     *
     * @return a stage that completes once, never exceptionally, and that cannot be completed by others
     */
    public CompletionStage<LeaseEnd> whenEnded() {
        return entry.model().ends().of(this).minimalCompletionStage();
    }

    /**
     * Whether the worker was lost under this lease, now or within a time: for a caller whose request failed, and who
     * has called {@link #fail}, or has not closed the lease yet. (A lease that was closed first ended well, even if the
     * worker dies in the next moment.) Returns as soon as {@link #whenEnded()} would complete.
     *
     * <p>Parks the calling thread, platform or virtual, in real time, whatever the registry's clock is. Not for a
     * thread on which the supervisor runs: its check would wait for the end of this call.
     *
     * @param patience how long to wait, &ge; 0; with zero it says what is known now
     * @return true if the worker was lost; false if the lease ended otherwise, if it is not known in time, or if the
     *     thread is interrupted, which it stays
     * @throws IllegalArgumentException if {@code patience} is negative
     */
    public boolean lostWithin(Duration patience) {
        if (requireNonNull(patience, "patience").isNegative()) {
            throw new IllegalArgumentException("patience must be >= 0, was " + patience);
        }
        LeaseEnds ends = entry.model().ends();
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
        return "SlotLease[" + workerId() + ", generation " + generation + (isValid() ? "]" : ", void]");
    }
}
