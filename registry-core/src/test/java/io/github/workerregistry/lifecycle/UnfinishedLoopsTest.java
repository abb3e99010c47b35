package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.internal.JdkTimer;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A loop that goes on in tasks of its own, beside loops that run once in a period. */
@ExtendWith(UnexpectedWarnings.class)
class UnfinishedLoopsTest {

    private static final Duration PERIOD = Duration.ofMillis(100);

    private final VirtualTime time = new VirtualTime();
    private volatile Duration paused = Duration.ZERO;
    private boolean broke;
    private final LoopSchedule loops = new LoopSchedule(this::now, new PauseTracker(PERIOD, time.instant()));
    private final List<String> lines = new ArrayList<>();

    private Instant now() {
        return time.instant().plus(paused);
    }

    /** Takes some steps for one pass. */
    private static final class Slices implements Tick {
        private final int steps;
        private final Runnable inEach;
        private int left;

        Slices(int steps, Runnable inEach) {
            this.steps = steps;
            this.inEach = inEach;
        }

        @Override
        public void tick(Instant now) {
            left = left == 0 ? steps - 1 : left - 1;
            inEach.run();
        }

        @Override
        public void late(Instant now) {
            tick(now);
        }

        @Override
        public boolean isUnfinished() {
            return left > 0;
        }
    }

    private final class Recorder implements Tick {
        @Override
        public void tick(Instant now) {
            lines.add("tick");
        }

        @Override
        public void late(Instant now) {
            lines.add("late");
        }
    }

    private void runToTheEnd() {
        while (loops.runDue()) {
            // goes on
        }
    }

    /** Regression: the task that went on swallowed the pause, and the next tick evaluated what was not seen in it. */
    @Test
    void aPauseBetweenTwoStepsMakesTheOtherLoopsLate() {
        loops.add("sliced", PERIOD, new Slices(2, () -> {}));
        loops.add("loop", PERIOD, new Recorder());
        loops.start();
        time.advance(PERIOD);
        loops.runDue();
        assertThat(lines).containsExactly("tick");

        paused = Duration.ofHours(1);
        assertThat(loops.runDue()).isFalse();

        assertThat(lines).containsExactly("tick", "late");
    }

    /** Regression: a tick on another thread of the scheduler found the loops running, again and again. */
    @Test
    void otherLoopsRunInTheirPeriodsMeanwhile() {
        loops.add("loop", PERIOD, new Recorder());
        loops.add("sliced", PERIOD, new Slices(20, () -> {
            time.advance(PERIOD);
            loops.runDue(); // by another thread: has no effect
        }));
        loops.start();
        time.advance(PERIOD);

        runToTheEnd();

        assertThat(lines).hasSize(20).containsOnly("tick");
    }

    /** The scheduler may accept no task of its own for it. Regression: it waited for its own period. */
    @Test
    void aTickGoesOnWithALoopThatIsNotDue() {
        List<Instant> steps = new ArrayList<>();
        loops.add("loop", PERIOD, new Recorder());
        loops.add("sliced", Duration.ofMinutes(1), new Slices(3, () -> steps.add(now())));
        loops.start();
        time.advance(Duration.ofMinutes(1));

        assertThat(loops.runDue()).isTrue();
        assertThat(loops.runDue()).isTrue();
        assertThat(loops.runDue()).isFalse();

        assertThat(steps).hasSize(3);
    }

    /** Regression: the loops went on on the scheduler of a hive that had called closeNow. */
    @Test
    void nothingRunsOnTheSchedulerAfterItWasLeft() {
        LoopRunner runner = new LoopRunner(loops, PERIOD, () -> false);
        List<Thread> threads = new CopyOnWriteArrayList<>();
        loops.add("sliced", PERIOD, new Slices(5, () -> {
            threads.add(Thread.currentThread());
            if (threads.size() == 2) {
                runner.leaveScheduler(Duration.ofMinutes(1));
            }
        }));
        runner.start(time);

        time.advance(PERIOD);

        runner.close();
        assertThat(time.pendingTasks()).isZero();
        assertThat(threads.stream().filter(Thread.currentThread()::equals)).hasSize(2);
    }

    /** Regression: the JDK's timer thread was busy until all had finished. */
    @Test
    void otherTasksOfTheTimerRunInBetween() {
        CompletableFuture<Integer> seen = new CompletableFuture<>();
        AtomicInteger steps = new AtomicInteger();
        loops.add("sliced", PERIOD, new Slices(100, () -> {
            if (steps.getAndIncrement() == 0) {
                JdkTimer.schedule(Duration.ZERO, () -> seen.complete(steps.get()));
            }
        }));
        LoopRunner runner = new LoopRunner(loops, Duration.ofMillis(1), () -> false);
        runner.start(time);
        paused = PERIOD;

        runner.leaveScheduler(Duration.ofMinutes(1));

        assertThat(seen).succeedsWithin(Duration.ofSeconds(20)).isEqualTo(1);
        await().until(() -> steps.get() >= 100);
        runner.close();
    }

    /** The clock is foreign code. A loop that stays unfinished must not keep the thread. */
    @Test
    void nothingGoesOnIfATickFails() {
        UnexpectedWarnings.expect("a tick failed");
        LoopSchedule broken = new LoopSchedule(
                () -> {
                    if (broke) {
                        throw new IllegalStateException("broken");
                    }
                    return now();
                },
                new PauseTracker(PERIOD, time.instant()));
        broken.add("sliced", PERIOD, new Slices(5, () -> {}));
        broken.start();
        time.advance(PERIOD);
        assertThat(broken.runDue()).isTrue();

        broke = true;
        assertThat(broken.runDue()).isFalse();
        broke = false;
        assertThat(broken.runDue()).isTrue();
    }
}
