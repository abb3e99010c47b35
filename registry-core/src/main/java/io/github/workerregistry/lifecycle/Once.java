package io.github.workerregistry.lifecycle;

import java.util.concurrent.atomic.AtomicBoolean;

/**
 * A task for an executor of the host's, who may run it and then throw, run it twice, or refuse it and run it later: it
 * runs once, or not at all.
 */
final class Once implements Runnable {

    private final Runnable task;
    private final AtomicBoolean taken = new AtomicBoolean();

    Once(Runnable task) {
        this.task = task;
    }

    /** Takes the one run; false if it has been taken. Who takes it does what is to be done in place of the task. */
    boolean take() {
        return taken.compareAndSet(false, true);
    }

    @Override
    public void run() {
        if (take()) {
            task.run();
        }
    }
}
