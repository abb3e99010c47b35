package io.github.workerregistry.internal;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * Takes the place of the library's class while schedules run: the timer never fires. Its thread would be one more, in
 * real time, and Lincheck would wait for it.
 */
public final class JdkTimer {

    private JdkTimer() {}

    /** Does nothing. */
    public static void schedule(Duration delay, Runnable task) {}

    /** Does nothing. */
    public static void complete(CompletableFuture<Void> future, long nanos) {}
}
