package io.github.workerregistry.testing;

import static io.github.workerregistry.testing.Expect.interrupted;

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

/** Calls to foreign code that have to return at once, with a value. A call that hangs is a failure, and left behind. */
final class PromptCalls implements AutoCloseable {

    private final Duration limit;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "contract-check");
        thread.setDaemon(true); // one that hangs for ever must not hold up the JVM
        return thread;
    });

    PromptCalls(Duration limit) {
        this.limit = limit;
    }

    /** What a call returns; fails if that is null, if it throws, and if it takes too long. */
    <T> T get(String what, Callable<T> call) {
        return get(what, limit, call);
    }

    /** The same, of a call that may take another time. */
    <T> T get(String what, Duration limit, Callable<T> call) {
        return notNull(what, take(what, limit, threads.submit(call)));
    }

    void run(String what, Runnable call) {
        Future<?> done = threads.submit(call);
        take(what, limit, done);
    }

    /** What a call throws; fails if it returns, and if it takes too long. */
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

    /** What the same call returns to many threads that make it at the same moment. */
    <T> List<T> atOnce(int callers, String what, Callable<T> call) {
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
                .map(result -> notNull(what, take(what, limit, result)))
                .toList();
    }

    private static <T extends @Nullable Object> T take(String what, Duration limit, Future<T> result) {
        try {
            return result.get(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            result.cancel(true);
            throw new AssertionError("expected " + what + " to return at once, but it took more than " + limit, e);
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
