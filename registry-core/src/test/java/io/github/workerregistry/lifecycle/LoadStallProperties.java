package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AddLifecycleHook;

/**
 * What makes a load stall and what does not, whatever the intervals are and however they meet: lines that are written
 * whenever a probe is open, probes that hang, ticks that are longer than gaps.
 */
@AddLifecycleHook(UnexpectedWarnings.class)
class LoadStallProperties {

    /** How a load is probed, and how soon a probe of it ends. */
    record Probing(LifecycleConfig config, Duration answerAfter) {
        Duration stall() {
            return config.loadStall();
        }

        /** How long a probe is open at the most: a timeout is seen by a tick. */
        Duration longestProbe() {
            Duration timeout = config.healthTimeout().plus(config.sweep());
            return answerAfter.compareTo(timeout) < 0 ? answerAfter : timeout;
        }
    }

    private static Arbitrary<Duration> millis(long... of) {
        return Arbitraries.of(java.util.stream.LongStream.of(of).boxed().toList())
                .map(Duration::ofMillis);
    }

    @Provide
    Arbitrary<Probing> probings() {
        return Combinators.combine(
                        millis(20, 100, 300, 1_000),
                        millis(50, 250, 1_000, 3_000),
                        millis(500, 2_000, 5_000),
                        millis(3_000, 10_000, 30_000),
                        millis(0, 30, 150, 900, 2_500, 60_000))
                .as((sweep, ready, timeout, stall, answerAfter) -> new Probing(
                        VirtualHive.config()
                                .sweep(sweep)
                                .readyInterval(ready)
                                .healthTimeout(timeout)
                                .loadStall(stall)
                                .build(),
                        answerAfter));
    }

    /** Output is known at the next tick, so the longest interval is a tick shorter than the limit. */
    @Property(tries = 100)
    void workerThatWritesAtLeastOnceInEachLoadStallIsNeverEnded(
            @ForAll("probings") Probing probing,
            @ForAll @IntRange(min = 2, max = 99) int percent,
            @ForAll @IntRange(min = 0, max = 100) int phase,
            @ForAll boolean logsProbes) {
        UnexpectedWarnings.allow("is not ready after PT10S");
        Duration longest = probing.stall().minus(probing.config().sweep());
        Duration interval = longest.multipliedBy(percent).dividedBy(100);
        ProbedLoad load = new ProbedLoad(
                probing.config(),
                probing.answerAfter(),
                logsProbes ? Optional.of(probing.longestProbe().dividedBy(2)) : Optional.empty());
        load.writeEvery(interval, interval.multipliedBy(phase).dividedBy(100));

        load.advance(probing.stall().multipliedBy(8));

        assertThat(load.isLoading()).isTrue();
    }

    /** Also such as write twice for each probe, or as it ends, or 99 ms after. */
    @Property(tries = 100)
    void workerThatWritesOnlyBesideProbesIsEnded(
            @ForAll("probings") Probing probing, @ForAll @IntRange(min = 0, max = 99) int afterTheEnd) {
        UnexpectedWarnings.allow("is not ready after PT10S", "its load made no progress");
        Duration logAfter =
                min(probing.answerAfter(), probing.config().healthTimeout()).plusMillis(afterTheEnd);
        ProbedLoad load = new ProbedLoad(probing.config(), probing.answerAfter(), Optional.of(logAfter));
        Duration ticks = LoadLoop.PERIOD.plus(probing.config().sweep().multipliedBy(3));
        Duration latest = probing.stall()
                .multipliedBy(2)
                .plus(probing.longestProbe())
                .plus(LoadProgress.ECHO)
                .plus(ticks);

        Optional<Duration> ended = load.endedAfter(latest);

        assertThat(ended).hasValueSatisfying(after -> assertThat(after).isGreaterThanOrEqualTo(probing.stall()));
    }

    @Property(tries = 100)
    void workerThatWritesNothingIsEndedInTime(@ForAll("probings") Probing probing) {
        UnexpectedWarnings.allow("is not ready after PT10S", "its load made no progress");
        ProbedLoad load = new ProbedLoad(probing.config(), probing.answerAfter(), Optional.empty());

        Optional<Duration> ended = load.endedAfter(probing.stall()
                .plus(LoadLoop.PERIOD)
                .plus(probing.config().sweep().multipliedBy(2)));

        assertThat(ended).hasValueSatisfying(after -> assertThat(after).isGreaterThanOrEqualTo(probing.stall()));
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }
}
