package io.github.workerregistry;

/** Two slots, in whichever workers they are, and threads that take and give them. */
public class TwoSlots {

    private int free = 2;
    private final int[] held = new int[4];

    public boolean take(int thread) {
        boolean taken = free > 0;
        if (taken) {
            free--;
            held[Leases.holder(thread)]++;
        }
        return taken;
    }

    public boolean give(int thread) {
        boolean given = held[Leases.holder(thread)] > 0;
        if (given) {
            free++;
            held[Leases.holder(thread)]--;
        }
        return given;
    }
}
