package io.github.workerregistry.lifecycle;

import io.github.workerregistry.LogText;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.health.HealthStatus.Unhealthy;
import io.github.workerregistry.health.HealthStatus.Unknown;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Probes every worker in a schedule of its own: all at the same time if need be, one worker never twice at a time, and
 * one that hangs delays no other. What the answers mean is {@link Verdict}'s business.
 */
final class ProbeLoop implements Tick {

    private static final Logger log = LoggerFactory.getLogger(ProbeLoop.class);

    private final WorkerRegistry registry;
    private final SupervisedRecords records;
    private final ProbeQueue probe;
    private final LifecycleConfig config;
    private final Verdict verdict;
    private final Map<String, Schedule> schedules = new HashMap<>();
    private final Presence presence;
    private final SupervisedWorkers supervised;
    private final Stalls stalls;

    ProbeLoop(
            WorkerRegistry registry,
            SupervisedRecords records,
            SupervisedWorkers supervised,
            ProbeQueue probe,
            LifecycleConfig config,
            Verdict verdict,
            Stalls stalls,
            Presence presence) {
        this.registry = registry;
        this.records = records;
        this.supervised = supervised;
        this.stalls = stalls;
        this.probe = probe;
        this.config = config;
        this.verdict = verdict;
        this.presence = presence;
    }

    @Override
    public void tick(Instant now) {
        List<WorkerInfo> present = records.list();
        for (WorkerInfo worker : present) {
            if (worker.state() instanceof Loading
                    ? !supervised.isWithoutProcess(worker)
                    : worker.state().routable()) {
                scheduleOf(worker, now).step(worker, now);
            }
        }
        if (schedules.size() > present.size()) {
            forgetAllBut(present.stream().map(WorkerInfo::id).collect(Collectors.toSet()));
        }
    }

    @Override
    public void late(Instant now) {}

    /** What the last readiness probe of a worker's present load said; empty if none has been answered. */
    Optional<String> lastAnswer(WorkerInfo worker) {
        return Optional.ofNullable(schedules.get(worker.id()))
                .filter(schedule -> schedule.fits(worker))
                .map(schedule -> schedule.lastAnswer);
    }

    private Schedule scheduleOf(WorkerInfo worker, Instant now) {
        Schedule schedule = schedules.get(worker.id());
        if (schedule == null || !schedule.fits(worker)) {
            if (schedule != null) {
                schedule.abandon();
            }
            schedule = new Schedule(worker, now);
            schedules.put(worker.id(), schedule);
        }
        return schedule;
    }

    private void forgetAllBut(Set<String> ids) {
        verdict.keepOnly(ids);
        schedules.entrySet().removeIf(entry -> {
            boolean gone = !ids.contains(entry.getKey());
            if (gone) {
                entry.getValue().abandon();
            }
            return gone;
        });
    }

    private static String text(HealthStatus status) {
        if (status instanceof Unhealthy unhealthy) {
            return unhealthy.reason();
        }
        return status instanceof Unknown unknown ? unknown.reason() : "healthy";
    }

    /**
     * A probe under way. An object of its own, because it is told from others by its identity: two probes may have seen
     * the same {@code WorkerInfo}.
     */
    private static final class Probe {
        final WorkerInfo seen;

        /** It waits for the end of another one, of a failed lease's check. */
        volatile boolean waits = true;

        /** When it was started, as far as the rounds have seen. */
        Instant since;

        Probe(WorkerInfo seen, Instant since) {
            this.seen = seen;
            this.since = since;
        }

        void begin() {
            waits = false;
        }
    }

    /** The probes of one generation of one worker, loading or ready. Answers may come on any thread. */
    private final class Schedule {
        private final int generation;
        private final Instant startedAt;
        private final boolean loading;
        private final ProbePace pace;
        private @Nullable CompletableFuture<HealthStatus> answer;
        private final AtomicReference<@Nullable Probe> underWay = new AtomicReference<>();
        private volatile boolean excused;
        private volatile @Nullable String lastAnswer;

        Schedule(WorkerInfo worker, Instant now) {
            generation = worker.generation();
            startedAt = worker.startedAt();
            loading = worker.state() instanceof Loading;
            pace = worker.state() instanceof Loading load
                    ? new ReadinessPace(
                            supervised,
                            stalls,
                            config.readyInterval(),
                            load.since().isBefore(now) ? load.since() : now)
                    : new HealthPace(config.healthInterval(), now);
        }

        boolean fits(WorkerInfo worker) {
            return worker.generation() == generation
                    && worker.startedAt().equals(startedAt) // and not another worker under the same id
                    && worker.state() instanceof Loading == loading;
        }

        void step(WorkerInfo worker, Instant now) {
            Probe started = underWay.get();
            if (started != null && started.waits) {
                started.since = now;
            } else if (started != null && presence.since(started.since, now).compareTo(config.healthTimeout()) >= 0) {
                settle(started, HealthStatus.unhealthy("no answer within " + config.healthTimeout()));
                abandon();
            } else if (started == null && pace.isDue(worker, now)) {
                pace.opened(worker, now);
                start(new Probe(worker, now));
            }
        }

        /** Drops the probe under way, if there is one. */
        void abandon() {
            Instant now = registry.clock().instant(); // first: if it throws, nothing has happened
            if (underWay.getAndSet(null) != null) {
                pace.closed(now);
            }
            try {
                if (answer != null) {
                    answer.cancel(true);
                }
            } catch (Throwable t) { // a future of the host's own kind
                log.debug("a probe cannot be cancelled", LogText.of(t));
            }
        }

        /** The one guard around the probe and its future: whatever they throw says nothing about the worker. */
        private void start(Probe started) {
            underWay.set(started);
            answer = null;
            try {
                CompletionStage<HealthStatus> stage = probe.probe(started.seen, config.healthTimeout(), started::begin);
                if (stage == null) {
                    settle(started, HealthStatus.unknown("the probe returned null"));
                    return;
                }
                answer = stage.toCompletableFuture();
                answer.whenComplete((status, failure) -> {
                    if (failure != null) {
                        failed(started, failure);
                    } else {
                        settle(started, status != null ? status : HealthStatus.unknown("the probe gave null"));
                    }
                });
            } catch (Throwable t) {
                failed(started, t);
            }
        }

        private void failed(Probe started, Throwable failure) {
            log.debug("worker {}: the probe failed", started.seen.id(), LogText.of(failure));
            settle(started, HealthStatus.unknown("the probe failed: " + LogText.describe(failure)));
        }

        /**
         * Acts on the first answer of a probe and drops the rest. A failure that arrives while the host is away, or as
         * it comes back, is dropped too, because a timer inside the probe may have run on meanwhile; but never two in a
         * row.
         */
        private void settle(Probe started, HealthStatus status) {
            Instant now = registry.clock().instant(); // first: if it throws, nothing has happened
            if (underWay.compareAndSet(started, null)) {
                pace.closed(now);
                lastAnswer = text(status);
                excused = !excused && status instanceof Unhealthy && presence.isAway(now);
                if (excused) {
                    log.debug("worker {}: no verdict, we are late: {}", started.seen.id(), status);
                    return;
                }
                try {
                    verdict.on(started.seen, status);
                } catch (Throwable t) { // whatever it is, a stage of the host's would keep it for itself
                    log.warn("worker {}: the verdict on {} failed", started.seen.id(), status, LogText.of(t));
                }
            }
        }
    }
}
