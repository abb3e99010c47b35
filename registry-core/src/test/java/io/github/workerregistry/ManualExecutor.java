package io.github.workerregistry;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/** An executor that runs its tasks when the test says so, and can reject some. */
final class ManualExecutor implements Executor {

    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private int rejections;

    /** Rejects the next tasks. */
    void rejectNext(int count) {
        rejections = count;
    }

    /** Number of tasks that it will still reject. */
    int rejectionsLeft() {
        return rejections;
    }

    int pendingTasks() {
        return tasks.size();
    }

    @Override
    public void execute(Runnable task) {
        if (rejections > 0) {
            rejections--;
            throw new RejectedExecutionException("full");
        }
        tasks.add(task);
    }

    void runOne() {
        tasks.remove().run();
    }

    void runAll() {
        while (!tasks.isEmpty()) {
            runOne();
        }
    }
}
