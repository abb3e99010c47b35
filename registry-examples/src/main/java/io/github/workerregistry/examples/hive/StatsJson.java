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
 * @param slots those of all workers that take requests now
 * @param total what has happened; a worker that is given up counts as a crash, under its cause, and, if started again,
 *     as a restart
 * @param endedBy how many workers ended for which cause, by its name in small letters; every cause is there, also if
 *     none ended for it
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
            long spawned,
            long becameReady,
            long crashed,
            long restarted,
            long healthChecksFailed,
            long healthChecksUnknown,
            long suspected,
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
                        stats.healthChecksFailed(),
                        stats.healthChecksUnknown(),
                        stats.suspected(),
                        stats.orphansReaped()),
                byCause(stats),
                workers.stream()
                        .collect(Collectors.toMap(
                                WorkerInfo::id, worker -> worker.uptime(now).toSeconds())));
    }

    /** The zeros too, so that a client always finds the count that it asks for. */
    private static Map<String, Long> byCause(RegistryStats stats) {
        Map<String, Long> counts = new TreeMap<>();
        for (Cause cause : Cause.values()) {
            counts.put(cause.name().toLowerCase(Locale.ROOT), stats.ended(cause));
        }
        return counts;
    }
}
