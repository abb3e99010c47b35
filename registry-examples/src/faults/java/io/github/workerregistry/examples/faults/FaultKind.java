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
    END("stopping, then gone"),

    MODEL_KILL("model pool: SIGKILL"),
    MODEL_HANG("model pool: SIGSTOP"),
    MODEL_FAILING("model pool: loads fail"),
    MODEL_UPDATE("model pool: update"),
    MODEL_REQUEST("model pool: request, slot");

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

    /** Whether it is no card of the {@link Deck}: it follows from another event, or is of the model pool. */
    boolean isConsequence() {
        return compareTo(IDLE) >= 0;
    }

    /** Whether it concerns the model pool, see {@link PoolUnderFire}. */
    boolean isOfThePool() {
        return compareTo(MODEL_KILL) >= 0;
    }
}
