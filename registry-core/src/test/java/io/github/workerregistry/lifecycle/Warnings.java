package io.github.workerregistry.lifecycle;

/** Parts of the warnings that the supervisor logs, for {@link io.github.workerregistry.UnexpectedWarnings}. */
final class Warnings {

    static final String CRASHED = "has ended: CRASHED";
    static final String CRASH_LOOP = "has ended: CRASH_LOOP";
    static final String START_FAILED = "has ended: START_FAILED";

    /** A load of more than ten seconds. */
    static final String NOT_READY = "is not ready after PT10S";

    static final String STOPPED = "is stopped: ";
    static final String NO_PROGRESS = "its load made no progress";
    static final String NO_HEARTBEAT = "no heartbeat";
    static final String NO_LEASE_ACTIVITY = "none was acquired or released";
    static final String THREE_CHECKS_FAILED = "3 health checks failed in a row";
    static final String NO_RESULT = "health check without a result";
    static final String SUSPECTED = "and suspected";
    static final String UNKILLABLE = "survived SIGKILL";

    private Warnings() {}
}
