package io.github.workerregistry.examples.faults;

/** One entry of the {@link Ledger}: what happened to which process of which worker, and when. */
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
     * @param workerId whose
     * @param since when it was done, in nanoseconds of the ledger's clock
     * @param heldUpBefore for how long the machine had held up the run until then
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

    /** It was undone: what was stopped runs again. */
    void undone(long now) {
        until = now;
    }

    /** How long it has lasted, or did last until it was undone. */
    long lasted(long now) {
        return Math.min(until, now) - since;
    }

    @Override
    public String toString() {
        return "'" + kind.title() + "' of " + workerId + ", generation " + generation;
    }
}
