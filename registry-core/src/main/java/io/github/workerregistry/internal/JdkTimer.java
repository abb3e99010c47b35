package io.github.workerregistry.internal;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The shared timer thread of {@link CompletableFuture}, which the JDK creates on first use. */
public final class JdkTimer {

    private JdkTimer() {}

    /**
     * Runs a task on the timer thread.
     *
     * @param delay the delay
     * @param task what to run; it must not block, unless the JVM is ending
     * @throws OutOfMemoryError if there is no timer thread yet, and none can be created; the task may run nevertheless
     */
    public static void schedule(Duration delay, Runnable task) {
        withoutLoader(() -> CompletableFuture.delayedExecutor(delay.toNanos(), TimeUnit.NANOSECONDS, Runnable::run)
                .execute(task));
    }

    /**
     * Completes a future with null on the timer thread. If the future completes earlier, the timer entry is removed.
     *
     * @param future the future
     * @param nanos the delay, in nanoseconds
     * @throws OutOfMemoryError if there is no timer thread yet, and none can be created
     */
    public static void complete(CompletableFuture<Void> future, long nanos) {
        withoutLoader(() -> future.completeOnTimeout(null, nanos, TimeUnit.NANOSECONDS));
    }

    /** Prevents the timer thread from inheriting, and so leaking, the context class loader of the caller. */
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
