package io.github.workerregistry;

import java.time.Duration;

/** Takes slots until there is no memory for one more lease, gives all back, and says how many slots are in use. */
final class LeasingMain {

    private static final int ROUNDS = 5;
    private static final int ENDLESS = 400_000;
    private static final Duration TIMEOUT = Duration.ofSeconds(1);

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final SlotLease[] leases = new SlotLease[ENDLESS]; // a list would have to grow
    private int held;

    private LeasingMain() {}

    /**
     * Runs in a small heap.
     *
     * @param args none
     * @throws InterruptedException never
     */
    public static void main(String[] args) throws InterruptedException {
        LeasingMain main = new LeasingMain();
        main.registry.register(SomeWorkers.idle("w", 2 * ENDLESS));
        main.registry.acquire(SomeWorkers.MODEL, TIMEOUT).close(); // what the JDK makes at the first use, it makes now
        int outOfMemory = 0;
        for (int i = 0; i < ROUNDS; i++) {
            outOfMemory += main.leaseUntilOutOfMemory() ? 1 : 0;
            main.giveAllBack();
        }
        System.out.println("out of memory " + outOfMemory + " times, "
                + main.registry.stats().slotsInUse() + " slots in use");
    }

    private boolean leaseUntilOutOfMemory() throws InterruptedException {
        try {
            while (held < ENDLESS) {
                leases[held] = registry.acquire(SomeWorkers.MODEL, TIMEOUT);
                held++;
            }
            return false;
        } catch (OutOfMemoryError e) {
            return true;
        }
    }

    private void giveAllBack() {
        while (held > 0) {
            leases[--held].close();
            leases[held] = null;
        }
    }
}
