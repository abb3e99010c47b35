package io.github.workerregistry.examples.faults;

import java.util.Locale;

/** The purpose of a worker of the run. */
enum Purpose {
    /** Leased continuously by many threads; sends heartbeats. */
    BUSY(4),
    /** Leased occasionally, but not while it must be idle. */
    CALM(2),
    /** Never leased, so that it times out. */
    QUIET(1),
    /** Exits with code 3 immediately after its start. */
    CRASH_LOOP(1);

    private final int slots;

    Purpose(int slots) {
        this.slots = slots;
    }

    String model() {
        return "fault-run/" + name().toLowerCase(Locale.ROOT);
    }

    int slots() {
        return slots;
    }

    /** The number of workers with this purpose. */
    int among(int workers) {
        return switch (this) {
            case BUSY -> workers * 2 / 5;
            case CALM -> workers - BUSY.among(workers) - QUIET.among(workers);
            case QUIET -> Math.max(1, workers / 16);
            case CRASH_LOOP -> 0;
        };
    }

    static Purpose of(String model) {
        for (Purpose purpose : values()) {
            if (purpose.model().equals(model)) {
                return purpose;
            }
        }
        throw new IllegalArgumentException("no model of this run: " + model);
    }
}
