package io.github.workerregistry;

import java.time.Duration;

/**
 * Asks for a slot where nobody may wait for one, with ever more memory left to say so, and says whether that was too
 * little at times, and how many slots were lost.
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
     * Runs in a small heap, in which threads take no memory in advance.
     *
     * @param args none
     */
    public static void main(String[] args) {
        TurningAwayMain main = new TurningAwayMain();
        main.turnAway(BIGGEST_BYTES); // what the JDK makes at the first use, it makes now
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
            throw new AssertionError("there is none");
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
