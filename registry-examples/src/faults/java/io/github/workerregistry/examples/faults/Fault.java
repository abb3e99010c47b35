package io.github.workerregistry.examples.faults;

/** One entry of the {@link Ledger}: a fault of one process of one worker. */
final class Fault {

    private final FaultKind kind;
    private final String workerId;
    private final int generation;
    private final long since;
    private final long heldUpBefore;
    private volatile long until;

    /**
     * An entry.
     *
     * @param workerId the worker
     * @param since when it was injected, in nanoseconds of the ledger's clock
     * @param heldUpBefore the total pauses of the machine until then
     */
    Fault(FaultKind kind, String workerId, int generation, long since, long heldUpBefore) {
        this.kind = kind;
        this.workerId = workerId;
        this.generation = generation;
        this.since = since;
        this.heldUpBefore = heldUpBefore;
        this.until = Long.MAX_VALUE;
    }

    FaultKind kind() {
        return kind;
    }

    String workerId() {
        return workerId;
    }

    int generation() {
        return generation;
    }

    long since() {
        return since;
    }

    long heldUpBefore() {
        return heldUpBefore;
    }

    /** It was undone. */
    void undone(long now) {
        until = now;
    }

    /** How long it has lasted, or lasted until it was undone. */
    long lasted(long now) {
        return Math.min(until, now) - since;
    }

    @Override
    public String toString() {
        return "'" + kind.title() + "' of " + workerId + ", generation " + generation;
    }
}
