package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Incarnation;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Stops workers that have stopped sending heartbeats. A worker that never sent one is not evaluated.
 *
 * <p>A deadline counts from the tick that first read the heartbeat, so that a worker registered with an old heartbeat
 * has a full interval. A heartbeat that arrives before the stop prevents it.
 */
final class HeartbeatLoop implements Tick {

    private final WorkerRegistry registry;
    private final SupervisedRecords records;
    private final SupervisedWorkers workers;
    private final Stopper stopper;
    private final MassFailureGuard massFailureGuard;
    private final PauseTracker pauses;
    private Map<String, Beat> beats = new HashMap<>();

    HeartbeatLoop(
            WorkerRegistry registry,
            SupervisedRecords records,
            SupervisedWorkers workers,
            Stopper stopper,
            MassFailureGuard massFailureGuard,
            PauseTracker pauses) {
        this.registry = registry;
        this.records = records;
        this.workers = workers;
        this.stopper = stopper;
        this.massFailureGuard = massFailureGuard;
        this.pauses = pauses;
    }

    /** The latest beat of a worker, when it was first seen here, and how long the next may take. */
    private record Beat(Incarnation incarnation, Instant sent, Instant seen, Duration interval, Duration timeout) {
        boolean isOf(WorkerInfo worker, Instant beat) {
            return incarnation.equals(worker.incarnation()) && sent.equals(beat);
        }
    }

    @Override
    public void tick(Instant now) {
        List<WorkerInfo> silent = collectSilent(now);
        if (silent.isEmpty()) {
            return;
        }
        // Those whose deadline comes within their interval fail with them: beats are spread over an interval.
        long failing = beats.values().stream()
                .filter(beat -> isOverdue(beat, now, beat.interval))
                .count();
        for (WorkerInfo worker : silent) {
            if (!massFailureGuard.suspectIfMany(worker, StopReason.HEARTBEAT_MISSED, failing, beats.size(), now)
                    && isStillSilent(worker)) {
                stopper.stopFailed(worker, StopReason.HEARTBEAT_MISSED, "no heartbeat for " + timeout(worker));
            }
        }
    }

    private boolean isStillSilent(WorkerInfo worker) {
        return registry.get(worker.id())
                .filter(present -> present.lastHeartbeat().equals(worker.lastHeartbeat()))
                .isPresent();
    }

    private Beat beat(WorkerInfo worker, Instant sent, Instant now) {
        Duration interval = workers.rulesOf(worker).lifecycle().heartbeatInterval();
        return new Beat(worker.incarnation(), sent, now, interval, timeout(worker));
    }

    private Duration timeout(WorkerInfo worker) {
        LifecycleConfig config = workers.rulesOf(worker).lifecycle();
        return config.heartbeatInterval().multipliedBy(config.heartbeatMisses());
    }

    /** Whether the deadline of a beat is over, or comes within {@code ahead}. */
    private boolean isOverdue(Beat beat, Instant now, Duration ahead) {
        return pauses.activeTime(beat.seen, now).plus(ahead).compareTo(beat.timeout) > 0;
    }

    @Override
    public void late(Instant now) {
        collectSilent(now);
    }

    /** Reads new heartbeats; returns the workers whose deadline is over. */
    private List<WorkerInfo> collectSilent(Instant now) {
        Map<String, Beat> present = new HashMap<>();
        List<WorkerInfo> silent = new ArrayList<>();
        for (WorkerInfo worker : records.list()) {
            Instant sent = worker.lastHeartbeat().orElse(null);
            if (sent == null
                    || !(worker.state() instanceof Loading || worker.state().routable())) {
                continue;
            }
            Beat known = beats.get(worker.id());
            if (known == null || !known.isOf(worker, sent)) {
                present.put(worker.id(), beat(worker, sent, now));
                massFailureGuard.clear(worker, StopReason.HEARTBEAT_MISSED);
                continue;
            }
            present.put(worker.id(), known);
            if (isOverdue(known, now, Duration.ZERO)) {
                silent.add(worker);
            }
        }
        beats = present;
        return silent;
    }
}
