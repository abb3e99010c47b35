package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.BrokenLog;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class SerialExecutorTest {

    private static final WorkerName WORKER = new WorkerName("w", "tiny", 1);

    private final SerialExecutor executor = new SerialExecutor(WorkerRegistry.create());
    private final List<String> order = new ArrayList<>();

    @Test
    void aTaskRunsAtOnceIfNoOtherRuns() {
        executor.execute(WORKER, () -> order.add("first"));
        order.add("after the first");
        executor.execute(WORKER, () -> order.add("second"));

        assertThat(order).containsExactly("first", "after the first", "second");
    }

    @Test
    void aTaskSubmittedByARunningTaskRunsAfterIt() {
        executor.execute(WORKER, () -> {
            executor.execute(WORKER, () -> order.add("inner"));
            order.add("outer");
        });

        assertThat(order).containsExactly("outer", "inner");
    }

    @Test
    void tasksRunInTheOrderOfSubmissionAtAnyDepth() {
        executor.execute(WORKER, () -> {
            executor.execute(WORKER, () -> {
                order.add("1");
                executor.execute(WORKER, () -> order.add("1.1"));
            });
            executor.execute(WORKER, () -> order.add("2"));
        });

        assertThat(order).containsExactly("1", "2", "1.1");
    }

    @Test
    void aTaskThatThrowsAffectsNeitherTheNextNorTheCaller() {
        UnexpectedWarnings.expect("a decision about it failed");

        executor.execute(WORKER, () -> {
            executor.execute(WORKER, () -> order.add("next"));
            throw new AssertionError("broken");
        });
        executor.execute(WORKER, () -> order.add("later"));

        assertThat(order).containsExactly("next", "later");
    }

    /** Regression: the logger's error left the serial executor, and no further task ran. */
    @Test
    void aFailureThatCannotBeLoggedAffectsNeitherTheNextTaskNorTheCaller() {
        try (BrokenLog unused = new BrokenLog(WorkerSupervisor.class)) {
            executor.execute(WORKER, () -> {
                executor.execute(WORKER, () -> order.add("next"));
                throw new OutOfMemoryError("broken");
            });
        }
        executor.execute(WORKER, () -> order.add("later"));

        assertThat(order).containsExactly("next", "later");
    }

    /** Nested calls would overflow the stack. */
    @Test
    void aLongChainOfTasksDoesNotDeepenTheStack() {
        AtomicInteger left = new AtomicInteger(10_000);
        executor.execute(WORKER, new Runnable() {
            @Override
            public void run() {
                if (left.decrementAndGet() > 0) {
                    executor.execute(WORKER, this);
                }
            }
        });

        assertThat(left).hasValue(0);
    }

    @Test
    void tasksOfManyThreadsRunOnceAndOneAtATime() throws Exception {
        int threads = 4;
        int each = 50_000;
        AtomicIntegerArray taken = new AtomicIntegerArray(threads * each);
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger overlaps = new AtomicInteger();
        int[] unguarded = {0}; // only the turn guards it
        CyclicBarrier start = new CyclicBarrier(threads);

        inThreads(threads, thread -> {
            start.await(20, TimeUnit.SECONDS);
            for (int i = thread * each; i < (thread + 1) * each; i++) {
                int decision = i;
                executor.execute(WORKER, () -> {
                    if (inside.incrementAndGet() > 1) {
                        overlaps.incrementAndGet();
                    }
                    taken.incrementAndGet(decision);
                    unguarded[0]++;
                    inside.decrementAndGet();
                });
            }
        });

        assertThat(overlaps).hasValue(0);
        assertThat(unguarded[0]).isEqualTo(threads * each);
        for (int i = 0; i < taken.length(); i++) {
            assertThat(taken.get(i)).isOne();
        }
    }

    @Test
    void tasksOfOneThreadKeepTheirOrder() throws Exception {
        int threads = 4;
        int each = 20_000;
        int[] last = new int[threads];
        List<String> outOfOrder = new ArrayList<>();

        inThreads(threads, thread -> {
            for (int i = 1; i <= each; i++) {
                int mine = i;
                executor.execute(WORKER, () -> {
                    if (last[thread] != mine - 1) {
                        outOfOrder.add(mine + " of thread " + thread + " after " + last[thread]);
                    }
                    last[thread] = mine;
                });
            }
        });

        assertThat(outOfOrder).isEmpty();
        assertThat(last).containsOnly(each);
    }

    private interface Work {
        void of(int thread) throws Exception;
    }

    /** Runs work on threads and waits for all; each may run tasks of others. */
    private static void inThreads(int count, Work work) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(count);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                int thread = i;
                running.add(threads.submit(() -> {
                    work.of(thread);
                    return null;
                }));
            }
            for (Future<?> one : running) {
                one.get(60, TimeUnit.SECONDS);
            }
        } finally {
            threads.shutdownNow();
        }
    }
}
