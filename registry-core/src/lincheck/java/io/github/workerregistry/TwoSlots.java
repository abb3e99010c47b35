package io.github.workerregistry;

/** Two slots, in one worker or two, that threads acquire and release. */
public class TwoSlots {

    private int free = 2;
    private final int[] leased = new int[4];

    public boolean tryAcquire(int thread) {
        boolean acquired = free > 0;
        if (acquired) {
            free--;
            leased[Leases.index(thread)]++;
        }
        return acquired;
    }

    public boolean release(int thread) {
        boolean released = leased[Leases.index(thread)] > 0;
        if (released) {
            free++;
            leased[Leases.index(thread)]--;
        }
        return released;
    }
}
