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

/** The runner without the hive's scheduler, which is virtual and never runs here. In real time. */
@ExtendWith(UnexpectedWarnings.class)
class LoopRunnerTest {

    private final VirtualTime time = new VirtualTime();
    private final InstantSource clock = InstantSource.system();
    private final AtomicBoolean busy = new AtomicBoolean();
    private final List<Instant> ticks = new CopyOnWriteArrayList<>();

    private LoopRunner started(Duration resolution) {
        LoopSchedule loops = new LoopSchedule(clock, new PauseTracker(resolution, clock.instant()));
        loops.add("loop", resolution, ticks::add);
        LoopRunner runner = new LoopRunner(loops, resolution, busy::get);
        runner.start(time);
        return runner;
    }

    /** Waits for the JDK's timer. It has one thread, so tasks due before this have run. */
    private static void letTheTimerRun(Duration forAsLong) {
        CompletableFuture.runAsync(
                        () -> {},
                        CompletableFuture.delayedExecutor(forAsLong.toMillis(), TimeUnit.MILLISECONDS, Runnable::run))
                .join();
    }

    @Test
    void afterLeavingTheSchedulerTicksContinueUntilClose() {
        LoopRunner runner = started(Duration.ofMillis(1));

        runner.leaveScheduler(Duration.ofMinutes(1));

        assertThat(time.pendingTasks()).isZero();
        await().until(() -> ticks.size() >= 3);
        runner.close();
        int sofar = ticks.size();
        letTheTimerRun(Duration.ofMillis(20));
        assertThat(ticks).hasSizeLessThanOrEqualTo(sofar + 1); // one may have been running
    }

    @Test
    void afterLeavingTheSchedulerTicksEndAtTheLimit() {
        LoopRunner runner = started(Duration.ofMillis(1));

        runner.leaveScheduler(Duration.ZERO);
        letTheTimerRun(Duration.ofMillis(20));

        assertThat(ticks).isEmpty();
    }

    @Test
    void leavingTheSchedulerAfterCloseDoesNothing() {
        LoopRunner runner = started(Duration.ofMillis(1));

        runner.close();
        runner.leaveScheduler(Duration.ofMinutes(1));
        letTheTimerRun(Duration.ofMillis(20));

        assertThat(ticks).isEmpty();
    }

    @Test
    void aSchedulerWithoutATickForASecondCountsAsLost() {
        long start = System.nanoTime();
        LoopRunner runner = started(Duration.ofMillis(10));

        runner.outliveScheduler();
        await().pollInterval(Duration.ofMillis(10)).until(() -> !ticks.isEmpty());

        assertThat(System.nanoTime() - start).as("not before").isGreaterThan(1_000_000_000L);
        await("it stays lost: ten ticks in a row")
                .until(() -> IntStream.range(10, ticks.size())
                        .mapToObj(i -> Duration.between(ticks.get(i - 10), ticks.get(i)))
                        .anyMatch(tenTicks -> tenTicks.compareTo(Duration.ofSeconds(5)) < 0));
        runner.close();
    }

    @Test
    void ticksContinueWithoutABlockedSchedulerWhileBusy() {
        LoopRunner runner = started(Duration.ofMillis(10));

        busy.set(true);
        runner.ensureRunning();
        await().atMost(Duration.ofSeconds(30)).until(() -> ticks.size() > 3);
        busy.set(false);
        letTheTimerRun(Duration.ofMillis(50));
        int soFar = ticks.size();
        letTheTimerRun(Duration.ofMillis(50));

        assertThat(ticks).as("it ends then").hasSize(soFar);
    }

    @Test
    void urgentLoopsRunWhileAnotherLoopBlocks() throws InterruptedException {
        LoopSchedule loops = new LoopSchedule(clock, new PauseTracker(Duration.ofMillis(10), clock.instant()));
        CountDownLatch release = new CountDownLatch(1);
        CountDownLatch blocked = new CountDownLatch(1);
        loops.addUrgent("urgent", Duration.ofMillis(10), ticks::add);
        loops.add("blocking", Duration.ofMillis(10), now -> {
            blocked.countDown();
            awaitUninterrupted(release);
        });
        LoopRunner runner = new LoopRunner(loops, Duration.ofMillis(10), busy::get);
        busy.set(true);
        runner.start(time);
        runner.ensureRunning();
        Thread held = new Thread(() -> {
            while (blocked.getCount() > 0) {
                loops.runDue();
            }
        });
        held.start();
        try {
            blocked.await();
            int soFar = ticks.size();

            await().atMost(Duration.ofSeconds(30)).until(() -> ticks.size() > soFar + 3);
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
