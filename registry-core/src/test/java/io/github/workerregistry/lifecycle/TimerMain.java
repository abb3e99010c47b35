package io.github.workerregistry.lifecycle;

import io.github.workerregistry.internal.JdkTimer;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;

/**
 * Uses the JDK's timer first on a thread of an application, and prints whether the timer's thread holds its class
 * loader.
 */
final class TimerMain {

    private TimerMain() {}

    public static void main(String[] args) throws Exception {
        try (URLClassLoader application = new URLClassLoader(new URL[0])) {
            Thread.currentThread().setContextClassLoader(application);
            CompletableFuture<Boolean> kept = new CompletableFuture<>();
            JdkTimer.schedule(
                    Duration.ofMillis(1),
                    () -> kept.complete(
                            application.equals(Thread.currentThread().getContextClassLoader())));
            System.out.println("the loader is " + (kept.join() ? "kept" : "not kept"));
            System.out.println("the caller has "
                    + (application.equals(Thread.currentThread().getContextClassLoader())
                            ? "its loader"
                            : "another one"));
        }
    }
}
