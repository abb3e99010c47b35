package io.github.workerregistry.pool;

import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.lifecycle.SupervisorAccess;
import io.github.workerregistry.pool.WorkerSnapshot.Phase;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** A worker of the pool, from its claim until its process has exited. Used by the runner only. */
final class PooledWorker {

    final String id;
    final ModelSpec spec;
    final Placement placement;
    final Instant startedAt;

    /** Completes when its claim has ended. */
    final CompletableFuture<Void> gone = new CompletableFuture<>();

    private WorkerInfo info;
    private @Nullable Instant readyAt;
    private volatile @Nullable StopReason ending; // also read before a start, on another thread
    private boolean starting = true;
    private boolean removed;
    private boolean failed;
    private boolean outdated;
    private volatile boolean held; // also read before a start, on another thread
    private boolean exitAwaited;
    private boolean unkillable;

    PooledWorker(String id, ModelSpec spec, Placement placement, Instant now, boolean held) {
        this.id = id;
        this.spec = spec;
        this.placement = placement;
        this.startedAt = now;
        this.held = held;
        info = WorkerInfo.builder()
                .id(id)
                .url("http://starting")
                .modelRef(spec.modelRef())
                .backend(spec.backend())
                .device(placement.devices().first())
                .slotsTotal(spec.worker().slots())
                .labels(spec.workerOn(placement).build().labels())
                .state(new Loading(now))
                .startedAt(now)
                .build();
    }

    /** The record as it was read last. */
    WorkerInfo info() {
        return info;
    }

    /**
     * Its record has been read.
     *
     * @return whether it has become ready
     */
    boolean read(WorkerInfo record, Instant now) {
        info = record;
        boolean becomesReady = readyAt == null && record.state().routable();
        if (becomesReady) {
            readyAt = now;
        }
        return becomesReady;
    }

    boolean hasBeenReady() {
        return readyAt != null;
    }

    Duration readyFor(Instant now) {
        return readyAt == null ? Duration.ZERO : notNegative(Duration.between(readyAt, now));
    }

    Duration loadTime() {
        return readyAt == null ? Duration.ZERO : notNegative(Duration.between(startedAt, readyAt));
    }

    private static Duration notNegative(Duration duration) {
        return duration.isNegative() ? Duration.ZERO : duration;
    }

    /** The pool ends it; it is no failure, however it exits. */
    void end(StopReason reason) {
        ending = reason;
    }

    boolean isEnding() {
        return ending != null;
    }

    /** Why the pool ends it; null if it does not. */
    @Nullable
    StopReason endReason() {
        return ending;
    }

    /** The call that starts its process has not returned. */
    boolean isStarting() {
        return starting;
    }

    void startReturned() {
        starting = false;
    }

    /** Its record has been removed, and its process has exited, unless the start has not returned. */
    void removed() {
        removed = true;
    }

    boolean isRemoved() {
        return removed;
    }

    /** No process of it exists or will: its units are free. */
    boolean isGone() {
        return removed && !starting;
    }

    /**
     * Its exit is to be awaited from now on.
     *
     * @return false if it is already, or if nothing ends it yet
     */
    boolean awaitExit() {
        boolean first = !exitAwaited && !starting && (phase() == Phase.FAILING || phase() == Phase.ENDING);
        exitAwaited |= first;
        return first;
    }

    /** Its process has survived SIGKILL. */
    void survivedKill() {
        unkillable = true;
    }

    boolean isUnkillable() {
        return unkillable;
    }

    /**
     * Its failure is counted.
     *
     * @return false if it was counted before
     */
    boolean fail() {
        boolean first = !failed;
        failed = true;
        return first;
    }

    /** Whether the model's spec asks for another process since it was started. */
    boolean isOutdated() {
        return outdated;
    }

    void outdated(boolean now) {
        outdated = now;
    }

    /** Whether its slots are not leased before an outdated worker is closed. */
    boolean isHeld() {
        return held;
    }

    void opened() {
        held = false;
    }

    boolean isLive() {
        return phase() == Phase.LOADING || phase() == Phase.READY;
    }

    Phase phase() {
        if (unkillable) {
            return Phase.UNKILLABLE;
        }
        if (isEnding() || removed) {
            return Phase.ENDING;
        }
        if (info.state() instanceof Stopping stopping) {
            return stopping.reason().isFailure() ? Phase.FAILING : Phase.ENDING;
        }
        return info.state().routable() && !starting ? Phase.READY : Phase.LOADING; // no slot is leased before
    }

    /** The worker now; pauses of this JVM count for none of its times. */
    WorkerSnapshot snapshot(Instant now, SupervisorAccess time) {
        Duration idle = time.activeTime(info.lastActivity(), now);
        Duration ready = readyAt == null ? Duration.ZERO : time.activeTime(readyAt, now);
        return new WorkerSnapshot(info, placement, phase(), idle, ready, loadTime(), outdated, held);
    }
}
