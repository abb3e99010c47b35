package io.github.workerregistry.examples.queen;

import java.util.List;

/**
 * All workers of one hive at one moment. Two of one hive are ordered by incarnation, then revision, and never by a
 * clock.
 *
 * @param node the hive's node
 * @param url where the hive answers, without a path
 * @param incarnation which run of the hive this is; &gt; 0. A later run of the same node has a greater one
 * @param revision &gt; 0; grows with each snapshot of a run
 * @param omitted how many workers are left out because they did not fit; &ge; 0
 * @param workers the workers
 */
record HiveSnapshot(
        String node, String url, long incarnation, long revision, int omitted, List<WorkerSnapshot> workers) {

    /** Rejects what cannot be, with the name of the culprit. */
    HiveSnapshot {
        NodeName.require(node);
        HttpAddress.require(url);
        if (incarnation < 1 || revision < 1 || omitted < 0) {
            throw new IllegalArgumentException("there is no incarnation " + incarnation + ", revision " + revision
                    + " with " + omitted + " omitted");
        }
        workers = List.copyOf(workers);
    }

    boolean isNewerThan(HiveSnapshot other) {
        return incarnation != other.incarnation ? incarnation > other.incarnation : revision > other.revision;
    }

    HiveSnapshot withWorkers(List<WorkerSnapshot> others, int leftOut) {
        return new HiveSnapshot(node, url, incarnation, revision, leftOut, others);
    }
}
