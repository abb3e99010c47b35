package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.BrokenLog;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class LoopRunnerTest {

    private final VirtualTime time = new VirtualTime();
    private final LoopRunner runner =
            new LoopRunner(time, Duration.ofMillis(100), new Presence(Duration.ofMillis(100), time.instant()));

    @Test
    void everyLoopRunsInItsOwnPeriod() {
        List<Instant> often = new ArrayList<>();
        List<Instant> seldom = new ArrayList<>();
        runner.add("often", Duration.ofMillis(100), often::add);
        runner.add("seldom", Duration.ofSeconds(1), seldom::add);
        runner.start(time);

        time.advance(Duration.ofSeconds(3));

        assertThat(often).hasSize(30);
        assertThat(seldom).hasSize(3);
    }

    @Test
    void aLoopThatThrowsIsLoggedAndRunsAgainAndTheOthersRunToo() {
        UnexpectedWarnings.expect("broken loop failed");
        List<Instant> broken = new ArrayList<>();
        List<Instant> sound = new ArrayList<>();
        runner.add("broken", Duration.ofMillis(100), now -> {
            broken.add(now);
            throw new AssertionError("broken");
        });
        runner.add("sound", Duration.ofMillis(100), sound::add);
        runner.start(time);

        time.advance(Duration.ofSeconds(1));

        assertThat(broken).hasSize(10);
        assertThat(sound).hasSize(10);
    }

    // --- the clock goes on and nothing runs

    private Duration suspended = Duration.ZERO;

    /** Notes how it was run. */
    private static final class Notes implements Tick {
        final List<String> lines = new ArrayList<>();

        @Override
        public void tick(Instant now) {
            lines.add("tick");
        }

        @Override
        public void late(Instant now) {
            lines.add("late");
        }
    }

    private LoopRunner suspendable() {
        InstantSource clock = () -> time.instant().plus(suspended);
        return new LoopRunner(clock, Duration.ofMillis(100), new Presence(Duration.ofMillis(100), clock.instant()));
    }

    /** Between the two, orphans are ended. */
    @Test
    void theTimeBeforeTheStartIsNoAbsence() {
        LoopRunner runner = suspendable();
        Notes notes = new Notes();
        runner.add("loop", Duration.ofMillis(100), notes);
        suspended = Duration.ofMinutes(2);
        runner.start(time);

        time.advance(Duration.ofMillis(100));

        assertThat(notes.lines).containsExactly("tick");
    }

    @Test
    void aSuspensionInALoopMakesTheLoopsAfterItLateAndOnlyInThatRound() {
        LoopRunner runner = suspendable();
        Notes notes = new Notes();
        runner.add("suspending", Duration.ofMillis(100), now -> suspended = Duration.ofMinutes(2)); // once
        runner.add("next", Duration.ofMillis(100), now -> {});
        runner.add("last", Duration.ofMillis(100), notes);
        runner.start(time);

        time.advance(Duration.ofMillis(200));

        assertThat(notes.lines).containsExactly("late", "tick");
    }

    @Test
    void aRoundMayTakeLongAndTheTimeBetweenTwoMayNot() {
        Notes notes = new Notes();
        LoopRunner runner = suspendable();
        runner.add("slow", Duration.ofMillis(100), now -> suspended = suspended.plusMillis(600));
        runner.add("slow, too", Duration.ofMillis(100), now -> suspended = suspended.plusMillis(600));
        runner.add("loop", Duration.ofMillis(100), notes);
        runner.start(time);

        time.advance(Duration.ofMillis(200));
        assertThat(notes.lines).containsExactly("tick", "tick");
        suspended = suspended.plusMillis(600);
        time.advance(Duration.ofMillis(100));

        assertThat(notes.lines).containsExactly("tick", "tick", "late");
    }

    // --- without the host's scheduler, in real time

    private final List<Instant> rounds = new CopyOnWriteArrayList<>();

    private LoopRunner started(Duration resolution) {
        InstantSource clock = InstantSource.system();
        LoopRunner runner = new LoopRunner(clock, resolution, new Presence(resolution, clock.instant()));
        runner.add("loop", resolution, rounds::add);
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
        await().atMost(Duration.ofSeconds(30)).until(() -> rounds.size() > 10);
        runner.close();
        assertThat(Duration.between(rounds.get(0), rounds.get(10)))
                .as("and stays lost: ten rounds, and not one a second")
                .isLessThan(Duration.ofSeconds(5));
    }

    /** The error of the log went out of the periodic task, which the scheduler then never ran again. */
    @Test
    void aRoundThatFailsAndCannotEvenBeLoggedIsNotTheLast() {
        AtomicBoolean broken = new AtomicBoolean();
        LoopRunner runner = new LoopRunner(
                clock(broken), Duration.ofMillis(100), new Presence(Duration.ofMillis(100), time.instant()));
        List<Instant> rounds = new ArrayList<>();
        runner.add("sound", Duration.ofMillis(100), rounds::add);
        runner.start(time);

        broken.set(true);
        try (BrokenLog unused = new BrokenLog(LoopRunner.class)) {
            time.advance(Duration.ofMillis(100));
        }
        time.advance(Duration.ofMillis(900));

        assertThat(rounds).hasSize(9);
    }

    /** The exception went out of the periodic task, which the scheduler then never ran again. */
    @Test
    void aClockThatThrowsOnceCostsOneRound() {
        UnexpectedWarnings.expect("a round failed");
        AtomicBoolean broken = new AtomicBoolean();
        LoopRunner runner = new LoopRunner(
                clock(broken), Duration.ofMillis(100), new Presence(Duration.ofMillis(100), time.instant()));
        List<Instant> rounds = new ArrayList<>();
        runner.add("sound", Duration.ofMillis(100), rounds::add);
        runner.start(time);

        broken.set(true);
        time.advance(Duration.ofSeconds(1));

        assertThat(rounds).hasSize(9);
    }

    private InstantSource clock(AtomicBoolean broken) {
        return () -> {
            if (broken.getAndSet(false)) {
                throw new IllegalStateException("broken");
            }
            return time.instant();
        };
    }
}
