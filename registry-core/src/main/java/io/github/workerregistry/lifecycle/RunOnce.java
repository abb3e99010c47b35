package io.github.workerregistry.lifecycle;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A task for an executor of the hive, which may run it and then throw, run it twice, or reject it and run it later: it
 * runs at most once.
 */
final class RunOnce implements Runnable {

    private final Runnable task;
    private final AtomicBoolean claimed = new AtomicBoolean();

    RunOnce(Runnable task) {
        this.task = task;
    }

    /** Claims the only run; false if it has been claimed. The caller then acts in place of the task. */
    boolean claim() {
        return claimed.compareAndSet(false, true);
    }

    @Override
    public void run() {
        if (claim()) {
            task.run();
        }
    }
}
