package io.github.workerregistry;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntFunction;
import java.util.stream.IntStream;

/** Threads that start at the same moment, for stress tests. Fails, with their stacks, if they do not come to an end. */
final class ManyThreads implements AutoCloseable {

    private static final int PATIENCE_SECONDS = 60;

    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "many");
        thread.setDaemon(true);
        return thread;
    });

    /** Something a thread does that may throw. */
    interface Action {
        void run() throws Exception;
    }

    /** Starts a thread. */
    <T> Future<T> start(Callable<T> task) {
        return threads.submit(task);
    }

    /** Runs all tasks, each on a thread of its own and all from the same moment on; their results in order. */
    <T> List<T> together(List<? extends Callable<? extends T>> tasks) throws Exception {
        AtomicInteger missing = new AtomicInteger(tasks.size());
        List<Future<T>> running = new ArrayList<>();
        for (Callable<? extends T> task : tasks) {
            running.add(threads.submit(() -> {
                missing.decrementAndGet();
                spinUntilNone(missing);
                return task.call();
            }));
        }
        List<T> results = new ArrayList<>();
        for (Future<T> each : running) {
            results.add(resultOf(each));
        }
        return results;
    }

    /** One action per thread, made from the thread's number. */
    void together(int count, IntFunction<Action> action) throws Exception {
        List<Callable<Void>> tasks = new ArrayList<>();
        IntStream.range(0, count)
                .forEach(thread -> tasks.add(() -> {
                    action.apply(thread).run();
                    return null;
                }));
        together(tasks);
    }

    /** What a thread came to. */
    static <T> T resultOf(Future<T> task) throws Exception {
        try {
            return task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError("a thread failed", e.getCause());
        } catch (TimeoutException e) {
            throw new AssertionError("a thread has not come to its end\n" + stacks(), e);
        }
    }

    /** Waits until a thread sleeps in a line, or has ended. */
    @SuppressWarnings("ThreadPriorityCheck") // there may be fewer cores than threads
    static void spinUntilParked(Thread thread) {
        while (thread.getState() != Thread.State.TIMED_WAITING && thread.getState() != Thread.State.TERMINATED) {
            Thread.yield();
        }
    }

    @SuppressWarnings("ThreadPriorityCheck")
    private static void spinUntilNone(AtomicInteger missing) {
        while (missing.get() > 0) {
            Thread.yield();
        }
    }

    private static String stacks() {
        StringBuilder all = new StringBuilder();
        Thread.getAllStackTraces().forEach((thread, stack) -> {
            if (thread.getName().equals("many")) {
                all.append(thread).append('\n');
                for (StackTraceElement frame : stack) {
                    all.append("    ").append(frame).append('\n');
                }
            }
        });
        return all.toString();
    }

    /** Ends what is left. */
    @Override
    public void close() {
        threads.shutdownNow();
    }
}
