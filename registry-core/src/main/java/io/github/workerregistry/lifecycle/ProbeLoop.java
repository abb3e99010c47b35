package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Incarnation;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.health.HealthStatus.Unhealthy;
import io.github.workerregistry.health.HealthStatus.Unknown;
import io.github.workerregistry.internal.LogText;
import java.time.Duration;
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
 * Probes every worker that has a probe, on its own schedule. Probes of different workers run concurrently, those of one
 * worker never do, and a probe without an answer delays no other worker. {@link ProbeEvaluator} evaluates the answers.
 */
final class ProbeLoop implements Tick {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final WorkerRegistry registry;
    private final SupervisedRecords records;
    private final ProbeQueue queue;
    private final ProbeEvaluator evaluator;
    private final Map<String, Schedule> schedules = new HashMap<>();
    private final PauseTracker pauses;
    private final SupervisedWorkers supervised;
    private final StallDetector stalls;

    ProbeLoop(
            WorkerRegistry registry,
            SupervisedRecords records,
            SupervisedWorkers supervised,
            ProbeQueue queue,
            ProbeEvaluator evaluator,
            StallDetector stalls,
            PauseTracker pauses) {
        this.registry = registry;
        this.records = records;
        this.supervised = supervised;
        this.stalls = stalls;
        this.queue = queue;
        this.evaluator = evaluator;
        this.pauses = pauses;
    }

    @Override
    public void tick(Instant now) {
        List<WorkerInfo> present = records.list();
        int probed = 0;
        for (WorkerInfo worker : present) {
            if (worker.state() instanceof Loading
                    ? !supervised.isWithoutProcess(worker)
                    : worker.state().routable()) {
                step(worker, now);
            }
            probed += schedules.containsKey(worker.id()) ? 1 : 0;
        }
        if (schedules.size() > probed) {
            retainOnly(present.stream().map(WorkerInfo::id).collect(Collectors.toSet()));
        }
    }

    @Override
    public void late(Instant now) {}

    /** The last answer to a readiness probe of a worker's current load; empty if there is none. */
    Optional<String> lastAnswer(WorkerInfo worker) {
        return Optional.ofNullable(schedules.get(worker.id()))
                .filter(schedule -> schedule.fits(worker))
                .map(schedule -> schedule.lastAnswer);
    }

    private void step(WorkerInfo worker, Instant now) {
        Schedule schedule = schedules.get(worker.id());
        if (schedule == null || !schedule.fits(worker)) {
            if (schedule != null) {
                schedule.abandon();
                schedules.remove(worker.id());
            }
            WorkerRules rules = supervised.rulesOf(worker);
            HealthProbe probe = rules.healthProbe().orElse(null);
            if (probe == null) {
                return;
            }
            schedule = new Schedule(worker, probe, rules.lifecycle(), now);
            schedules.put(worker.id(), schedule);
        }
        schedule.step(worker, now);
    }

    private void retainOnly(Set<String> ids) {
        evaluator.retainOnly(ids);
        schedules.entrySet().removeIf(entry -> {
            boolean removed = !ids.contains(entry.getKey());
            if (removed) {
                entry.getValue().abandon();
            }
            return removed;
        });
    }

    private static String text(HealthStatus status) {
        if (status instanceof Unhealthy unhealthy) {
            return unhealthy.reason();
        }
        return status instanceof Unknown unknown ? unknown.reason() : "healthy";
    }

    /** An open probe. Compared by identity, because two probes may have the same {@code WorkerInfo}. */
    private static final class Probe {
        final WorkerInfo seen;

        /** Whether it is queued behind the probe of a failed lease's check. */
        volatile boolean waits = true;

        /** The time of its start, with the resolution of a tick. */
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
        private final Incarnation incarnation;
        private final WorkerName name;
        private final boolean loading;
        private final HealthProbe probe;
        private final Duration timeout;
        private final ProbePace pace;
        private @Nullable CompletableFuture<HealthStatus> answer;
        private final AtomicReference<@Nullable Probe> underWay = new AtomicReference<>();
        private volatile boolean dropped;
        private volatile @Nullable String lastAnswer;

        Schedule(WorkerInfo worker, HealthProbe probe, LifecycleConfig config, Instant now) {
            incarnation = worker.incarnation();
            name = WorkerName.of(worker);
            this.probe = probe;
            timeout = config.healthTimeout();
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
            return worker.incarnation().equals(incarnation) && worker.state() instanceof Loading == loading;
        }

        void step(WorkerInfo worker, Instant now) {
            Probe started = underWay.get();
            if (started != null && started.waits) {
                started.since = now;
            } else if (started != null && pauses.activeTime(started.since, now).compareTo(timeout) >= 0) {
                settle(started, HealthStatus.unhealthy("no answer within " + timeout));
                abandon();
            } else if (started == null && pace.isDue(worker, now)) {
                pace.opened(worker, now);
                start(new Probe(worker, now));
            }
        }

        /** Cancels the open probe, if there is one. */
        void abandon() {
            Instant now = registry.clock().instant(); // first: it may throw
            if (underWay.getAndSet(null) != null) {
                pace.closed(now);
            }
            try {
                if (answer != null) {
                    answer.cancel(true);
                }
            } catch (Throwable t) { // foreign code
                log.debug("worker {}: its probe cannot be cancelled", name, LogText.of(t));
            }
        }

        /** The only guard around the probe and its future; an exception counts as an unknown answer. */
        private void start(Probe started) {
            underWay.set(started);
            answer = null;
            try {
                CompletionStage<HealthStatus> stage = queue.probe(probe, started.seen, timeout, started::begin);
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
            log.debug("worker {}: the probe failed", WorkerName.of(started.seen), LogText.of(failure));
            settle(started, HealthStatus.unknown("the probe failed: " + LogText.describe(failure)));
        }

        /**
         * Evaluates the first answer of a probe and ignores later ones. A failure during or right after a pause is
         * dropped, because a timer inside the probe may have run on; but never two in a row.
         */
        private void settle(Probe started, HealthStatus status) {
            Instant now = registry.clock().instant(); // first: it may throw
            if (underWay.compareAndSet(started, null)) {
                pace.closed(now);
                lastAnswer = text(status);
                dropped = !dropped && status instanceof Unhealthy && pauses.isPaused(now);
                if (dropped) {
                    log.debug(
                            "worker {}: answer after a pause is not evaluated: {}",
                            WorkerName.of(started.seen),
                            status);
                    return;
                }
                try {
                    evaluator.on(started.seen, status);
                } catch (Throwable t) { // otherwise the hive's stage would swallow it
                    log.warn("worker {}: evaluation of {} failed", WorkerName.of(started.seen), status, LogText.of(t));
                }
            }
        }
    }
}
