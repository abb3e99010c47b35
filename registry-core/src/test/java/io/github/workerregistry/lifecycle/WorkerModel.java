package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.ModelConfig.MANY;
import static io.github.workerregistry.lifecycle.ModelConfig.SLOTS;
import static io.github.workerregistry.lifecycle.ModelConfig.SUSPECT_LIMIT;
import static org.assertj.core.api.Assertions.fail;

import io.github.workerregistry.Exit;
import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.Incarnation;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.lifecycle.LivenessModel.Health;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The life cycle of one worker, as the hive observes it, single-threaded and independent of the implementation: which
 * events must come next, which may come, and which are overdue.
 *
 * <p>Every action on a worker, and every act of its process, is applied to the model first. The model queues the events
 * that must follow, and each delivered event must be the first of that queue. An event that is not queued is a decision
 * of the supervisor's loops: the model checks that it is justified and not too early; {@link #requireNothingOverdue}
 * checks that it is not too late. Times ({@code Duration}) are active times, without pauses.
 */
final class WorkerModel {

    enum Phase {
        LOADING,
        READY,
        BACKING_OFF,
        STOPPING,
        /** It has no record. Its process may still run, if the hive removed the record. */
        REMOVED
    }

    /** How many workers are alive, and how many of them miss heartbeats soon: a mass failure is suspected first. */
    record Others(int alive, int silentSoon) {}

    /** The line that a worker prints for each probe, if it logs them. */
    static final String PROBED = "GET /health";

    final String id;
    final String modelRef;
    final ModelRules rules;
    private final RestartModel restarts;
    private final List<Exit> exits;
    private final ExpectedEvents due = new ExpectedEvents();
    private final LivenessModel liveness;

    // its record
    Phase phase = Phase.LOADING;
    int generation = 1;
    private Instant startedAt;
    int leases;
    Cause reason = Cause.REQUESTED;
    private Instant retryAt = Instant.MIN;
    private Optional<Instant> readyAt = Optional.empty();

    // its process, and requests
    private final boolean recordsOutput;
    private ProcessModel process;
    private StopModel stop;
    private boolean stopRequested;
    private boolean restartWanted;

    /** Its record was removed in backoff, and no tick has detected that yet. */
    private boolean removedInBackoff;

    WorkerModel(String id, String modelRef, ModelRules rules, List<Exit> exits, Health health, ModelTime now) {
        this.id = id;
        this.rules = rules;
        stop = new StopModel(rules.lifecycle());
        recordsOutput = ModelConfig.recordsOutput(id);
        process = new ProcessModel(recordsOutput);
        this.modelRef = modelRef;
        restarts = new RestartModel(rules.restartPolicy());
        this.exits = exits;
        liveness = new LivenessModel(id, rules, health, now);
        startedAt = now.clock();
        expect("Registered");
    }

    // ---- state ----

    Duration drain() {
        return rules.lifecycle().drainTimeout();
    }

    Duration grace() {
        return rules.lifecycle().stopGrace();
    }

    private Incarnation incarnation() {
        return new Incarnation(id, generation, startedAt);
    }

    boolean hasRecord() {
        return phase != Phase.REMOVED;
    }

    /** Whether the supervisor still holds it, so that its id and port are in use. */
    boolean isSupervised() {
        return hasRecord() || process.isStartingOrRunning() || removedInBackoff;
    }

    boolean canLease() {
        return phase == Phase.READY && leases < SLOTS;
    }

    Health health() {
        return liveness.health();
    }

    boolean holdsLeases() {
        return phase == Phase.READY || phase == Phase.STOPPING;
    }

    ProcessModel process() {
        return process;
    }

    /** Whether the stop of that attempt ended as unkillable. */
    boolean isUnkillable(int attempt) {
        return stop.isUnkillable() || stop.attempts() > attempt;
    }

    int attempts() {
        return stop.attempts();
    }

    void loopsHaveEnded() {
        stop.isLast();
    }

    boolean isOver(int ofGeneration) {
        return generation > ofGeneration || !process.isStartingOrRunning();
    }

    String state() {
        return switch (phase) {
            case LOADING -> "loading";
            case READY -> leases == 0 ? "idle" : "busy";
            case BACKING_OFF -> "backing_off";
            case STOPPING -> "stopping";
            case REMOVED -> "removed";
        };
    }

    // ---- process ----

    /** The controller is called to start its process. */
    void starts(boolean fails, ModelTime now) {
        if (fails) {
            process.startFails();
            startFailed(now);
        } else {
            process.starts();
            obey(now);
        }
    }

    private void startFailed(ModelTime now) {
        if (generation == 1) {
            phase = Phase.REMOVED;
            expect("Removed START_FAILED");
        } else {
            end(Cause.START_FAILED, ExitStatus.unrequested(127), now);
        }
    }

    void exits(int code, ModelTime now) {
        if (process.isRunning()) {
            ended(process.exitCode(code), now);
        }
    }

    void prints(String line, ModelTime now) {
        if (process.recordsOutput()) {
            process.prints(line);
            liveness.prints(now);
        }
    }

    private void obey(ModelTime now) {
        process.exitUnder(stop).ifPresent(code -> ended(code, now));
    }

    private void ended(int code, ModelTime now) {
        if (stop.isSignalled()) {
            end(hasRecord() ? reason : Cause.DEREGISTERED, ExitStatus.requested(code), now);
        } else {
            end(code == 0 ? Cause.EXITED : Cause.CRASHED, ExitStatus.unrequested(code), now);
        }
    }

    /** The exit is detected: a restart follows, or the worker is removed. */
    private void end(Cause cause, ExitStatus status, ModelTime now) {
        process.exited();
        boolean covered = !stopRequested && restarts.follow(cause);
        Optional<RestartModel.Next> restart = restartWanted && !stopRequested
                ? Optional.of(RestartModel.AT_ONCE)
                : covered ? restarts.after(now.clock(), readyAt) : Optional.empty();
        Cause last = covered && restart.isEmpty() ? Cause.CRASH_LOOP : cause;
        exits.add(new Exit(incarnation(), modelRef, last, status, process.output(), now.clock()));
        if (!hasRecord()) {
            return;
        }
        if (RestartModel.isFailure(last)) {
            expect("Crashed " + last);
        }
        leases = 0;
        if (restart.isPresent()
                && (phase != Phase.STOPPING || RestartModel.isFailure(reason) || reason == Cause.RESTART)) {
            phase = Phase.BACKING_OFF;
            expect(scheduled(restart.get(), now.clock()));
        } else {
            phase = Phase.REMOVED;
            expect("Removed " + last);
        }
    }

    private String scheduled(RestartModel.Next restart, Instant now) {
        retryAt = now.plus(restart.delay());
        return "RestartScheduled " + restart.attempt() + " " + retryAt;
    }

    // ---- actions of the hive ----

    boolean ready(ModelTime now) {
        if (phase == Phase.LOADING && process.isRunning()) {
            expect("BecameReady");
            becameReady(now);
        }
        return phase == Phase.READY;
    }

    void lease() {
        leases++;
    }

    void release(ModelTime now) {
        leases--;
        liveness.idle(now);
    }

    void progress(ModelTime now) {
        liveness.progress(now);
    }

    void beat(ModelTime now) {
        liveness.beat(now);
    }

    void answers(Health next, ModelTime now) {
        liveness.answers(next, now);
    }

    void stop(Cause why, Duration drain, Duration untilKill, ModelTime now) {
        stopRequested = true;
        if (process.isStartingOrRunning()) {
            beginStop(why, drain, untilKill, now);
        } else {
            removedInBackoff = false;
            if (phase == Phase.BACKING_OFF) {
                phase = Phase.REMOVED;
                expect("Removed " + why);
            }
        }
    }

    void restart(ModelTime now) {
        if (process.isStarting()) {
            return;
        }
        restartWanted = true;
        if (process.isRunning()) {
            beginStop(Cause.RESTART, drain(), drain().plus(grace()), now);
        } else if (phase == Phase.BACKING_OFF) {
            restarted(now);
        } else {
            removedInBackoff = false;
        }
    }

    /** Its record is removed by the hive. */
    void deregister() {
        if (hasRecord()) {
            expect("Removed DEREGISTERED");
            removedInBackoff = !process.isStartingOrRunning();
            phase = Phase.REMOVED;
            leases = 0;
        }
    }

    private void beginStop(Cause why, Duration drain, Duration untilKill, ModelTime now) {
        if (hasRecord() && phase != Phase.STOPPING) {
            phase = Phase.STOPPING;
            reason = why;
            expect("StopStarted " + why);
        }
        if (process.isStarting()) {
            neverStarts(now);
        } else {
            stop.begin(now.active(), drain, untilKill);
            step(now);
        }
    }

    /** Its pending start is cancelled. */
    private void neverStarts(ModelTime now) {
        process.startFails();
        exits.add(new Exit(
                incarnation(), modelRef, Cause.START_FAILED, ExitStatus.requested(127), List.of(), now.clock()));
        if (hasRecord()) {
            phase = Phase.REMOVED;
            expect("Removed START_FAILED");
        }
    }

    private void step(ModelTime now) {
        stop.proceed(now.active(), process.isRunning() ? leases : 0);
        obey(now);
    }

    /** It is probed; the worker may log the probe. */
    void isProbed(ModelTime now) {
        liveness.isProbed(isIdle());
        if (process.logsProbes() && process.recordsOutput()) {
            process.prints(PROBED);
            liveness.logsProbe(now);
        }
    }

    private void becameReady(ModelTime now) {
        phase = Phase.READY;
        readyAt = Optional.of(now.clock());
        liveness.becameReady(now);
    }

    private void restarted(ModelTime now) {
        generation++;
        startedAt = now.clock();
        expect("Restarted");
        phase = Phase.LOADING;
        process = new ProcessModel(recordsOutput);
        stop = new StopModel(rules.lifecycle());
        stopRequested = false;
        restartWanted = false;
        readyAt = Optional.empty();
        liveness.restarted(now);
    }

    // ---- actions of the supervisor ----

    /** A tick of the supervisor: what it must detect and do, apart from evaluations. Idempotent within a tick. */
    void tick(ModelTime now) {
        if (process.isRunning() && process.unnotifiedExit().isPresent()) {
            ended(process.unnotifiedExit().getAsInt(), now);
        } else if (process.isRunning() && !hasRecord() && !stop.isKilled()) {
            stopRequested = true;
            stop.begin(now.active(), Duration.ZERO, Duration.ZERO);
        }
        if (process.isRunning()) {
            step(now);
        }
        if (phase == Phase.BACKING_OFF && !now.clock().isBefore(retryAt)) {
            restarted(now);
        }
        removedInBackoff = false;
    }

    /** Checks a delivered event. During a tick, it may be the first sign of what the tick must do. */
    void receives(WorkerEvent.OfWorker event, boolean inTick, Others others, ModelTime now) {
        if (due.isEmpty() && inTick) {
            tick(now);
        }
        if (due.isEmpty()) {
            evaluate(event, others, now);
        }
        due.receive(event, this);
    }

    /** An event that must come next, of this generation. */
    private void expect(String event) {
        due.add(generation, event);
    }

    /** Evaluates an event that no action required: whether it is justified, and not too early. */
    private void evaluate(WorkerEvent.OfWorker event, Others others, ModelTime now) {
        if (event instanceof WorkerEvent.BecameReady) {
            boolean passes = rules.probed() && liveness.health() == Health.HEALTHY;
            require(phase == Phase.LOADING && process.isRunning() && passes, event, now);
            becameReady(now);
        } else if (event instanceof WorkerEvent.HealthCheckFailed) {
            require(liveness.mayFailCheck(event.worker().failedHealthChecks(), isIdle(), now), event, now);
        } else if (event instanceof WorkerEvent.Suspected) {
            require(liveness.mayBeSuspected(now) && others.alive() >= MANY, event, now);
        } else if (event instanceof WorkerEvent.SuspicionCleared) {
            require(liveness.mayBeCleared(), event, now);
        } else if (event instanceof WorkerEvent.IdleTimedOut) {
            require(isIdle() && liveness.hasIdledTooLong(now), event, now);
            due.add(event);
            beginStop(Cause.IDLE_TIMEOUT, Duration.ZERO, grace(), now);
            return;
        } else if (event instanceof WorkerEvent.StopStarted stopping) {
            require(mayBeStopped(stopping, others, now), event, now);
            beginStop(stopping.reason().cause(), Duration.ZERO, grace(), now);
            return;
        } else {
            fail("%s of %s at %s", ExpectedEvents.text(event), this, now);
        }
        due.add(event);
    }

    private boolean mayBeStopped(WorkerEvent.StopStarted stopping, Others others, ModelTime now) {
        return switch (stopping.reason()) {
            case UNHEALTHY ->
                isIdle() && liveness.hasFailedTooOften(stopping.worker().failedHealthChecks());
            case LOAD_STALL -> phase == Phase.LOADING && liveness.hasStalled(process.recordsOutput(), now);
            case LOAD_TIMEOUT -> phase == Phase.LOADING && liveness.hasLoadedTooLong(now);
            case HEARTBEAT_MISSED ->
                isAlive()
                        && liveness.isSilentSoon(now, Duration.ZERO)
                        && (others.silentSoon() < MANY || liveness.wasSuspectedForLong(now));
            default -> false;
        };
    }

    boolean isAlive() {
        return phase == Phase.LOADING || phase == Phase.READY;
    }

    /** Whether its heartbeats are overdue, or will be within its interval. */
    boolean isSilentSoon(ModelTime now) {
        return isAlive() && liveness.isSilentSoon(now, rules.lifecycle().heartbeatInterval());
    }

    private void require(boolean reasonable, WorkerEvent.OfWorker event, ModelTime now) {
        if (!reasonable) {
            fail("%s at %s, without reason: %s", event, now, this);
        }
    }

    private boolean isIdle() {
        return phase == Phase.READY && leases == 0;
    }

    // ---- overdue events ----

    void requireAllReceived() {
        due.requireAllReceived(this);
    }

    /**
     * Called after each tick.
     *
     * @param lastPause the end of the last pause; the tick after it evaluates nothing
     * @param fewOthers whether there were never enough workers for a mass failure
     */
    void requireNothingOverdue(ModelTime now, Duration lastPause, boolean fewOthers) {
        Duration suspicion =
                fewOthers ? Duration.ZERO : SUSPECT_LIMIT.plus(rules.lifecycle().healthInterval());
        if (phase == Phase.LOADING && process.isRunning()) {
            liveness.requireLoadingNotOverdue(process.recordsOutput(), now, lastPause);
        }
        if (isIdle() && process.isRunning()) {
            liveness.requireIdleNotOverdue(now, lastPause, suspicion);
        }
        if (isAlive() && process.isRunning()) {
            liveness.requireBeatNotOverdue(now, lastPause, suspicion);
        }
    }

    @Override
    public String toString() {
        return id + " #" + generation + " " + state() + (phase == Phase.STOPPING ? "(" + reason + ")" : "")
                + (process.isRunning() ? ", running" : "") + (process.isStarting() ? ", starting" : "") + ", " + leases
                + " leases, " + liveness;
    }
}
