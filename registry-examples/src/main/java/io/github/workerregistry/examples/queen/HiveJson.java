package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.queen.Contact.Trouble;
import java.time.Duration;
import java.util.Locale;

/**
 * A hive as the queen's clients see it.
 *
 * @param node its node
 * @param url where it answers
 * @param state {@code live}, or {@code unreachable}: it is asked last
 * @param trouble null if it is live; {@code zookeeper} if the queen cannot know whether its session has ended, since it
 *     is itself cut off; {@code http} if it took no connection a moment ago
 * @param snapshotAgeMs how long ago its last snapshot came. A hive where nothing happens writes none
 * @param workers how many it has
 * @param omitted how many more did not fit into the snapshot
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
