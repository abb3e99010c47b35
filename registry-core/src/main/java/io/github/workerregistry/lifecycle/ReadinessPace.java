package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.Durations.shorter;

import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.time.Instant;

/** When a loading worker is probed: after a first wait, which doubles from probe to probe, to four times as much. */
final class ReadinessPace implements ProbePace {

    private static final int SLOWEST = 4;

    private final Duration slowest;
    private Duration wait;
    private Instant due;

    /**
     * The pace of a load.
     *
     * @param interval the first wait
     * @param since when the load began
     */
    ReadinessPace(Duration interval, Instant since) {
        this.slowest = interval.multipliedBy(SLOWEST);
        this.wait = interval;
        this.due = since;
        next(since);
    }

    private void next(Instant from) {
        due = from.plus(wait);
        wait = shorter(wait.multipliedBy(2), slowest);
    }

    @Override
    public boolean isDue(WorkerInfo worker, Instant now) {
        return !now.isBefore(due);
    }

    @Override
    public void opened(WorkerInfo worker, Instant now) {
        next(now);
    }

    @Override
    public void closed(Instant now) {
        // the wait counts from the start of a probe
    }
}
