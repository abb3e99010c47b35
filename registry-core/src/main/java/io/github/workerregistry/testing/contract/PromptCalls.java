package io.github.workerregistry.testing.contract;

import static io.github.workerregistry.testing.contract.Expect.interrupted;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Calls foreign code that must return promptly, with a value. A call that hangs is a failure; its thread is abandoned.
 */
final class PromptCalls implements AutoCloseable {

    private final Duration limit;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "contract-check");
        thread.setDaemon(true); // a call that hangs must not prevent the JVM from exiting
        return thread;
    });

    PromptCalls(Duration limit) {
        this.limit = limit;
    }

    /** The value that a call returns; fails if it is null, if the call throws, or if it takes too long. */
    <T> T get(String what, Callable<T> call) {
        return get(what, limit, call);
    }

    /** As {@link #get(String, Callable)}, with another time limit. */
    <T> T get(String what, Duration limit, Callable<T> call) {
        return notNull(what, await(what, limit, threads.submit(call)));
    }

    void run(String what, Runnable call) {
        Future<?> done = threads.submit(call);
        await(what, limit, done);
    }

    /** The exception that a call throws; fails if it returns, or if it takes too long. */
    Throwable failureOf(String what, Callable<?> call) {
        AtomicReference<@Nullable Throwable> thrown = new AtomicReference<>();
        run(what, () -> {
            try {
                call.call();
            } catch (Throwable t) {
                thrown.set(t);
            }
        });
        Throwable failure = thrown.get();
        if (failure == null) {
            throw new AssertionError("expected " + what + " to throw, but it returned");
        }
        return failure;
    }

    /** The results of a call made by many threads concurrently. */
    <T> List<T> concurrently(int callers, String what, Callable<T> call) {
        CountDownLatch go = new CountDownLatch(callers);
        List<Future<T>> results = new ArrayList<>();
        for (int i = 0; i < callers; i++) {
            results.add(threads.submit(() -> {
                go.countDown();
                go.await();
                return call.call();
            }));
        }
        return results.stream()
                .map(result -> notNull(what, await(what, limit, result)))
                .toList();
    }

    private static <T extends @Nullable Object> T await(String what, Duration limit, Future<T> result) {
        try {
            return result.get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            result.cancel(true);
            throw new AssertionError(
                    "expected " + what + " to return immediately, but it did not return within " + limit, e);
        } catch (ExecutionException e) {
            Throwable thrown = e.getCause();
            if (thrown instanceof NotApplicableException notApplicable) {
                throw notApplicable;
            }
            throw new AssertionError("expected " + what + " not to throw, but it threw " + thrown, thrown);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    private static <T> T notNull(String what, @Nullable T value) {
        if (value == null) {
            throw new AssertionError("expected " + what + " to return a value, but it returned null");
        }
        return value;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
