package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.BrokenLog;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class LoopScheduleTest {

    private static final Duration PERIOD = Duration.ofMillis(100);

    private final VirtualTime time = new VirtualTime();

    private LoopSchedule loops(InstantSource clock) {
        return new LoopSchedule(clock, new PauseTracker(PERIOD, clock.instant()));
    }

    private void start(LoopSchedule loops) {
        new LoopRunner(loops, PERIOD, () -> false).start(time);
    }

    @Test
    void everyLoopRunsAtItsOwnPeriod() {
        LoopSchedule loops = loops(time);
        List<Instant> often = new ArrayList<>();
        List<Instant> seldom = new ArrayList<>();
        loops.add("often", PERIOD, often::add);
        loops.add("seldom", Duration.ofSeconds(1), seldom::add);
        start(loops);

        time.advance(Duration.ofSeconds(3));

        assertThat(often).hasSize(30);
        assertThat(seldom).hasSize(3);
    }

    @Test
    void aLoopThatThrowsIsLoggedAndEveryLoopRunsAgain() {
        UnexpectedWarnings.expect("broken loop failed");
        LoopSchedule loops = loops(time);
        List<Instant> broken = new ArrayList<>();
        List<Instant> sound = new ArrayList<>();
        loops.add("broken", PERIOD, now -> {
            broken.add(now);
            throw new AssertionError("broken");
        });
        loops.add("sound", PERIOD, sound::add);
        start(loops);

        time.advance(Duration.ofSeconds(1));

        assertThat(broken).hasSize(10);
        assertThat(sound).hasSize(10);
    }

    // --- the clock continues and nothing runs

    private Duration paused = Duration.ZERO;

    /** Records how it was called. */
    private static final class Recorder implements Tick {
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

    private LoopSchedule pausable() {
        return loops(() -> time.instant().plus(paused));
    }

    /** Orphans are reaped between construction and start. */
    @Test
    void theTimeBeforeTheStartIsNoPause() {
        LoopSchedule loops = pausable();
        Recorder recorder = new Recorder();
        loops.add("loop", PERIOD, recorder);
        paused = Duration.ofMinutes(2);
        start(loops);

        time.advance(Duration.ofMillis(100));

        assertThat(recorder.lines).containsExactly("tick");
    }

    @Test
    void aPauseInALoopMakesLaterLoopsOfThatTickLate() {
        LoopSchedule loops = pausable();
        Recorder recorder = new Recorder();
        loops.add("pausing", PERIOD, now -> paused = Duration.ofMinutes(2)); // once
        loops.add("next", PERIOD, now -> {});
        loops.add("last", PERIOD, recorder);
        start(loops);

        time.advance(Duration.ofMillis(200));

        assertThat(recorder.lines).containsExactly("late", "tick");
    }

    @Test
    void aLongTickIsNoPauseButALongIntervalIs() {
        Recorder recorder = new Recorder();
        LoopSchedule loops = pausable();
        loops.add("slow", PERIOD, now -> paused = paused.plusMillis(600));
        loops.add("slow, too", PERIOD, now -> paused = paused.plusMillis(600));
        loops.add("loop", PERIOD, recorder);
        start(loops);

        time.advance(Duration.ofMillis(200));
        assertThat(recorder.lines).containsExactly("tick", "tick");
        paused = paused.plusMillis(600);
        time.advance(Duration.ofMillis(100));

        assertThat(recorder.lines).containsExactly("tick", "tick", "late");
    }

    /** Regression: the logger's error left the periodic task, which the scheduler then cancelled. */
    @Test
    void ticksContinueAfterAFailureThatCannotBeLogged() {
        AtomicBoolean broken = new AtomicBoolean();
        LoopSchedule loops = loops(clock(broken));
        List<Instant> ticks = new ArrayList<>();
        loops.add("sound", PERIOD, ticks::add);
        start(loops);

        broken.set(true);
        try (BrokenLog unused = new BrokenLog(WorkerSupervisor.class)) {
            time.advance(Duration.ofMillis(100));
        }
        time.advance(Duration.ofMillis(900));

        assertThat(ticks).hasSize(9);
    }

    /** Regression: the exception left the periodic task, which the scheduler then cancelled. */
    @Test
    void aClockThatThrowsOnceSkipsOneTick() {
        UnexpectedWarnings.expect("a tick failed");
        AtomicBoolean broken = new AtomicBoolean();
        LoopSchedule loops = loops(clock(broken));
        List<Instant> ticks = new ArrayList<>();
        loops.add("sound", PERIOD, ticks::add);
        start(loops);

        broken.set(true);
        time.advance(Duration.ofSeconds(1));

        assertThat(ticks).hasSize(9);
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
