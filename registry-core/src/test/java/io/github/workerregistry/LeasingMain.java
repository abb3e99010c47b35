package io.github.workerregistry;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;

/**
 * Takes slots until there is no memory for one more, gives all back, and says how many slots are in use: with every
 * method that takes one, and with the heap filled up to every word of what it makes.
 */
final class LeasingMain {

    /** A lease and its {@code Optional} are six words: each of them is to be the one that has no place. */
    private static final int WORDS = 6;

    private static final int ENDLESS = 400_000;
    private static final String ID = "w";

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final Object[] leases = new Object[ENDLESS]; // a list would have to grow
    private final List<Callable<Object>> ways = List.of(
            () -> registry.acquire(SomeWorkers.MODEL, Duration.ZERO),
            () -> registry.tryAcquire(SomeWorkers.MODEL),
            () -> registry.tryAcquireFrom(ID));
    private int held;

    @SuppressWarnings("UnusedVariable") // but for the memory it takes
    private byte[] ballast = {};

    private LeasingMain() {}

    /**
     * Runs in a small heap.
     *
     * @param args none
     * @throws Exception never
     */
    public static void main(String[] args) throws Exception {
        LeasingMain main = new LeasingMain();
        main.registry.register(SomeWorkers.idle(ID, 2 * ENDLESS));
        for (Callable<Object> way : main.ways) { // what the JDK makes at the first use, it makes now
            close(way.call());
        }
        int outOfMemory = 0;
        for (Callable<Object> way : main.ways) {
            for (int words = 0; words < WORDS; words++) {
                main.ballast = new byte[words * Long.BYTES];
                outOfMemory += main.leaseUntilOutOfMemory(way) ? 1 : 0;
                main.giveAllBack();
            }
        }
        System.out.println("out of memory " + outOfMemory + " times, "
                + main.registry.stats().slotsInUse() + " slots in use");
    }

    private boolean leaseUntilOutOfMemory(Callable<Object> way) throws Exception {
        try {
            while (held < ENDLESS) {
                leases[held] = way.call();
                held++;
            }
            return false;
        } catch (OutOfMemoryError e) {
            return true;
        }
    }

    private void giveAllBack() {
        while (held > 0) {
            close(leases[--held]);
            leases[held] = null;
        }
    }

    private static void close(Object lease) {
        ((SlotLease) (lease instanceof Optional<?> found ? found.get() : lease)).close();
    }
}
