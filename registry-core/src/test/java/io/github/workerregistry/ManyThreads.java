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

/** Threads that start at the same moment, for stress tests. Fails with their stacks if they do not end. */
final class ManyThreads implements AutoCloseable {

    private static final int PATIENCE_SECONDS = 100; // below the time that JUnit gives a test

    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "many");
        thread.setDaemon(true);
        return thread;
    });

    /** An action of a thread that may throw. */
    interface Action {
        void run() throws Exception;
    }

    /** Starts a thread. */
    <T> Future<T> start(Callable<T> task) {
        return threads.submit(task);
    }

    /** Runs all tasks at once, each on a thread of its own; returns their results in order. */
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

    /** Runs all tasks at once, each on a thread of its own; returns their results in order. */
    @SafeVarargs
    @SuppressWarnings("varargs") // the array is only read
    final <T> List<T> together(Callable<? extends T>... tasks) throws Exception {
        return together(List.of(tasks));
    }

    /** Runs one task per thread, made from the thread's number; returns their results in order. */
    <T> List<T> results(int count, IntFunction<Callable<T>> task) throws Exception {
        return together(IntStream.range(0, count).mapToObj(task).toList());
    }

    /** Runs one action per thread, made from the thread's number. */
    void together(int count, IntFunction<Action> action) throws Exception {
        List<Callable<Void>> tasks = new ArrayList<>();
        IntStream.range(0, count)
                .forEach(thread -> tasks.add(() -> {
                    action.apply(thread).run();
                    return null;
                }));
        together(tasks);
    }

    /** The result of a task; fails if the task failed or does not end. */
    static <T> T resultOf(Future<T> task) throws Exception {
        try {
            return task.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (ExecutionException e) {
            throw new AssertionError("a thread failed", e.getCause());
        } catch (TimeoutException e) {
            throw new AssertionError("a thread has not ended\n" + stacks(), e);
        }
    }

    /** Waits until a thread is parked in a wait queue, or has ended. */
    @SuppressWarnings("ThreadPriorityCheck") // there may be fewer cores than threads
    static void spinUntilParked(Thread thread) {
        while (thread.getState() != Thread.State.TIMED_WAITING && thread.getState() != Thread.State.TERMINATED) {
            Thread.yield();
        }
    }

    /** Spins, so that all threads continue at the same moment; a thread that parks would resume late. */
    @SuppressWarnings("ThreadPriorityCheck") // there may be fewer cores than threads
    private static void spinUntilNone(AtomicInteger missing) {
        while (missing.get() > 0) {
            StressTasks.pause();
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

    /** Interrupts the threads that still run. */
    @Override
    public void close() {
        threads.shutdownNow();
    }
}
