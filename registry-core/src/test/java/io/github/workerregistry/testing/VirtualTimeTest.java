package io.github.workerregistry.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class VirtualTimeTest {

    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private final VirtualTime time = new VirtualTime();
    private final List<String> ran = new ArrayList<>();

    @Test
    void timeIsConstantUntilAdvanced() {
        assertThat(time.instant()).isEqualTo(START);
        time.advance(Duration.ofSeconds(3));
        assertThat(time.instant()).isEqualTo(START.plusSeconds(3));
        assertThatThrownBy(() -> time.advance(Duration.ofSeconds(-1))).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void tasksRunInOrderOfDueTimeEachAtItsDueTime() {
        time.schedule(() -> note("late"), 2, TimeUnit.SECONDS);
        time.schedule(() -> note("early"), 1, TimeUnit.SECONDS);
        time.execute(() -> note("now"));
        assertThat(ran).isEmpty();

        time.runDueTasks();
        assertThat(ran).containsExactly("now at 0");
        time.advance(Duration.ofSeconds(10));

        assertThat(ran).containsExactly("now at 0", "early at 1", "late at 2");
    }

    @Test
    void tasksDueAtTheSameTimeRunInSubmissionOrder() {
        for (String name : List.of("a", "b", "c")) {
            time.schedule(() -> note(name), 1, TimeUnit.SECONDS);
        }
        time.advance(Duration.ofSeconds(1));
        assertThat(ran).containsExactly("a at 1", "b at 1", "c at 1");
    }

    @Test
    void taskMayScheduleTasksThatBecomeDueInTheSameAdvance() {
        time.schedule(() -> time.schedule(() -> note("child"), 1, TimeUnit.SECONDS), 1, TimeUnit.SECONDS);
        time.advance(Duration.ofSeconds(5));
        assertThat(ran).containsExactly("child at 2");
    }

    @Test
    void periodicTasksRepeatUntilCancelledOrUntilTheyThrow() {
        ScheduledFuture<?> rate = time.scheduleAtFixedRate(() -> note("rate"), 0, 2, TimeUnit.SECONDS);
        time.scheduleWithFixedDelay(
                () -> {
                    note("throws");
                    throw new IllegalStateException();
                },
                1,
                1,
                TimeUnit.SECONDS);
        time.advance(Duration.ofSeconds(4));
        rate.cancel(false);
        time.advance(Duration.ofSeconds(4));

        assertThat(ran).containsExactly("rate at 0", "throws at 1", "rate at 2", "rate at 4");
        assertThat(time.pendingTasks()).isZero();
    }

    @Test
    void shutdownCancelsPeriodicTasksRunsDelayedOnesAndRejectsNewOnes() {
        time.scheduleAtFixedRate(() -> note("periodic"), 1, 1, TimeUnit.SECONDS);
        time.schedule(() -> note("delayed"), 1, TimeUnit.SECONDS);

        time.shutdown();

        assertThatThrownBy(() -> time.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
        assertThat(time.isTerminated()).isFalse();
        time.advance(Duration.ofSeconds(5));
        assertThat(ran).containsExactly("delayed at 1");
        assertThat(time.isTerminated()).isTrue();
    }

    @Test
    void shutdownNowReturnsPendingTasks() {
        time.schedule(() -> note("never"), 1, TimeUnit.SECONDS);

        assertThat(time.shutdownNow()).hasSize(1);
        time.advance(Duration.ofSeconds(5));

        assertThat(ran).isEmpty();
        assertThat(time.isTerminated()).isTrue();
    }

    /** As with the JDK's executors. Regression: start + delay and due + period overflowed inside advance(). */
    @Test
    void delayOrPeriodBeyondInstantMaxMeansNever() {
        time.schedule(() -> note("never"), Long.MAX_VALUE, TimeUnit.DAYS);
        time.scheduleAtFixedRate(() -> note("once"), 0, Long.MAX_VALUE, TimeUnit.DAYS);
        VirtualTime late = new VirtualTime(Instant.MAX.minusSeconds(1));
        late.schedule(() -> ran.add("never"), 2, TimeUnit.SECONDS);
        late.scheduleWithFixedDelay(() -> ran.add("once at the end"), 0, 2, TimeUnit.SECONDS);

        time.advance(Duration.ofDays(100_000));
        late.runDueTasks();

        assertThat(ran).containsExactly("once at 0", "once at the end");
        assertThat(time.pendingTasks()).isEqualTo(2);
    }

    /** Regression: the default close() of the JDK's interface waits for delayed tasks and never returned. */
    @Test
    void closeRemovesPendingTasks() throws Exception {
        VirtualTime closed = time;
        closed.schedule(() -> note("never"), 1, TimeUnit.SECONDS);

        closed.close();
        closed.close();

        assertThat(closed.isTerminated()).isTrue();
        assertThat(closed.pendingTasks()).isZero();
        assertThatThrownBy(() -> closed.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
    }

    private void note(String what) {
        ran.add(what + " at " + Duration.between(START, time.instant()).toSeconds());
    }
}
