package io.github.workerregistry.pool;

import io.github.workerregistry.WorkerInfo;
import java.time.Duration;

/**
 * A worker of the pool, at one moment.
 *
 * @param info its record; of one that is not registered yet, what that will be
 * @param placement what it claims, from before its start until its process has exited
 * @param phase where it is in its life
 * @param idle how long it has not been used
 * @param readyFor how long it has been ready; zero before
 * @param loadTime how long its load took; zero before it is ready
 * @param outdated whether the model's spec asks for another process since it was started
 * @param held whether its slots are not leased before an {@code outdated} worker is closed
 */
record WorkerSnapshot(
        WorkerInfo info,
        Placement placement,
        Phase phase,
        Duration idle,
        Duration readyFor,
        Duration loadTime,
        boolean outdated,
        boolean held) {

    /** A worker of the present revision, that is leased when it is ready. */
    WorkerSnapshot(
            WorkerInfo info, Placement placement, Phase phase, Duration idle, Duration readyFor, Duration loadTime) {
        this(info, placement, phase, idle, readyFor, loadTime, false, false);
    }

    /** Where a worker is in its life. */
    enum Phase {
        /** Claimed, being started, or loading. */
        LOADING,
        /** Leases its slots. */
        READY,
        /**
         * It has failed and is being stopped: what follows is decided when it has exited. Its units are being freed.
         */
        FAILING,
        /** It gets no new leases; its units are being freed. */
        ENDING,
        /** Its process has survived SIGKILL: its units stay claimed until that exits, which may be never. */
        UNKILLABLE
    }

    String id() {
        return info.id();
    }

    boolean isLive() {
        return phase == Phase.LOADING || phase == Phase.READY;
    }

    /** Whether its units are being freed. */
    boolean isEnding() {
        return phase == Phase.FAILING || phase == Phase.ENDING;
    }

    boolean isUnkillable() {
        return phase == Phase.UNKILLABLE;
    }

    boolean isLoading() {
        return phase == Phase.LOADING;
    }

    boolean isIdle() {
        return phase == Phase.READY && info.slotsInUse() == 0;
    }

    boolean isBusy() {
        return phase == Phase.READY && info.slotsInUse() > 0;
    }
}
