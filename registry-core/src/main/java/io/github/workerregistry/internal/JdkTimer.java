package io.github.workerregistry.internal;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The one timer thread that the JDK has for {@link CompletableFuture}, made by it when it is first needed. */
public final class JdkTimer {

    private JdkTimer() {}

    /**
     * Runs a task on the timer thread.
     *
     * @param delay after which time
     * @param task what to run; it must not block
     * @throws OutOfMemoryError if there is no timer thread yet, and no thread can be made; the task may run even so
     */
    public static void schedule(Duration delay, Runnable task) {
        withoutLoader(() -> CompletableFuture.delayedExecutor(delay.toNanos(), TimeUnit.NANOSECONDS, Runnable::run)
                .execute(task));
    }

    /**
     * Completes a future with null on the timer thread. One that completes before is forgotten by the timer.
     *
     * @param future what to complete
     * @param nanos after which time, in nanoseconds
     * @throws OutOfMemoryError if there is no timer thread yet, and no thread can be made
     */
    public static void complete(CompletableFuture<Void> future, long nanos) {
        withoutLoader(() -> future.completeOnTimeout(null, nanos, TimeUnit.NANOSECONDS));
    }

    /** The thread that is made here would keep the loader of an application that is long gone. */
    private static void withoutLoader(Runnable task) {
        Thread caller = Thread.currentThread();
        ClassLoader loader = caller.getContextClassLoader();
        boolean cleared = setLoader(caller, null);
        try {
            task.run();
        } finally {
            if (cleared) {
                setLoader(caller, loader);
            }
        }
    }

    private static boolean setLoader(Thread thread, @Nullable ClassLoader loader) {
        try {
            thread.setContextClassLoader(loader);
            return true;
        } catch (SecurityException fixed) { // a thread of the JDK's own pool
            return false;
        }
    }
}
