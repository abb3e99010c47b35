package io.github.workerregistry.pool;

import io.github.workerregistry.internal.LogText;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs changes of the pool's state, and the passes that follow from them, one after another, without a lock: on the
 * executor, or on a calling thread that needs the result at once. Changes that come during a pass share the next one. A
 * failure of one does not prevent the next.
 */
final class SerialPasses {

    private static final Logger log = LoggerFactory.getLogger(WorkerPool.class);

    /** An executor that has not begun a pass for so long may have dropped it: the next signal submits another one. */
    private static final Duration PATIENCE = Duration.ofSeconds(1);

    private final Executor executor;
    private final InstantSource clock;
    private final Consumer<Runnable> around;
    private final Runnable pass;
    private final Queue<Runnable> changes = new ConcurrentLinkedQueue<>();
    private final Queue<Runnable> afterwards = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean passIsDue = new AtomicBoolean();
    private final AtomicReference<@Nullable Instant> submittedAt = new AtomicReference<>();
    private final AtomicInteger requests = new AtomicInteger();
    private volatile @Nullable Thread runner;

    /**
     * Passes of a pool.
     *
     * @param around runs passes on the calling thread, and what must not be part of one afterwards
     */
    SerialPasses(Executor executor, InstantSource clock, Consumer<Runnable> around, Runnable pass) {
        this.executor = executor;
        this.clock = clock;
        this.around = around;
        this.pass = pass;
    }

    /** Applies a change, then runs a pass, on the executor. */
    void submit(Runnable change) {
        changes.add(change);
        signal();
    }

    /** Runs a pass on the executor. Any number of signals before it begins share it. */
    void signal() {
        passIsDue.set(true);
        Instant now = clock.instant();
        Instant before = submittedAt.get();
        if ((before == null || Duration.between(before, now).abs().compareTo(PATIENCE) > 0)
                && submittedAt.compareAndSet(before, now)) {
            try {
                executor.execute(this::runSubmitted);
            } catch (Throwable refused) {
                log.debug("the pool's scheduler refused a pass; it runs on this thread", LogText.of(refused));
                runSubmitted();
            }
        }
    }

    private void runSubmitted() {
        submittedAt.set(null);
        run();
    }

    /**
     * Applies a change, or reads, before this returns; then runs a pass if {@code thenPass}. From within a pass, it
     * applies the change at once.
     */
    <T> T call(Supplier<T> change, boolean thenPass) {
        if (runner == Thread.currentThread()) {
            T result = change.get();
            if (thenPass) {
                signal();
            }
            return result;
        }
        CompletableFuture<T> done = new CompletableFuture<>();
        changes.add(() -> {
            try {
                done.complete(change.get());
            } catch (Throwable t) {
                done.completeExceptionally(t);
            }
        });
        if (thenPass) {
            passIsDue.set(true);
        }
        run();
        return done.join();
    }

    private void run() {
        around.accept(this::runTurns);
        for (Runnable task = afterwards.poll(); task != null; task = afterwards.poll()) {
            guarded(task);
        }
    }

    /** Runs foreign code, such as dependents of a stage, after the present pass. */
    void afterwards(Runnable task) {
        afterwards.add(task);
    }

    private void runTurns() {
        if (requests.getAndIncrement() != 0) {
            return; // the thread that runs does it
        }
        int served;
        do {
            served = requests.get();
            runner = Thread.currentThread();
            try {
                boolean due = passIsDue.getAndSet(false); // first: a pass follows each change that was added before
                applyChanges();
                if (due) {
                    guarded(pass);
                }
            } finally {
                runner = null;
            }
        } while (requests.addAndGet(-served) != 0);
    }

    private void applyChanges() {
        for (Runnable change = changes.poll(); change != null; change = changes.poll()) {
            guarded(change);
        }
    }

    private static void guarded(Runnable step) {
        try {
            step.run();
        } catch (Throwable t) { // foreign code, or no memory
            warn(t);
        }
    }

    private static void warn(Throwable failure) {
        try {
            log.warn("a pass of the pool failed; the next one still runs", LogText.of(failure));
        } catch (Throwable ignored) {
            // no memory for the log, too; no pass would follow
        }
    }
}
