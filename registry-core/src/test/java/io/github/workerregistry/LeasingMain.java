package io.github.workerregistry;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;

/**
 * Acquires slots until it is out of memory, releases all of them, and prints how many slots are in use: with every
 * method that acquires a slot, and with each word of a lease as the one for which there is no memory.
 */
final class LeasingMain {

    /** Words of a lease and its {@code Optional}. */
    private static final int WORDS = 6;

    private static final int ENDLESS = 400_000;
    private static final String ID = "w";

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final Object[] leases = new Object[ENDLESS]; // a list would grow
    private final List<Callable<Object>> ways = List.of(
            () -> registry.acquire(SomeWorkers.MODEL, Duration.ZERO),
            () -> registry.tryAcquire(SomeWorkers.MODEL),
            () -> registry.tryAcquireFrom(ID));
    private int held;

    @SuppressWarnings("UnusedVariable") // only occupies memory
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
        for (Callable<Object> way : main.ways) { // so that the JDK initialises now what it creates at the first use
            close(way.call());
        }
        int outOfMemory = 0;
        for (Callable<Object> way : main.ways) {
            for (int words = 0; words < WORDS; words++) {
                main.ballast = new byte[words * Long.BYTES];
                outOfMemory += main.leaseUntilOutOfMemory(way) ? 1 : 0;
                main.releaseAll();
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

    private void releaseAll() {
        while (held > 0) {
            close(leases[--held]);
            leases[held] = null;
        }
    }

    private static void close(Object lease) {
        ((SlotLease) (lease instanceof Optional<?> found ? found.get() : lease)).close();
    }
}
