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
 * Checks a worker after a lease of it has failed, if this supervisor evaluates the worker. The check runs at once,
 * ahead of schedule: has the process exited, and if not, does it pass a probe that begins now? No slot of it is leased
 * until it does, or until the health timeout is over. Without a probe it passes if its process still runs 100 ms later.
 *
 * <p>{@link #check} only enqueues. Checks run on the scheduler, as soon as possible and at every tick; those of one
 * worker on one thread at a time. The answers to these probes are not evaluated: they count neither as failed nor as
 * passed health checks. A worker that passes too many checks in a row, without a successful request in between, is
 * stopped with {@code REQUESTS_FAILED}.
 */
final class FailedLeaseLoop implements LeaseChecker, Tick {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final WorkerRegistry registry;
    private final SupervisedRecords records;
    private final SupervisedWorkers workers;
    private final ExitProcessor exits;
    private final ProbeQueue queue;
    private final Stopper stopper;
    private final PauseTracker pauses;
    private final Executor scheduler;

    /** Per worker, the check of the lease that failed last. */
    private final ConcurrentMap<String, LeaseCheck> checks = new ConcurrentHashMap<>();

    private final AtomicBoolean submitted = new AtomicBoolean();
    private volatile @Nullable Subscription registration;
    private volatile boolean closed;

    FailedLeaseLoop(
            WorkerRegistry registry,
            SupervisedRecords records,
            SupervisedWorkers workers,
            ExitProcessor exits,
            Stopper stopper,
            ProbeQueue queue,
            PauseTracker pauses,
            Executor scheduler) {
        this.registry = registry;
        this.records = records;
        this.workers = workers;
        this.exits = exits;
        this.queue = queue;
        this.stopper = stopper;
        this.pauses = pauses;
        this.scheduler = scheduler;
    }

    /** Registers this loop for failed leases. Called once. */
    void register() {
        registration = registry.supervision().registerLeaseChecker(this);
        if (closed) { // concurrently
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
        LeaseCheck next = new LeaseCheck(lease, registry.clock().instant(), this::foundAlive);
        LeaseCheck before = checks.put(lease.worker().id(), next);
        if (before != null) {
            before.cancelProbe(); // it began before this lease failed
        }
        if (closed) { // concurrently
            checks.remove(lease.worker().id(), next);
            return Optional.empty();
        }
        submitTick();
        return Optional.of(workers.rulesOf(lease.worker()).lifecycle().healthTimeout());
    }

    private void foundAlive(FailedLease lease) {
        int threshold = workers.rulesOf(lease.worker()).lifecycle().requestFailureThreshold();
        if (!closed && lease.failuresInARow() >= threshold) {
            stopper.stopForFailedRequests(lease.worker(), lease.failuresInARow(), lease.cause());
        }
    }

    /** A worker that this supervisor does not evaluate is not probed, and its slots stay available. */
    private boolean mayCheck(WorkerInfo worker) {
        return workers.rulesOf(worker).isProbed() ? records.include(worker) : drives(worker);
    }

    private void submitTick() {
        if (!submitted.compareAndSet(false, true)) {
            return;
        }
        try {
            scheduler.execute(() -> {
                submitted.set(false);
                tick(registry.clock().instant());
            });
        } catch (Throwable refused) { // the next tick runs the check
            submitted.set(false);
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
            return true; // its exit is known
        }
        SupervisedWorker own = workers.get(seen.id());
        if (own != null && own.owns(worker) && hasExited(own)) {
            return true;
        }
        WorkerRules rules = workers.rulesOf(worker);
        HealthProbe asked = worker.state().routable()
                ? rules.healthProbe().map(queue::queued).orElse(null)
                : null;
        Duration time = pauses.activeTime(check.since(), now);
        return check.step(worker, asked, time, rules.lifecycle().healthTimeout());
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
