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
 * The current state and the totals since the start of the hive: the counts of {@link RegistryStats}, which documents
 * them.
 *
 * @param uptimeS uptime of the hive, in whole seconds
 * @param workers number of workers by state
 * @param slots slots of all routable workers
 * @param total totals; a worker that is stopped because it is unhealthy counts as a crash, under its cause, and as a
 *     restart if it is restarted
 * @param endedBy number of exits by cause, in lower case; includes causes with zero exits
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

    static StatsJson of(
            RegistryStats stats, List<WorkerInfo> workers, int orphansReaped, Duration uptime, Instant now) {
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
                        orphansReaped),
                byCause(stats),
                workers.stream()
                        .collect(Collectors.toMap(
                                WorkerInfo::id, worker -> worker.uptime(now).toSeconds())));
    }

    /** Includes zeros, so that every cause is present. */
    private static Map<String, Long> byCause(RegistryStats stats) {
        Map<String, Long> counts = new TreeMap<>();
        for (Cause cause : Cause.values()) {
            counts.put(cause.name().toLowerCase(Locale.ROOT), stats.ended(cause));
        }
        return counts;
    }
}
