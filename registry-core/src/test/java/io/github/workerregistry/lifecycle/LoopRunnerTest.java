package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The runner without the hive's scheduler, in real time. That one is virtual, and never runs. */
@ExtendWith(UnexpectedWarnings.class)
class LoopRunnerTest {

    private final VirtualTime time = new VirtualTime();
    private final InstantSource clock = InstantSource.system();
    private final AtomicBoolean busy = new AtomicBoolean();
    private final List<Instant> rounds = new CopyOnWriteArrayList<>();

    private LoopRunner started(Duration resolution) {
        Loops loops = new Loops(clock, new Presence(resolution, clock.instant()));
        loops.add("loop", resolution, rounds::add);
        LoopRunner runner = new LoopRunner(loops, resolution, busy::get);
        runner.start(time);
        return runner;
    }

    /** The JDK's timer is one thread: what was to be run before this has been run. */
    private static void letTheTimerRun(Duration forAsLong) {
        CompletableFuture.runAsync(
                        () -> {},
                        CompletableFuture.delayedExecutor(forAsLong.toMillis(), TimeUnit.MILLISECONDS, Runnable::run))
                .join();
    }

    @Test
    void whoLeavesTheSchedulerGoesOnWithoutItUntilItIsClosed() {
        LoopRunner runner = started(Duration.ofMillis(1));

        runner.leaveScheduler(Duration.ofMinutes(1));

        assertThat(time.pendingTasks()).isZero();
        await().until(() -> rounds.size() >= 3);
        runner.close();
        int sofar = rounds.size();
        letTheTimerRun(Duration.ofMillis(20));
        assertThat(rounds).hasSizeLessThanOrEqualTo(sofar + 1); // one may have been running
    }

    @Test
    void whoLeavesTheSchedulerGoesOnForNoLongerThanItMay() {
        LoopRunner runner = started(Duration.ofMillis(1));

        runner.leaveScheduler(Duration.ZERO);
        letTheTimerRun(Duration.ofMillis(20));

        assertThat(rounds).isEmpty();
    }

    @Test
    void whoHasBeenClosedLeavesNoMore() {
        LoopRunner runner = started(Duration.ofMillis(1));

        runner.close();
        runner.leaveScheduler(Duration.ofMinutes(1));
        letTheTimerRun(Duration.ofMillis(20));

        assertThat(rounds).isEmpty();
    }

    @Test
    void aSchedulerThatDoesNothingForASecondCountsAsLost() {
        long start = System.nanoTime();
        LoopRunner runner = started(Duration.ofMillis(10));

        runner.outliveScheduler();
        await().pollInterval(Duration.ofMillis(10)).until(() -> !rounds.isEmpty());

        assertThat(System.nanoTime() - start).as("not before").isGreaterThan(1_000_000_000L);
        await("it stays lost: ten rounds in a row, and not one a second")
                .until(() -> IntStream.range(10, rounds.size())
                        .mapToObj(i -> Duration.between(rounds.get(i - 10), rounds.get(i)))
                        .anyMatch(tenRounds -> tenRounds.compareTo(Duration.ofSeconds(5)) < 0));
        runner.close();
    }

    @Test
    void somethingThatHasToComeToItsEndGoesOnWithoutASchedulerThatIsHeldUp() {
        LoopRunner runner = started(Duration.ofMillis(10));

        busy.set(true);
        runner.ensureGoingOn();
        await().atMost(Duration.ofSeconds(30)).until(() -> rounds.size() > 3);
        busy.set(false);
        letTheTimerRun(Duration.ofMillis(50));
        int soFar = rounds.size();
        letTheTimerRun(Duration.ofMillis(50));

        assertThat(rounds).as("it goes on for no longer than that").hasSize(soFar);
    }

    @Test
    void whatEndsWorkersRunsAlsoWhileAnotherLoopBlocks() throws InterruptedException {
        Loops loops = new Loops(clock, new Presence(Duration.ofMillis(10), clock.instant()));
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch blocked = new CountDownLatch(1);
        loops.addUrgent("urgent", Duration.ofMillis(10), rounds::add);
        loops.add("blocking", Duration.ofMillis(10), now -> {
            blocked.countDown();
            awaitUninterrupted(release);
        });
        LoopRunner runner = new LoopRunner(loops, Duration.ofMillis(10), busy::get);
        busy.set(true);
        runner.start(time);
        runner.ensureGoingOn();
        Thread held = new Thread(() -> {
            while (blocked.getCount() > 0) {
                loops.runDue();
            }
        });
        held.start();
        try {
            blocked.await();
            int soFar = rounds.size();

            await().atMost(Duration.ofSeconds(30)).until(() -> rounds.size() > soFar + 3);
        } finally {
            busy.set(false);
            release.countDown();
            held.join();
        }
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
