package io.github.workerregistry.examples.faults;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import org.jspecify.annotations.Nullable;

/** The JDK's common pool, which a hive may fill with blocking tasks. The JDK reports exits of processes there. */
final class CommonPool {

    private static final int TASKS = 64;

    private @Nullable CountDownLatch release;

    synchronized boolean isFull() {
        return release != null;
    }

    /** Fills it; false if it is full already. */
    synchronized boolean fill() {
        if (isFull()) {
            return false;
        }
        CountDownLatch latch = new CountDownLatch(1);
        release = latch;
        for (int i = 0; i < TASKS; i++) {
            ForkJoinPool.commonPool().execute(() -> await(latch));
        }
        return true;
    }

    synchronized void clear() {
        if (release != null) {
            release.countDown();
            release = null;
        }
    }

    private static void await(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
