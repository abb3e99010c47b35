package io.github.workerregistry;

/**
 * Why a worker is stopped. Each reason has an {@link Exit.Cause} of the same name: the cause of the exit that follows.
 * May gain members.
 *
 * @since 0.1
 */
public enum StopReason {
    /** A stop was requested: {@code stop(id)}. */
    REQUESTED,
    /** A kill was requested: {@code forceKill(id)}. */
    FORCED,
    /** The hive shuts down. */
    SHUTDOWN,
    /** An operator requested a restart. */
    RESTART,
    /** A worker of a newer revision takes its place. */
    REPLACED,
    /** Another model needs its place. */
    EVICTED,
    /** The worker had no work for the idle timeout. */
    IDLE_TIMEOUT,
    /** Too many health checks failed in a row. */
    UNHEALTHY,
    /** Too many requests failed in a row though the worker passed its checks. */
    REQUESTS_FAILED,
    /** A worker that had sent heartbeats sent none for too long. */
    HEARTBEAT_MISSED,
    /** The load made no progress for the load stall timeout. */
    LOAD_STALL,
    /** The load did not end within the load timeout. */
    LOAD_TIMEOUT,
    /** A busy worker neither started nor finished work for the busy timeout. */
    BUSY_TIMEOUT;

    /**
     * The cause of the exit that follows from this reason.
     *
     * @return the cause of the same name
     */
    public Exit.Cause cause() {
        return Exit.Cause.valueOf(name());
    }

    /**
     * Whether the worker failed.
     *
     * @return {@link Exit.Cause#isFailure()} of the cause
     */
    public boolean isFailure() {
        return cause().isFailure();
    }
}
