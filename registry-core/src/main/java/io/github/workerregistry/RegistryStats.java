package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

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
 * @param healthChecksUnknown total of health checks that said nothing about the worker, see
 *     {@link io.github.workerregistry.health.HealthStatus.Unknown}
 * @param suspected total of workers that came under suspicion, see {@link WorkerEvent.Suspected}
 * @param orphansReaped total of processes of a dead hive that were ended, see {@link WorkerRegistry#noteReapedOrphans}
 * @param endedBy total of ends by cause, whether a restart followed or not; a cause that never came is absent.
 *     {@code UNHEALTHY} counts fail-fast, {@code IDLE_TIMEOUT} idle stops, {@code FORCED} forced kills,
 *     {@code LOAD_STALL} stalled loads, {@code LOAD_TIMEOUT} loads that took too long, {@code HEARTBEAT_MISSED} lost
 *     heartbeats
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
        long healthChecksUnknown,
        long suspected,
        long orphansReaped,
        Map<Exit.Cause, Long> endedBy) {

    /**
     * Copies the map.
     *
     * @throws NullPointerException if {@code endedBy} is null
     */
    public RegistryStats {
        endedBy = Map.copyOf(requireNonNull(endedBy, "endedBy"));
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
     * How often a worker ended for a cause.
     *
     * @param cause the cause
     * @return the total
     */
    public long ended(Exit.Cause cause) {
        return endedBy.getOrDefault(requireNonNull(cause, "cause"), 0L);
    }
}
