package io.github.workerregistry.examples.faults;

import java.util.Arrays;

/** The outcomes of all faults of one kind. Guarded by its {@link Ledger}. */
final class Tally {

    private int injected;
    private int asExpected;
    private int overtaken;
    private int missed;
    private long[] delays = new long[64];
    private int count;

    void injected() {
        injected++;
    }

    /** The fault could not be injected. */
    void withdrawn() {
        injected--;
    }

    void asExpected(long nanos) {
        asExpected++;
        add(nanos);
    }

    /** The expected effect came too late. */
    void late(long nanos) {
        missed++;
        add(nanos);
    }

    void missed() {
        missed++;
    }

    /** Another fault of the ledger had its effect first. */
    void overtaken() {
        overtaken++;
    }

    private void add(long nanos) {
        if (count == delays.length) {
            delays = Arrays.copyOf(delays, 2 * count);
        }
        delays[count++] = nanos;
    }

    /** A copy of the counts. */
    Counts counts() {
        long[] sorted = Arrays.copyOf(delays, count);
        Arrays.sort(sorted);
        return new Counts(
                injected,
                asExpected,
                overtaken,
                missed,
                count == 0 ? 0 : sorted[count / 2],
                count == 0 ? 0 : sorted[count - 1]);
    }

    /**
     * The counts of one kind.
     *
     * @param injected number of injected faults
     * @param asExpected number of faults with the expected effect in time
     * @param overtaken number of faults for which another known effect came first
     * @param missed number of faults with no effect, a late one or a wrong one
     * @param median the median delay, in ns
     * @param worst the longest delay, in ns
     */
    record Counts(int injected, int asExpected, int overtaken, int missed, long median, long worst) {}
}
