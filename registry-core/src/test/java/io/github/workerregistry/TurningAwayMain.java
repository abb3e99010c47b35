package io.github.workerregistry;

import java.time.Duration;

/**
 * Requests a slot with a full wait queue and more memory left each time; prints whether the exception was ever out of
 * memory, and how many slots were lost.
 */
final class TurningAwayMain {

    private static final int ENOUGH_BYTES = 800;
    private static final int STEP_BYTES = 16;
    private static final int BIGGEST_BYTES = 1 << 20;
    private static final int HEADER_BYTES = 16;

    private final byte[][] heap = new byte[1 << 16][];
    private int outOfMemory;
    private int lost;

    private TurningAwayMain() {}

    /**
     * Runs in a small heap without thread-local allocation buffers.
     *
     * @param args none
     */
    public static void main(String[] args) {
        TurningAwayMain main = new TurningAwayMain();
        main.turnAway(BIGGEST_BYTES); // so that the JDK initialises now what it creates at the first use
        for (int left = 0; left < ENOUGH_BYTES; left += STEP_BYTES) {
            main.turnAway(left);
        }
        System.out.println("out of memory: " + (main.outOfMemory > 0) + ", slots lost: " + main.lost);
    }

    private void turnAway(int bytesLeft) {
        WorkerRegistry registry = WorkerRegistry.builder().waitQueueCapacity(0).build();
        registry.register(SomeWorkers.idle("w", 1));
        SlotLease lease = registry.tryAcquire(SomeWorkers.MODEL).orElseThrow();
        fillHeapBut(bytesLeft);
        outOfMemory += isOutOfMemory(registry) ? 1 : 0;
        emptyHeap();
        lease.close();
        lost += (int) registry.stats().slotsInUse();
    }

    private static boolean isOutOfMemory(WorkerRegistry registry) {
        try {
            registry.acquire(SomeWorkers.MODEL, Duration.ZERO);
            throw new AssertionError("no slot is free");
        } catch (OutOfMemoryError e) {
            return true;
        } catch (SlotQueueFullException | InterruptedException e) {
            return false;
        }
    }

    private void fillHeapBut(int bytes) {
        heap[0] = new byte[bytes];
        int filled = 1;
        for (int size = BIGGEST_BYTES; size > HEADER_BYTES; ) {
            try {
                heap[filled] = new byte[size - HEADER_BYTES];
                filled++;
            } catch (OutOfMemoryError e) {
                size /= 2;
            }
        }
        heap[0] = null;
    }

    private void emptyHeap() {
        for (int i = 0; i < heap.length; i++) {
            heap[i] = null;
        }
    }
}
