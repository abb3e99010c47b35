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
class LoopsTest {

    private static final Duration PERIOD = Duration.ofMillis(100);

    private final VirtualTime time = new VirtualTime();

    private Loops loops(InstantSource clock) {
        return new Loops(clock, new Presence(PERIOD, clock.instant()));
    }

    private void start(Loops loops) {
        new LoopRunner(loops, PERIOD, () -> false).start(time);
    }

    @Test
    void everyLoopRunsInItsOwnPeriod() {
        Loops loops = loops(time);
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
    void aLoopThatThrowsIsLoggedAndRunsAgainAndTheOthersRunToo() {
        UnexpectedWarnings.expect("broken loop failed");
        Loops loops = loops(time);
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

    private Loops suspendable() {
        return loops(() -> time.instant().plus(suspended));
    }

    /** Between the two, orphans are ended. */
    @Test
    void theTimeBeforeTheStartIsNoAbsence() {
        Loops loops = suspendable();
        Notes notes = new Notes();
        loops.add("loop", PERIOD, notes);
        suspended = Duration.ofMinutes(2);
        start(loops);

        time.advance(Duration.ofMillis(100));

        assertThat(notes.lines).containsExactly("tick");
    }

    @Test
    void aSuspensionInALoopMakesTheLoopsAfterItLateAndOnlyInThatRound() {
        Loops loops = suspendable();
        Notes notes = new Notes();
        loops.add("suspending", PERIOD, now -> suspended = Duration.ofMinutes(2)); // once
        loops.add("next", PERIOD, now -> {});
        loops.add("last", PERIOD, notes);
        start(loops);

        time.advance(Duration.ofMillis(200));

        assertThat(notes.lines).containsExactly("late", "tick");
    }

    @Test
    void aRoundMayTakeLongAndTheTimeBetweenTwoMayNot() {
        Notes notes = new Notes();
        Loops loops = suspendable();
        loops.add("slow", PERIOD, now -> suspended = suspended.plusMillis(600));
        loops.add("slow, too", PERIOD, now -> suspended = suspended.plusMillis(600));
        loops.add("loop", PERIOD, notes);
        start(loops);

        time.advance(Duration.ofMillis(200));
        assertThat(notes.lines).containsExactly("tick", "tick");
        suspended = suspended.plusMillis(600);
        time.advance(Duration.ofMillis(100));

        assertThat(notes.lines).containsExactly("tick", "tick", "late");
    }

    /** The error of the log went out of the periodic task, which the scheduler then never ran again. */
    @Test
    void aRoundThatFailsAndCannotEvenBeLoggedIsNotTheLast() {
        AtomicBoolean broken = new AtomicBoolean();
        Loops loops = loops(clock(broken));
        List<Instant> rounds = new ArrayList<>();
        loops.add("sound", PERIOD, rounds::add);
        start(loops);

        broken.set(true);
        try (BrokenLog unused = new BrokenLog(Loops.class)) {
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
        Loops loops = loops(clock(broken));
        List<Instant> rounds = new ArrayList<>();
        loops.add("sound", PERIOD, rounds::add);
        start(loops);

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
