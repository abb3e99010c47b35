package io.github.workerregistry.lifecycle;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.FailedLease;
import io.github.workerregistry.LeaseChecker;
import io.github.workerregistry.Subscription;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checks a worker that this supervisor evaluates and of which a lease has failed, at once and out of turn: whether its
 * process has exited, and if not, whether it answers a probe that begins now. Until it does, or the health timeout is
 * over, no slot of it is leased. Without a probe it has passed if its process still runs 100 ms later.
 *
 * <p>{@link #check} only enqueues. Checks are worked on by the scheduler as soon as that has time, and in every round
 * of the loops; of one worker by one thread at a time. Answers to these probes are not evaluated: they count neither as
 * failed nor as passed health checks.
 */
final class FailedLeaseLoop implements LeaseChecker, Tick {

    private static final Logger log = LoggerFactory.getLogger(FailedLeaseLoop.class);

    private final WorkerRegistry registry;
    private final SupervisedRecords records;
    private final SupervisedWorkers workers;
    private final ExitProcessor exits;
    private final @Nullable HealthProbe probe;
    private final Duration atMost;
    private final PauseTracker pauses;
    private final Executor scheduler;

    /** Of each worker, the check of the lease that failed last. */
    private final ConcurrentMap<String, LeaseCheck> checks = new ConcurrentHashMap<>();

    private final AtomicBoolean hurrying = new AtomicBoolean();
    private volatile @Nullable Subscription registration;
    private volatile boolean closed;

    FailedLeaseLoop(
            WorkerRegistry registry,
            SupervisedRecords records,
            SupervisedWorkers workers,
            ExitProcessor exits,
            @Nullable HealthProbe probe,
            Duration healthTimeout,
            PauseTracker pauses,
            Executor scheduler) {
        this.registry = registry;
        this.records = records;
        this.workers = workers;
        this.exits = exits;
        this.probe = probe;
        this.atMost = healthTimeout;
        this.pauses = pauses;
        this.scheduler = scheduler;
    }

    /** From now on failed leases come here. Called once. */
    void register() {
        registration = registry.supervision().checkFailedLeases(this);
        if (closed) { // in the middle of this
            close();
        }
    }

    @Override
    public boolean drives(WorkerInfo worker) {
        SupervisedWorker own = workers.get(worker.id());
        return own != null && own.owns(worker);
    }

    @Override
    public Optional<Duration> check(FailedLease lease) {
        if (closed || !mayCheck(lease.worker())) {
            return Optional.empty();
        }
        LeaseCheck next = new LeaseCheck(lease, registry.clock().instant());
        LeaseCheck before = checks.put(lease.worker().id(), next);
        if (before != null) {
            before.cancelProbe(); // it began before this lease failed
        }
        if (closed) { // in the middle of this
            checks.remove(lease.worker().id(), next);
            return Optional.empty();
        }
        hurry();
        return Optional.of(atMost);
    }

    /** A worker that this supervisor does not evaluate is not probed, and its slots stay available. */
    private boolean mayCheck(WorkerInfo worker) {
        return probe == null ? drives(worker) : records.include(worker);
    }

    private void hurry() {
        if (!hurrying.compareAndSet(false, true)) {
            return;
        }
        try {
            scheduler.execute(() -> {
                hurrying.set(false);
                tick(registry.clock().instant());
            });
        } catch (Throwable refused) { // the next tick runs the check
            hurrying.set(false);
            log.debug("the scheduler rejected the check of a failed lease; the next tick runs it", LogText.of(refused));
        }
    }

    @Override
    public void tick(Instant now) {
        checks.forEach((id, check) -> {
            if (check.begin()) {
                try {
                    if (isOver(check, now)) {
                        checks.remove(id, check);
                        check.cancelProbe();
                    }
                } finally {
                    check.end();
                }
            }
        });
    }

    @Override
    public void late(Instant now) {
        tick(now);
    }

    /** Runs the next step of a check; true if it was the last one. */
    private boolean isOver(LeaseCheck check, Instant now) {
        WorkerInfo seen = check.worker();
        WorkerInfo worker = registry.get(seen.id()).orElse(null);
        if (worker == null || !check.isOf(worker) || worker.state() instanceof BackingOff) {
            return true; // its end is known
        }
        SupervisedWorker own = workers.get(seen.id());
        if (own != null && own.owns(worker) && hasExited(own)) {
            return true;
        }
        HealthProbe asked = worker.state().routable() ? probe : null;
        return check.step(worker, asked, pauses.activeTime(check.since(), now), atMost);
    }

    /** Polls the process now, without waiting for its exit future or the next tick. */
    private boolean hasExited(SupervisedWorker worker) {
        WorkerProcess process = worker.process();
        try {
            Optional<ExitStatus> status = process == null ? Optional.empty() : process.exitStatus();
            status.ifPresent(exit -> exits.onExit(worker, exit));
            return status.isPresent();
        } catch (Throwable t) { // foreign code
            worker.warnOnce(log, "worker {}: cannot tell whether its process lives", t);
            return false;
        }
    }

    /** Stops all checks and makes the slots of their workers available again. */
    void close() {
        closed = true;
        Subscription registered = registration;
        if (registered != null) {
            registered.close();
        }
        checks.forEach((id, check) -> {
            checks.remove(id, check);
            check.cancelProbe();
            check.pass();
        });
    }
}
