package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Warns of loads that take long, and names what they lack: a health path with a typing error is seen after seconds, and
 * not only when the load times out.
 *
 * <p>Of workers that are probed it warns once for each load. Where no probe is set, it warns once in all, and not at
 * all once a worker has called back: then call-backs are how this hive does it.
 */
final class SlowLoadLoop implements Tick {

    /** The time between two checks of loads. */
    static final Duration PERIOD = Duration.ofSeconds(1);

    /** A load that takes longer is worth a line. */
    static final Duration LONG = Duration.ofSeconds(10);

    private static final Logger log = LoggerFactory.getLogger(SlowLoadLoop.class);

    private final SupervisedRecords records;
    private final LoadDiagnosis diagnosis;
    private final PauseTracker pauses;
    private Map<String, Loading> known = new HashMap<>();
    private boolean warnedOfNoProbe;

    SlowLoadLoop(SupervisedRecords records, LoadDiagnosis diagnosis, PauseTracker pauses) {
        this.records = records;
        this.diagnosis = diagnosis;
        this.pauses = pauses;
    }

    @Override
    public void tick(Instant now) {
        Map<String, Loading> slow = new HashMap<>();
        for (WorkerInfo worker : records.list()) {
            if (worker.state() instanceof Loading loading
                    && pauses.activeTime(loading.since(), now).compareTo(LONG) >= 0) {
                slow.put(worker.id(), loading);
                if (!loading.equals(known.get(worker.id())) && isWorthALine()) {
                    log.warn("worker {} is not ready after {}: {}", worker.id(), LONG, diagnosis.missing(worker));
                }
            }
        }
        known = slow;
    }

    @Override
    public void late(Instant now) {
        tick(now);
    }

    private boolean isWorthALine() {
        if (diagnosis.isProbed()) {
            return true;
        }
        boolean isFirst = diagnosis.isUnlikely() && !warnedOfNoProbe;
        warnedOfNoProbe |= isFirst;
        return isFirst;
    }
}
