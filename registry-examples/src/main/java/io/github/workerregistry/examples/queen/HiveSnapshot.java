package io.github.workerregistry.examples.queen;

import java.util.List;

/**
 * All workers of one hive at one time. Snapshots of one hive are ordered by incarnation, then revision, never by a
 * clock.
 *
 * @param node the hive's node
 * @param url the url of the hive, without a path
 * @param incarnation the run of the hive; &gt; 0. A later run of the same node has a greater one
 * @param revision &gt; 0; grows with each snapshot of a run
 * @param omitted number of workers that did not fit; &ge; 0
 * @param workers the workers
 */
record HiveSnapshot(
        String node, String url, long incarnation, long revision, int omitted, List<WorkerSnapshot> workers) {

    /** Rejects invalid values, with the name of the parameter. */
    HiveSnapshot {
        NodeName.require(node);
        HttpAddress.require(url);
        if (incarnation < 1 || revision < 1 || omitted < 0) {
            throw new IllegalArgumentException(
                    "invalid incarnation " + incarnation + ", revision " + revision + " with " + omitted + " omitted");
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
