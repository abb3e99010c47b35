package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The one timer thread that the JDK has for {@link CompletableFuture}, made by it when it is first needed. */
final class JdkTimer {

    private JdkTimer() {}

    /**
     * Runs a task on the timer thread.
     *
     * @throws OutOfMemoryError if there is no timer thread yet, and no thread can be made; the task may run even so
     */
    static void schedule(Duration delay, Runnable task) {
        Thread caller = Thread.currentThread();
        ClassLoader loader = caller.getContextClassLoader();
        boolean cleared = setLoader(caller, null);
        try {
            CompletableFuture.delayedExecutor(delay.toNanos(), TimeUnit.NANOSECONDS, Runnable::run)
                    .execute(task);
        } finally {
            if (cleared) {
                setLoader(caller, loader);
            }
        }
    }

    /** The thread that is made here would keep the loader of an application that is long gone. */
    private static boolean setLoader(Thread thread, @Nullable ClassLoader loader) {
        try {
            thread.setContextClassLoader(loader);
            return true;
        } catch (SecurityException fixed) { // a thread of the JDK's own pool
            return false;
        }
    }
}
