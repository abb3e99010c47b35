package io.github.workerregistry.examples.hive;

import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.RegistryStats;
import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/**
 * What there is now, and what has happened since the hive was started: the counts of {@link RegistryStats}, which
 * explains them.
 *
 * @param uptimeS of the hive, in whole seconds
 * @param workers how many are in which state now
 * @param total what has happened, each counted once; a worker that is given up is counted by the cause, under
 *     {@code crashes}, and under {@code restarts} if it was started again
 * @param endedBy how many workers ended for which cause, by its name in small letters
 * @param workerUptimeS by worker id, since its process was started, in whole seconds
 */
record StatsJson(
        long uptimeS,
        Workers workers,
        Slots slots,
        Total total,
        Map<String, Long> endedBy,
        Map<String, Long> workerUptimeS) {

    record Workers(int total, int loading, int idle, int busy, int backingOff, int stopping) {}

    record Slots(long total, long inUse) {}

    record Total(
            long spawns,
            long readies,
            long crashes,
            long restarts,
            long failFastRemovals,
            long idleStops,
            long forcedKills,
            long loadStalls,
            long heartbeatsMissed,
            long busyLimits,
            long crashLoops,
            long probesFailed,
            long suspects,
            long orphansReaped) {}

    static StatsJson of(RegistryStats stats, List<WorkerInfo> workers, Duration uptime, Instant now) {
        return new StatsJson(
                uptime.toSeconds(),
                new Workers(
                        stats.workers(),
                        stats.loading(),
                        stats.idle(),
                        stats.busy(),
                        stats.backingOff(),
                        stats.stopping()),
                new Slots(stats.slotsTotal(), stats.slotsInUse()),
                new Total(
                        stats.registered(),
                        stats.becameReady(),
                        stats.crashed(),
                        stats.restarted(),
                        stats.ended(Cause.UNHEALTHY),
                        stats.ended(Cause.IDLE_TIMEOUT),
                        stats.ended(Cause.FORCED),
                        stats.ended(Cause.LOAD_STALL),
                        stats.ended(Cause.HEARTBEAT_MISSED),
                        stats.ended(Cause.BUSY_LIMIT),
                        stats.ended(Cause.CRASH_LOOP),
                        stats.healthChecksFailed(),
                        stats.suspected(),
                        stats.orphansReaped()),
                byName(stats.endedBy()),
                workers.stream()
                        .collect(Collectors.toMap(
                                WorkerInfo::id, worker -> worker.uptime(now).toSeconds())));
    }

    private static Map<String, Long> byName(Map<Cause, Long> counts) {
        Map<String, Long> named = new TreeMap<>();
        counts.forEach((cause, count) -> named.put(cause.name().toLowerCase(Locale.ROOT), count));
        return named;
    }
}
