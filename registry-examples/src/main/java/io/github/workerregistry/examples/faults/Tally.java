package io.github.workerregistry.examples.faults;

import java.util.Arrays;

/** What came of all faults of one kind. Guarded by its {@link Ledger}. */
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

    /** It could not be done after all. */
    void withdrawn() {
        injected--;
    }

    void asExpected(long nanos) {
        asExpected++;
        add(nanos);
    }

    /** What had to follow came, but too late. */
    void late(long nanos) {
        missed++;
        add(nanos);
    }

    void missed() {
        missed++;
    }

    /** Something else, which the ledger knows too, came first. */
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
     * @param injected how often it was done
     * @param asExpected how often that followed which had to follow, in time
     * @param overtaken how often something else came first, which is accounted for
     * @param missed how often nothing followed, or too late, or the wrong thing
     * @param median half of the delays, in ns, are not longer
     * @param worst the longest delay, in ns
     */
    record Counts(int injected, int asExpected, int overtaken, int missed, long median, long worst) {}
}
