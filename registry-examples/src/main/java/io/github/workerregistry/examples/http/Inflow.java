package io.github.workerregistry.examples.http;

import java.util.concurrent.atomic.AtomicLong;

/** Counts the bytes of bodies that are in memory, over all requests of a server. */
final class Inflow {

    private final Bounds bounds;
    private final AtomicLong held = new AtomicLong();

    Inflow(Bounds bounds) {
        this.bounds = bounds;
    }

    Bounds bounds() {
        return bounds;
    }

    /** Reserves memory; false if there is too little. */
    boolean reserve(int bytes) {
        if (held.addAndGet(bytes) > bounds.memory()) {
            held.addAndGet(-bytes);
            return false;
        }
        return true;
    }

    void release(int bytes) {
        held.addAndGet(-bytes);
    }
}
