package io.github.workerregistry.pool;

import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/** What has been counted of a model. Waits are counted by callers; all else by the runner. */
final class ModelTotals {

    final LongAdder waits = new LongAdder();
    final LongAdder nanosWaited = new LongAdder();
    private final Map<EvictionReason, Long> evictions = new EnumMap<>(EvictionReason.class);
    private long loads;
    private long failedLoads;
    private Duration loadTime = Duration.ZERO;
    private Duration resident = Duration.ZERO;

    void loaded(Duration time) {
        loads++;
        loadTime = loadTime.plus(time);
    }

    void failedToLoad() {
        failedLoads++;
    }

    void evicted(EvictionReason reason) {
        evictions.merge(reason, 1L, Long::sum);
    }

    void wasResident(Duration time) {
        resident = resident.plus(time);
    }

    void waited(long nanos) {
        waits.increment();
        nanosWaited.add(Math.max(0, nanos));
    }

    /** The totals, with the time for which the present workers have been ready. */
    PoolStats.Model read(Duration residentNow) {
        return new PoolStats.Model(
                loads,
                failedLoads,
                loadTime,
                evictions,
                waits.sum(),
                Duration.ofNanos(nanosWaited.sum()),
                resident.plus(residentNow));
    }
}
