package io.github.workerregistry.examples.bench;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The time from the release of a slot to the moment when the thread that waits for it runs. Two threads pass the one
 * slot of one worker to and fro; each gives it back when the other is parked.
 */
final class WakeUp {

    private static final int WARM_UP = 2000;
    private static final String MODEL = "hf:TheBloke/TinyLlama";

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final AtomicInteger handOvers = new AtomicInteger();
    private final long[] times;
    private volatile long freed; // 0 until the slot was given back for the first time

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
                int index = handOvers.get();
                if (freed != 0) {
                    times[index] = now - freed;
                    handOvers.set(++index);
                }
                if (index == times.length) {
                    lease.close();
                    return;
                }
                awaitParked(other);
                freed = System.nanoTime();
                lease.close();
                if (index == times.length - 1) {
                    return; // the other one takes the last sample
                }
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** It waits with a time limit nowhere but in line for the slot. */
    private static void awaitParked(Thread thread) {
        while (thread.getState() != Thread.State.TIMED_WAITING) {
            Thread.onSpinWait();
        }
    }
}
