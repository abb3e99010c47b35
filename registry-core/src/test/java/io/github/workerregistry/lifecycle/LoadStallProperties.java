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

/** When a load counts as stalled, for any intervals: output during probes, hung probes, ticks longer than gaps. */
@AddLifecycleHook(UnexpectedWarnings.class)
class LoadStallProperties {

    /** The configuration, and the time after which a probe completes. */
    record Probing(LifecycleConfig config, Duration answerAfter) {
        Duration stall() {
            return config.loadStallTimeout();
        }

        /** The longest time that a probe is open: a timeout is detected by a tick. */
        Duration longestProbe() {
            Duration timeout = config.healthTimeout().plus(config.tickInterval());
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
                .as((tick, ready, timeout, stall, answerAfter) -> new Probing(
                        VirtualHive.config()
                                .tickInterval(tick)
                                .readyInterval(ready)
                                .healthTimeout(timeout)
                                .loadStallTimeout(stall)
                                .build(),
                        answerAfter));
    }

    /** Output is read at the next tick, so the longest interval is a tick shorter than the limit. */
    @Property(tries = 100)
    void aWorkerThatWritesWithinTheStallTimeoutIsNeverStopped(
            @ForAll("probings") Probing probing,
            @ForAll @IntRange(min = 2, max = 99) int percent,
            @ForAll @IntRange(min = 0, max = 100) int phase,
            @ForAll boolean logsProbes) {
        UnexpectedWarnings.allow(Warnings.NOT_READY);
        Duration longest = probing.stall().minus(probing.config().tickInterval());
        Duration interval = longest.multipliedBy(percent).dividedBy(100);
        ProbedLoad load = new ProbedLoad(
                probing.config(),
                probing.answerAfter(),
                logsProbes ? Optional.of(probing.longestProbe().dividedBy(2)) : Optional.empty());
        load.writeEvery(interval, interval.multipliedBy(phase).dividedBy(100));

        load.advance(probing.stall().multipliedBy(8));

        assertThat(load.isLoading()).isTrue();
    }

    /** Also a worker that writes twice for each probe, or as it completes, or 99 ms later. */
    @Property(tries = 100)
    void aWorkerThatWritesOnlyDuringProbesIsStopped(
            @ForAll("probings") Probing probing, @ForAll @IntRange(min = 0, max = 99) int afterTheEnd) {
        UnexpectedWarnings.allow(Warnings.NOT_READY, Warnings.NO_PROGRESS);
        Duration logAfter =
                min(probing.answerAfter(), probing.config().healthTimeout()).plusMillis(afterTheEnd);
        ProbedLoad load = new ProbedLoad(probing.config(), probing.answerAfter(), Optional.of(logAfter));
        Duration ticks = LoadLoop.PERIOD.plus(probing.config().tickInterval().multipliedBy(3));
        Duration latest = probing.stall()
                .multipliedBy(2)
                .plus(probing.longestProbe())
                .plus(LoadProgress.ECHO)
                .plus(ticks);

        Optional<Duration> ended = load.endedAfter(latest);

        assertThat(ended).hasValueSatisfying(after -> assertThat(after).isGreaterThanOrEqualTo(probing.stall()));
    }

    @Property(tries = 100)
    void aSilentWorkerIsStoppedInTime(@ForAll("probings") Probing probing) {
        UnexpectedWarnings.allow(Warnings.NOT_READY, Warnings.NO_PROGRESS);
        ProbedLoad load = new ProbedLoad(probing.config(), probing.answerAfter(), Optional.empty());

        Optional<Duration> ended = load.endedAfter(probing.stall()
                .plus(LoadLoop.PERIOD)
                .plus(probing.config().tickInterval().multipliedBy(2)));

        assertThat(ended).hasValueSatisfying(after -> assertThat(after).isGreaterThanOrEqualTo(probing.stall()));
    }

    private static Duration min(Duration a, Duration b) {
        return a.compareTo(b) <= 0 ? a : b;
    }
}
