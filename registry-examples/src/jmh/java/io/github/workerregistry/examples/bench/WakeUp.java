package io.github.workerregistry.examples.bench;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The time from the release of a slot until its waiter runs. Two threads alternate with the only slot of one worker;
 * each releases it when the other is parked.
 */
final class WakeUp {

    private static final int WARM_UP = 2000;
    private static final String MODEL = "hf:TheBloke/TinyLlama";

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final AtomicInteger handovers = new AtomicInteger();
    private final long[] times;
    private volatile long freed; // 0 until the first release of the slot

    WakeUp(int samples) {
        times = new long[WARM_UP + samples];
        registry.register(WorkerInfo.builder()
                .id("only")
                .url("http://127.0.0.1:8100")
                .modelRef(MODEL)
                .state(new Idle())
                .build());
    }

    void measure(Figures figures) throws InterruptedException {
        Thread[] pair = new Thread[2];
        pair[0] = new Thread(() -> passOn(pair[1]), "wake-up 0");
        pair[1] = new Thread(() -> passOn(pair[0]), "wake-up 1");
        for (Thread thread : pair) {
            thread.start();
        }
        for (Thread thread : pair) {
            thread.join();
        }
        long[] measured = new long[times.length - WARM_UP];
        System.arraycopy(times, WARM_UP, measured, 0, measured.length);
        figures.putSpread("slot freed to waiter running", "us", 1e3, measured);
    }

    private void passOn(Thread other) {
        try {
            while (true) {
                SlotLease lease = registry.acquire(MODEL, Duration.ofMinutes(1));
                long now = System.nanoTime();
                int index = handovers.get();
                if (freed != 0) {
                    times[index] = now - freed;
                    handovers.set(++index);
                }
                if (index == times.length) {
                    lease.close();
                    return;
                }
                awaitParked(other);
                freed = System.nanoTime();
                lease.close();
                if (index == times.length - 1) {
                    return; // the other thread takes the last sample
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** The thread waits with a time limit only in the wait queue. */
    private static void awaitParked(Thread thread) {
        while (thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
    }
}
