package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class DeadlinesTest {

    private final VirtualTime time = new VirtualTime();
    private final List<Waiter> expired = new ArrayList<>();
    private final Deadlines deadlines = new Deadlines(time, time, this::expire);

    private void expire(Waiter waiter) {
        if (waiter.end(Waiter.State.TIMED_OUT)) {
            expired.add(waiter);
        }
    }

    private Waiter waiter() {
        Waiter waiter = new BlockingWaiter(SlotRequest.forModel("m"), true);
        waiter.joins(SomeModels.model("m", 8), deadlines.now());
        return waiter;
    }

    private Waiter waiter(Duration timeout) {
        Waiter waiter = waiter();
        deadlines.add(waiter, timeout.toNanos());
        return waiter;
    }

    private void cancel(Waiter waiter) {
        waiter.end(Waiter.State.CANCELLED);
        deadlines.remove(waiter);
    }

    @Test
    void deadlinesExpireInTheirOrderWithOneTask() {
        Waiter late = waiter(Duration.ofSeconds(3));
        Waiter early = waiter(Duration.ofSeconds(1));
        Waiter between = waiter(Duration.ofSeconds(2));
        assertThat(time.pendingTasks()).isEqualTo(1);

        time.advance(Duration.ofSeconds(10));

        assertThat(expired).containsExactly(early, between, late);
        assertThat(time.pendingTasks()).isZero();
        assertThat(deadlines.size()).isZero();
    }

    @Test
    void endedWaiterIsRemovedAndKeepsNoTaskAlive() {
        cancel(waiter(Duration.ofSeconds(1)));
        assertThat(deadlines.size()).isZero();
        assertThat(time.pendingTasks()).as("the one task, not cancelled").isEqualTo(1);

        time.advance(Duration.ofSeconds(1));

        assertThat(expired).isEmpty();
        assertThat(time.pendingTasks()).isZero();
    }

    @Test
    void waiterThatHasEndedIsNotAdded() {
        Waiter ended = waiter();
        ended.end(Waiter.State.CANCELLED);

        deadlines.add(ended, 1);

        assertThat(deadlines.size()).isZero();
    }

    @Test
    void randomHistoriesExpireOnTime() {
        Random random = new Random(16);
        Map<Waiter, Long> open = new HashMap<>();
        for (int step = 0; step < 20_000; step++) {
            int choice = random.nextInt(10);
            if (choice < 5) {
                int millis = random.nextInt(1_000);
                open.put(waiter(Duration.ofMillis(millis)), deadlines.now() + TimeUnit.MILLISECONDS.toNanos(millis));
            } else if (choice < 8 && !open.isEmpty()) {
                Waiter any = open.keySet().stream()
                        .skip(random.nextInt(open.size()))
                        .findFirst()
                        .orElseThrow();
                open.remove(any);
                cancel(any);
            } else {
                time.advance(Duration.ofMillis(random.nextInt(100)));
                open.values().removeIf(due -> due <= deadlines.now());
            }
            assertThat(deadlines.size()).isEqualTo(open.size());
            assertThat(time.pendingTasks()).isLessThanOrEqualTo(1);
        }
        assertThat(expired).isNotEmpty();
    }

    @Test
    void deadlinesAreKeptIfTheTimerRefuses() throws Exception {
        UnexpectedWarnings.expect("the timer refused a task");
        time.shutdown();
        WorkerRegistry registry =
                WorkerRegistry.builder().clock(time).timer(time).build();
        registry.register(SomeWorkers.loading("w"));

        var lease = registry.acquireAsync(SlotRequest.forModel(SomeWorkers.MODEL), Duration.ofMillis(20), Runnable::run)
                .lease()
                .toCompletableFuture();

        assertThat(lease)
                .failsWithin(Duration.ofSeconds(30))
                .withThrowableThat()
                .withCauseInstanceOf(SlotTimeoutException.class);
    }
}
