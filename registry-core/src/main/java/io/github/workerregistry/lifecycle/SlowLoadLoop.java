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
 * Logs loads that take long at WARN, with what they still lack: a typing error in a health path shows after seconds,
 * not only when the load times out.
 *
 * <p>With a probe, each load is logged once. Without a probe, one load in all is logged, and none after a worker has
 * called back: then this hive uses call-backs.
 */
final class SlowLoadLoop implements Tick {

    /** The time between two checks of loads. */
    static final Duration PERIOD = Duration.ofSeconds(1);

    /** A load that takes longer is logged. */
    static final Duration LONG = Duration.ofSeconds(10);

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

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
                if (!loading.equals(known.get(worker.id())) && shouldWarn(worker)) {
                    log.warn(
                            "worker {} is not ready after {}: {}",
                            WorkerName.of(worker),
                            LONG,
                            diagnosis.missing(worker));
                }
            }
        }
        known = slow;
    }

    @Override
    public void late(Instant now) {
        tick(now);
    }

    private boolean shouldWarn(WorkerInfo worker) {
        if (diagnosis.isProbed(worker)) {
            return true;
        }
        boolean isFirst = diagnosis.isUnlikelyWithoutProbe() && !warnedOfNoProbe;
        warnedOfNoProbe |= isFirst;
        return isFirst;
    }
}
