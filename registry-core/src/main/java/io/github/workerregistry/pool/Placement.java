package io.github.workerregistry.pool;

import java.util.Collection;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * Where a worker runs, and what it claims there.
 *
 * @param backend of the devices
 * @param devices their indices; not empty
 * @param units claimed on each device
 */
record Placement(String backend, SortedSet<Integer> devices, long units) {

    Placement(String backend, Collection<Integer> devices, long units) {
        this(backend, new TreeSet<>(devices), units);
    }

    /** What it claims on all devices together. */
    long total() {
        return units * devices.size();
    }

    /** The devices as in {@link io.github.workerregistry.WorkerInfo#DEVICES}. */
    String text() {
        return devices.stream().map(String::valueOf).collect(Collectors.joining(","));
    }
}
