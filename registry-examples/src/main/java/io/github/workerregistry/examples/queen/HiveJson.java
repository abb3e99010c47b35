package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.queen.Contact.Trouble;
import java.time.Duration;
import java.util.Locale;

/**
 * A hive in the queen's JSON.
 *
 * @param node its node
 * @param url its url
 * @param state {@code live}, or {@code unreachable}: it is tried last
 * @param trouble null if it is live; {@code zookeeper} if the queen is disconnected from ZooKeeper, so its session may
 *     have expired; {@code http} if it refused a connection recently
 * @param snapshotAgeMs the age of its last snapshot. A hive without changes writes none
 * @param workers number of its workers
 * @param omitted number of further workers that did not fit into the snapshot
 */
record HiveJson(
        String node,
        String url,
        String state,
        String trouble,
        long snapshotAgeMs,
        long incarnation,
        long revision,
        int workers,
        int omitted,
        long slotsTotal,
        long slotsAvailable) {

    static HiveJson of(HiveView hive, Trouble trouble, Duration age) {
        HiveSnapshot snapshot = hive.snapshot();
        boolean live = trouble == Trouble.NONE;
        return new HiveJson(
                snapshot.node(),
                snapshot.url(),
                live ? "live" : "unreachable",
                live ? null : trouble.name().toLowerCase(Locale.ROOT),
                age.toMillis(),
                snapshot.incarnation(),
                snapshot.revision(),
                hive.workers().size(),
                snapshot.omitted(),
                hive.workers().stream()
                        .filter(WorkerSnapshot::isRoutable)
                        .mapToLong(WorkerSnapshot::slotsTotal)
                        .sum(),
                hive.workers().stream()
                        .mapToLong(WorkerSnapshot::slotsAvailable)
                        .sum());
    }
}
