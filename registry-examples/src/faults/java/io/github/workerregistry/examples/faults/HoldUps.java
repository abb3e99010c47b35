package io.github.workerregistry.examples.faults;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

/**
 * Measures pauses of this JVM by a thread that sleeps for short intervals and measures its delay. Pauses are added to
 * every bound.
 */
final class HoldUps implements AutoCloseable {

    private static final long NAP = TimeUnit.MILLISECONDS.toNanos(5);

    private final AtomicLong total = new AtomicLong();
    private final Thread thread = new Thread(this::watch, "hold-ups");
    private volatile boolean stopped;

    HoldUps() {
        thread.setDaemon(true);
        thread.start();
    }

    private void watch() {
        while (!stopped) {
            long begin = System.nanoTime();
            LockSupport.parkNanos(NAP);
            long late = System.nanoTime() - begin - NAP;
            if (late > NAP) {
                total.addAndGet(late);
            }
        }
    }

    /** The total of all pauses so far, in nanoseconds. */
    long total() {
        return total.get();
    }

    @Override
    public void close() {
        stopped = true;
    }
}
