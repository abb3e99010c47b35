package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Durations.shorter;

import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * When a loading worker is probed: after a first wait, and then so long after the end of a probe, however long that was
 * open. The wait doubles from probe to probe, to four times the first.
 *
 * <p>Between two probes there is a gap in which output is no echo of a probe, see {@link LoadProgress}: it begins at
 * the first tick at which the echo of a probe is over, and the next probe opens at a later tick, {@link #GAP} after it
 * at the earliest, whatever the wait and the time between two ticks are. A load in doubt is not probed, see
 * {@link StallDetector}.
 */
final class ReadinessPace implements ProbePace {

    /** How long a gap is at least. */
    static final Duration GAP = Duration.ofMillis(100);

    private static final int SLOWEST = 4;

    private final SupervisedWorkers workers;
    private final StallDetector stalls;
    private final Duration slowest;
    private Duration wait;
    private @Nullable Instant gapSince;
    private Optional<LoadProgress> load = Optional.empty();

    /** When the last probe ended, or, before the first, when the load began; null while one is open. */
    private volatile @Nullable Instant closed;

    /**
     * The pace of a load.
     *
     * @param interval the first wait
     * @param since when the load began
     */
    ReadinessPace(SupervisedWorkers workers, StallDetector stalls, Duration interval, Instant since) {
        this.workers = workers;
        this.stalls = stalls;
        this.slowest = interval.multipliedBy(SLOWEST);
        this.wait = interval;
        this.closed = since;
        this.gapSince = Instant.MIN;
    }

    @Override
    public boolean isDue(WorkerInfo worker, Instant now) {
        Instant last = closed;
        if (last == null) {
            return false; // another thread is about to close it
        }
        if (gapSince == null && !now.isBefore(last.plus(LoadProgress.ECHO))) {
            gapSince = now;
        }
        return gapSince != null
                && !now.isBefore(gapSince.plus(GAP))
                && !now.isBefore(last.plus(wait))
                && !stalls.isProbingPaused(worker, now);
    }

    @Override
    public void opened(WorkerInfo worker, Instant now) {
        load = workers.generationOf(worker).map(supervised -> supervised.load);
        load.ifPresent(LoadProgress::probeOpened);
        wait = shorter(wait.multipliedBy(2), slowest);
        gapSince = null;
        closed = null;
    }

    @Override
    public void closed(Instant now) {
        load.ifPresent(progress -> progress.probeClosed(now));
        closed = now; // last: from here on, the next one may open
    }
}
