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
class TurnsTest {

    private final Turns turns = new Turns(WorkerRegistry.create());
    private final List<String> order = new ArrayList<>();

    @Test
    void aDecisionIsTakenAtOnceIfNoOtherIs() {
        turns.take(() -> order.add("first"));
        order.add("after the first");
        turns.take(() -> order.add("second"));

        assertThat(order).containsExactly("first", "after the first", "second");
    }

    @Test
    void aDecisionThatComesInTheMiddleOfAnotherIsTakenAfterIt() {
        turns.take(() -> {
            turns.take(() -> order.add("inner"));
            order.add("outer");
        });

        assertThat(order).containsExactly("outer", "inner");
    }

    @Test
    void decisionsAreTakenInTheOrderInWhichTheyCameHoweverDeepTheyCameFrom() {
        turns.take(() -> {
            turns.take(() -> {
                order.add("1");
                turns.take(() -> order.add("1.1"));
            });
            turns.take(() -> order.add("2"));
        });

        assertThat(order).containsExactly("1", "2", "1.1");
    }

    @Test
    void aDecisionThatThrowsStopsNeitherTheNextNorTheCaller() {
        UnexpectedWarnings.expect("a decision about a worker failed");

        turns.take(() -> {
            turns.take(() -> order.add("next"));
            throw new AssertionError("broken");
        });
        turns.take(() -> order.add("later"));

        assertThat(order).containsExactly("next", "later");
    }

    /** The error of the log went out of the turn, and nobody ever had the next one. */
    @Test
    void aDecisionThatFailsAndCannotEvenBeLoggedStopsNeitherTheNextNorTheCaller() {
        try (BrokenLog unused = new BrokenLog(Turns.class)) {
            turns.take(() -> {
                turns.take(() -> order.add("next"));
                throw new OutOfMemoryError("broken");
            });
        }
        turns.take(() -> order.add("later"));

        assertThat(order).containsExactly("next", "later");
    }

    /** Ten thousand that each bring the next one would overflow a stack if a turn were a call. */
    @Test
    void aLongChainOfDecisionsNeedsNoStack() {
        AtomicInteger left = new AtomicInteger(10_000);
        turns.take(new Runnable() {
            @Override
            public void run() {
                if (left.decrementAndGet() > 0) {
                    turns.take(this);
                }
            }
        });

        assertThat(left).hasValue(0);
    }

    @Test
    void ofManyThreadsEveryDecisionIsTakenOnceAndNeverTwoAtATime() throws Exception {
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
                turns.take(() -> {
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
    void theDecisionsOfOneThreadKeepTheirOrderAmongThoseOfOthers() throws Exception {
        int threads = 4;
        int each = 20_000;
        int[] last = new int[threads];
        List<String> outOfOrder = new ArrayList<>();

        inThreads(threads, thread -> {
            for (int i = 1; i <= each; i++) {
                int mine = i;
                turns.take(() -> {
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

    /** All have ended when this returns: whoever runs decisions of others is one of them. */
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
