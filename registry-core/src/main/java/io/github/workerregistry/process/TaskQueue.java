package io.github.workerregistry.process;

import io.github.workerregistry.internal.LogText;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs tasks one after another, in order, on one thread of an executor at a time. A task may be lost if there is no
 * thread for it; the owner does the work itself then. Thread-safe.
 */
final class TaskQueue {

    private static final Logger log = LoggerFactory.getLogger(TaskQueue.class);

    private final Executor executor;
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private boolean running;
    private long progressNanos;

    TaskQueue(Executor executor) {
        this.executor = executor;
    }

    void submit(Runnable task) {
        synchronized (this) {
            tasks.add(task);
            if (running) {
                return;
            }
            running = true;
            progressNanos = System.nanoTime();
        }
        try {
            executor.execute(this::runAll);
        } catch (RuntimeException | OutOfMemoryError e) { // no thread
            log.debug("there is no thread for a task now", LogText.of(e));
            synchronized (this) {
                tasks.clear();
                running = false;
            }
        }
    }

    /** Whether tasks were lost, or none has begun for too long: the threads of the executor are blocked. */
    synchronized boolean isStalled() {
        return !running || System.nanoTime() - progressNanos >= SharedSearch.PATIENCE_NANOS;
    }

    private void runAll() {
        for (Runnable task = next(); task != null; task = next()) {
            guarded(task);
        }
    }

    private static void guarded(Runnable task) {
        try {
            task.run();
        } catch (Throwable t) { // the next task must still run
            try {
                log.debug("a task failed", LogText.of(t));
            } catch (Throwable again) { // no memory
                t.addSuppressed(again);
            }
        }
    }

    private synchronized @Nullable Runnable next() {
        Runnable task = tasks.poll();
        running = task != null;
        progressNanos = System.nanoTime();
        return task;
    }
}
