package io.github.workerregistry;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/**
 * One slot of one worker, held until closed.
 *
 * <p>A lease knows its worker, the worker's generation, and where that generation is reached. Closing it twice, or
 * after the worker crashed, was restarted or removed, does nothing, and can never free somebody else's slot.
 * Thread-safe; may be closed by another thread than the one that took it. What happens before {@link #close()} happens
 * before any later lease of the same slot (after Stormpot's {@code Poolable.release}).
 */
public final class SlotLease implements AutoCloseable {

    private static final VarHandle CLOSED;

    static {
        try {
            CLOSED = MethodHandles.lookup().findVarHandle(SlotLease.class, "closed", boolean.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final Entry entry;
    private final String url;
    private final int generation;
    private final int stamp;

    @SuppressWarnings("UnusedVariable") // written through CLOSED
    private volatile boolean closed;

    SlotLease(Entry entry, String url, int generation, int stamp) {
        this.entry = entry;
        this.url = url;
        this.generation = generation;
        this.stamp = stamp;
    }

    Entry entry() {
        return entry;
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
     * Whether the slot is still ours: not closed, and the worker neither crashed nor removed. A worker that is Stopping
     * lets its leases run to their end.
     *
     * @return false once this lease has become void, and then for ever
     */
    public boolean isValid() {
        return !closed && entry.isHeldUnder(stamp);
    }

    /**
     * Gives the slot back. Idempotent, never throws. Blocks only while others wait for a slot of this model, for the
     * moment in which it is handed to the first of them; their filters run on this thread then.
     */
    @Override
    public void close() {
        if (closed) {
            return;
        }
        if (entry.slots() == 1) { // the worker's word decides between those who close this at once
            entry.give(stamp);
            CLOSED.setRelease(this, true);
        } else if (CLOSED.compareAndSet(this, false, true)) {
            entry.give(stamp);
        }
        entry.model().closed(this);
    }

    /** Worker, generation and validity, for logs. */
    @Override
    public String toString() {
        return "SlotLease[" + workerId() + ", generation " + generation + (isValid() ? "]" : ", void]");
    }
}
