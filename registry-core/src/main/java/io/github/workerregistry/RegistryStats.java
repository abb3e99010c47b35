package io.github.workerregistry;

import java.util.Map;

/**
 * Counts of one moment, and totals since the registry was created.
 *
 * @param loading workers now Loading
 * @param idle workers now Idle
 * @param busy workers now Busy
 * @param backingOff workers now BackingOff
 * @param stopping workers now Stopping
 * @param slotsTotal slots of all workers that take requests now
 * @param slotsInUse how many of those are in use
 * @param registered total of workers registered
 * @param becameReady total of loads that ended well
 * @param crashed total of {@link WorkerEvent.Crashed}: processes that ended unasked or were ended because they failed
 * @param restarted total of restarts
 * @param healthChecksFailed total of failed health checks
 * @param removedBy total of workers removed, by cause; a cause that never came is absent
 */
public record RegistryStats(
        int loading,
        int idle,
        int busy,
        int backingOff,
        int stopping,
        long slotsTotal,
        long slotsInUse,
        long registered,
        long becameReady,
        long crashed,
        long restarted,
        long healthChecksFailed,
        Map<Exit.Cause, Long> removedBy) {

    /** Copies the map. */
    public RegistryStats {
        removedBy = Map.copyOf(removedBy);
    }

    /**
     * How many workers are registered now.
     *
     * @return the sum over all states
     */
    public int workers() {
        return loading + idle + busy + backingOff + stopping;
    }

    /**
     * Total of workers removed, for whatever cause.
     *
     * @return the sum over {@code removedBy}
     */
    public long removed() {
        return removedBy.values().stream().mapToLong(Long::longValue).sum();
    }
}
