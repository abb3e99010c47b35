package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** The last exits, oldest first. Thread-safe. */
final class ExitHistory {

    private static final int CAPACITY = 100;

    private final Deque<Exit> exits = new ArrayDeque<>();

    synchronized void add(Exit exit) {
        if (exits.size() == CAPACITY) {
            exits.removeFirst();
        }
        exits.addLast(exit);
    }

    synchronized List<Exit> list() {
        return List.copyOf(exits);
    }
}
