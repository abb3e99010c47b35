package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Durations.shorter;

import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * When a loading worker is probed: after a first wait, and then after a wait that begins at the end of the previous
 * probe, however long that took. The wait doubles with each probe, up to four times the first.
 *
 * <p>Between two probes there is a gap in which no output is an echo of a probe, see {@link LoadProgress}. It begins at
 * the first tick after the echo of the previous probe; the next probe opens at a later tick, at least {@link #GAP}
 * later, whatever the wait and the tick interval are. A load whose probing is paused is not probed, see
 * {@link StallDetector}.
 */
final class ReadinessPace implements ProbePace {

    /** The minimum length of a gap. */
    static final Duration GAP = Duration.ofMillis(100);

    private static final int SLOWEST = 4;

    private final SupervisedWorkers workers;
    private final StallDetector stalls;
    private final Duration slowest;
    private Duration wait;
    private @Nullable Instant gapSince;
    private Optional<LoadProgress> load = Optional.empty();

    /** The end of the last probe, or before the first the start of the load; null while a probe is open. */
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
            return false; // another thread is about to record the end of the probe
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
        closed = now; // written last: from now on the next probe may open
    }
}
