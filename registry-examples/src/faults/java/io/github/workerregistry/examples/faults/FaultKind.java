package io.github.workerregistry.examples.faults;

/** The kinds of faults, and of effects that must follow another event. */
enum FaultKind {
    KILL("SIGKILL"),
    KILL_POOL_FULL("SIGKILL, common pool full"),
    HANG("SIGSTOP of an idle worker"),
    SICK("health check fails"),
    MUTE("heartbeats stop"),
    CRASH_LOOP("crash loop, removed"),
    STOP("stop"),
    FORCE_KILL("forced kill"),
    OPERATOR_RESTART("operator's restart"),
    PAUSE("SIGSTOP, then SIGCONT"),
    SLOW("health check slow"),
    HANG_AT_WORK("no health answer, at work"),
    DISK_FULL("disk full"),
    POOL_FULL("common pool full"),

    IDLE("idle timeout"),
    LOAD("start, then ready"),
    RESTART("wait over, then restart"),
    END("stopping, then gone");

    private final String title;

    FaultKind(String title) {
        this.title = title;
    }

    String title() {
        return title;
    }

    /** Whether the worker must survive it; all other faults must be detected in time. */
    boolean mustSurvive() {
        return switch (this) {
            case PAUSE, SLOW, HANG_AT_WORK, DISK_FULL, POOL_FULL -> true;
            default -> false;
        };
    }

    /** Whether it is not injected but follows from an action of the library or the run. */
    boolean isConsequence() {
        return compareTo(IDLE) >= 0;
    }
}
