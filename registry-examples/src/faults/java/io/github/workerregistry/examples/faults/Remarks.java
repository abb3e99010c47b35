package io.github.workerregistry.examples.faults;

import java.util.ArrayList;
import java.util.List;

/** Descriptions of failures: the first ones, and the number of further ones. Thread-safe. */
final class Remarks {

    private static final int KEPT = 40;

    private final List<String> first = new ArrayList<>();
    private int more;

    synchronized void add(String remark) {
        if (first.size() < KEPT) {
            first.add(remark);
        } else {
            more++;
        }
    }

    synchronized List<String> lines() {
        List<String> lines = new ArrayList<>(first);
        if (more > 0) {
            lines.add("and " + more + " more");
        }
        return lines;
    }
}
