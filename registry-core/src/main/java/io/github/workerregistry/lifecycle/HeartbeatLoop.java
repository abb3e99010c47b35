package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends workers that sent heartbeats and send no more. One that never sent any is not judged.
 *
 * <p>A deadline counts from when this loop first saw the beat, so that a worker that the host takes over with an old
 * beat has a full fresh interval. A beat that is there when its deadline is judged wins.
 */
final class HeartbeatLoop implements Tick {

    private static final Logger log = LoggerFactory.getLogger(HeartbeatLoop.class);

    private final WorkerRegistry registry;
    private final SupervisedRecords records;
    private final Stopper stopper;
    private final Suspects suspects;
    private final Presence presence;
    private final Duration interval;
    private final Duration patience;
    private Map<String, Beat> beats = new HashMap<>();

    HeartbeatLoop(
            WorkerRegistry registry,
            SupervisedRecords records,
            Stopper stopper,
            Suspects suspects,
            LifecycleConfig config,
            Presence presence) {
        this.registry = registry;
        this.records = records;
        this.stopper = stopper;
        this.suspects = suspects;
        this.presence = presence;
        this.interval = config.heartbeatInterval();
        this.patience = interval.multipliedBy(config.heartbeatMisses());
    }

    /** The latest beat of a worker, and when it was first seen here. */
    private record Beat(int generation, Instant sent, Instant seen) {
        boolean isOf(WorkerInfo worker, Instant beat) {
            return generation == worker.generation() && sent.equals(beat);
        }
    }

    @Override
    public void tick(Instant now) {
        List<WorkerInfo> silent = look(now);
        if (silent.isEmpty()) {
            return;
        }
        // Those whose deadline comes within an interval fail with them: beats are spread over an interval.
        long failing = beats.values().stream()
                .filter(beat -> isOverdue(beat, now, interval))
                .count();
        for (WorkerInfo worker : silent) {
            if (!suspects.spare(worker, Exit.Cause.HEARTBEAT_MISSED, failing, beats.size(), now)
                    && isStillSilent(worker)
                    && stopper.endIfUnchanged(worker, Exit.Cause.HEARTBEAT_MISSED)) {
                log.warn("worker {} is given up: no heartbeat for {}", worker.id(), patience);
            }
        }
    }

    private boolean isStillSilent(WorkerInfo worker) {
        return registry.get(worker.id())
                .filter(present -> present.lastHeartbeat().equals(worker.lastHeartbeat()))
                .isPresent();
    }

    /** Whether the deadline of a beat is over, or comes within {@code ahead}. */
    private boolean isOverdue(Beat beat, Instant now, Duration ahead) {
        return presence.since(beat.seen, now).plus(ahead).compareTo(patience) > 0;
    }

    @Override
    public void late(Instant now) {
        look(now);
    }

    /** Takes in the beats that have come, and gives the workers whose deadline is over. */
    private List<WorkerInfo> look(Instant now) {
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
                present.put(worker.id(), new Beat(worker.generation(), sent, now));
                suspects.clear(worker.id(), Exit.Cause.HEARTBEAT_MISSED);
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
