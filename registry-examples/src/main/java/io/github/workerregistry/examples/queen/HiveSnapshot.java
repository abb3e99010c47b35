package io.github.workerregistry.examples.queen;

import java.net.URI;
import java.net.URISyntaxException;
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
        requireAddress(url);
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

    /**
     * Checks where requests will be sent.
     *
     * @throws IllegalArgumentException if it is no http address, or more than that
     */
    static String requireAddress(String url) {
        try {
            URI uri = new URI(url);
            boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (http
                    && uri.getHost() != null
                    && url.equals(uri.getScheme() + "://" + uri.getRawAuthority())
                    && uri.getRawUserInfo() == null) {
                return url;
            }
        } catch (URISyntaxException e) {
            // it is none
        }
        throw new IllegalArgumentException("the url must be one such as http://gpu-box:8081, was '" + url + "'");
    }
}
