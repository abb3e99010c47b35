package io.github.workerregistry.examples.faults;

import java.util.Locale;

/** What a worker of the run is for. */
enum Purpose {
    /** Leased by many threads all the time; sends heartbeats. */
    BUSY(4),
    /** Leased now and then, and left alone while it has to be idle. */
    CALM(2),
    /** Never leased, so that it times out. */
    QUIET(1),
    /** Ends with code 3 as soon as it has started. */
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

    /** How many of so many workers are for this. */
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
