package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.LifeRules.DRAIN;
import static io.github.workerregistry.lifecycle.LifeRules.GRACE;
import static io.github.workerregistry.lifecycle.LifeRules.HEALTH_INTERVAL;
import static io.github.workerregistry.lifecycle.LifeRules.MANY;
import static io.github.workerregistry.lifecycle.LifeRules.SLOTS;
import static io.github.workerregistry.lifecycle.LifeRules.SUSPECT_LIMIT;
import static org.assertj.core.api.Assertions.fail;

import io.github.workerregistry.Exit;
import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.lifecycle.ModelledSigns.Health;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The life of one worker as its host understands it, written down in one thread and without the library's workings:
 * what must come next, what may come, and what must have come by now.
 *
 * <p>What is done to a worker, and what its process does, is told to the model before it is done. The model puts the
 * events that must follow into a queue, and each event of the worker has to be the first of that queue. Events that
 * nobody foresaw are verdicts of the supervisor's loops: the model checks that there is reason for them, and that it is
 * not too early; {@link #requireNothingOverdue} checks that it is not too late. Times ({@code Duration}) are times in
 * which the host ran.
 */
final class ModelledLife {

    enum Phase {
        LOADING,
        READY,
        BACKING_OFF,
        STOPPING,
        /** It has no record. Its process may still be there, if the host took the record away. */
        GONE
    }

    /** How many workers there are, and how many of them fail to beat: when many do, they are kept for a while. */
    record Others(int alive, int silentSoon) {}

    /** What a worker prints for each probe, if it does. */
    static final String PROBED = "GET /health";

    final String id;
    final String modelRef;
    private final ModelledRestarts restarts;
    private final List<Exit> exits;
    private final ForetoldEvents due = new ForetoldEvents();
    private final ModelledSigns signs;

    // its record
    Phase phase = Phase.LOADING;
    int generation = 1;
    int leases;
    Cause reason = Cause.REQUESTED;
    private Instant retryAt = Instant.MIN;
    private Optional<Instant> readyAt = Optional.empty();

    // its process, and what is wanted of it
    private final boolean recordsOutput;
    private ModelledProcess process;
    private ModelledStop stop = new ModelledStop();
    private boolean dismissed;
    private boolean restartWanted;

    /** Its record was taken away while it backed off, and the supervisor does not know. */
    private boolean forgotten;

    ModelledLife(String id, String modelRef, RestartPolicy.Mode mode, List<Exit> exits, Health health, Moment now) {
        this.id = id;
        recordsOutput = LifeRules.recordsOutput(id);
        process = new ModelledProcess(recordsOutput);
        this.modelRef = modelRef;
        restarts = new ModelledRestarts(mode);
        this.exits = exits;
        signs = new ModelledSigns(id, health, now);
        foresee("Registered");
    }

    // ---- what is known ----

    boolean hasRecord() {
        return phase != Phase.GONE;
    }

    /** Whether the supervisor still has to do with it, so that nobody else can have its id and its port. */
    boolean isSupervised() {
        return hasRecord() || process.isStartingOrRunning() || forgotten;
    }

    boolean canLease() {
        return phase == Phase.READY && leases < SLOTS;
    }

    Health health() {
        return signs.health();
    }

    boolean holdsLeases() {
        return phase == Phase.READY || phase == Phase.STOPPING;
    }

    ModelledProcess process() {
        return process;
    }

    /** Whether the stop that was asked for in that attempt was in vain. */
    boolean isGivenUp(int attempt) {
        return stop.isGivenUp() || stop.attempts() > attempt;
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
            case GONE -> "gone";
        };
    }

    // ---- its process ----

    /** The start of its process is tried. */
    void starts(boolean fails, Moment now) {
        if (fails) {
            process.startFails();
            startFailed(now);
        } else {
            process.starts();
            obey(now);
        }
    }

    private void startFailed(Moment now) {
        if (generation == 1) {
            phase = Phase.GONE;
            foresee("Removed START_FAILED");
        } else {
            end(Cause.START_FAILED, ExitStatus.unrequested(127), now);
        }
    }

    void exits(int code, Moment now) {
        if (process.isRunning()) {
            ended(process.exitCode(code), now);
        }
    }

    void prints(String line, Moment now) {
        if (process.recordsOutput()) {
            process.prints(line);
            signs.prints(now);
        }
    }

    private void obey(Moment now) {
        process.exitUnder(stop).ifPresent(code -> ended(code, now));
    }

    private void ended(int code, Moment now) {
        if (stop.isSignalled()) {
            end(hasRecord() ? reason : Cause.DEREGISTERED, ExitStatus.requested(code), now);
        } else {
            end(code == 0 ? Cause.EXITED : Cause.CRASHED, ExitStatus.unrequested(code), now);
        }
    }

    /** The process has gone, and this is noticed: a restart follows, or the worker is removed. */
    private void end(Cause cause, ExitStatus status, Moment now) {
        process.gone();
        boolean covered = !dismissed && restarts.follow(cause);
        Optional<ModelledRestarts.Next> restart = restartWanted && !dismissed
                ? Optional.of(ModelledRestarts.AT_ONCE)
                : covered ? restarts.after(now.clock(), readyAt) : Optional.empty();
        Cause last = covered && restart.isEmpty() ? Cause.CRASH_LOOP : cause;
        exits.add(new Exit(id, modelRef, generation, last, status, process.output(), now.clock()));
        if (!hasRecord()) {
            return;
        }
        if (ModelledRestarts.isFailure(last)) {
            foresee("Crashed " + last);
        }
        leases = 0;
        if (restart.isPresent()
                && (phase != Phase.STOPPING || ModelledRestarts.isFailure(reason) || reason == Cause.RESTART)) {
            phase = Phase.BACKING_OFF;
            foresee(scheduled(restart.get(), now.clock()));
        } else {
            phase = Phase.GONE;
            foresee("Removed " + last);
        }
    }

    private String scheduled(ModelledRestarts.Next restart, Instant now) {
        retryAt = now.plus(restart.delay());
        return "RestartScheduled " + restart.attempt() + " " + retryAt;
    }

    // ---- what the host does ----

    boolean ready(Moment now) {
        if (phase == Phase.LOADING && process.isRunning()) {
            foresee("BecameReady");
            becameReady(now);
        }
        return phase == Phase.READY;
    }

    void lease() {
        leases++;
    }

    void giveBack(Moment now) {
        leases--;
        signs.idle(now);
    }

    void progress(Moment now) {
        signs.progress(now);
    }

    void beat(Moment now) {
        signs.beat(now);
    }

    void answers(Health next, Moment now) {
        signs.answers(next, now);
    }

    void stop(Cause why, Duration drain, Duration untilKill, Moment now) {
        dismissed = true;
        if (process.isStartingOrRunning()) {
            beginStop(why, drain, untilKill, now);
        } else {
            forgotten = false;
            if (phase == Phase.BACKING_OFF) {
                phase = Phase.GONE;
                foresee("Removed " + why);
            }
        }
    }

    void restart(Moment now) {
        if (process.isStarting()) {
            return;
        }
        restartWanted = true;
        if (process.isRunning()) {
            beginStop(Cause.RESTART, DRAIN, DRAIN.plus(GRACE), now);
        } else if (phase == Phase.BACKING_OFF) {
            restarted(now);
        } else {
            forgotten = false;
        }
    }

    /** Its record is taken out of the registry, behind the supervisor's back. */
    void deregister() {
        if (hasRecord()) {
            foresee("Removed DEREGISTERED");
            forgotten = !process.isStartingOrRunning();
            phase = Phase.GONE;
            leases = 0;
        }
    }

    private void beginStop(Cause why, Duration drain, Duration untilKill, Moment now) {
        if (hasRecord() && phase != Phase.STOPPING) {
            phase = Phase.STOPPING;
            reason = why;
            foresee("Stopping " + why);
        }
        if (process.isStarting()) {
            neverStarts(now);
        } else {
            stop.begin(now.present(), drain, untilKill);
            step(now);
        }
    }

    /** Its process was still to be started, and is not. */
    private void neverStarts(Moment now) {
        process.startFails();
        exits.add(new Exit(
                id, modelRef, generation, Cause.START_FAILED, ExitStatus.requested(127), List.of(), now.clock()));
        if (hasRecord()) {
            phase = Phase.GONE;
            foresee("Removed START_FAILED");
        }
    }

    private void step(Moment now) {
        stop.look(now.present(), process.isRunning() ? leases : 0);
        obey(now);
    }

    /** Its probe is asked; what the worker prints then is in the log of probes. */
    void isProbed(Moment now) {
        signs.isProbed(isIdle());
        if (process.logsProbes() && process.recordsOutput()) {
            process.prints(PROBED);
            signs.logsProbe(now);
        }
    }

    private void becameReady(Moment now) {
        phase = Phase.READY;
        readyAt = Optional.of(now.clock());
        signs.becameReady(now);
    }

    private void restarted(Moment now) {
        generation++;
        foresee("Restarted");
        phase = Phase.LOADING;
        process = new ModelledProcess(recordsOutput);
        stop = new ModelledStop();
        dismissed = false;
        restartWanted = false;
        readyAt = Optional.empty();
        signs.restarted(now);
    }

    // ---- what the supervisor does by itself ----

    /** A round of the supervisor: what it must find and do, verdicts apart. Once or more in a round is the same. */
    void round(Moment now) {
        if (process.isRunning() && process.silentExit().isPresent()) {
            ended(process.silentExit().getAsInt(), now);
        } else if (process.isRunning() && !hasRecord() && !stop.isKilled()) {
            dismissed = true;
            stop.begin(now.present(), Duration.ZERO, Duration.ZERO);
        }
        if (process.isRunning()) {
            step(now);
        }
        if (phase == Phase.BACKING_OFF && !now.clock().isBefore(retryAt)) {
            restarted(now);
        }
        forgotten = false;
    }

    /** Hears an event. In a round, it may be the first that tells of what the round must do. */
    void hears(WorkerEvent.OfWorker event, boolean inRound, Others others, Moment now) {
        if (due.isEmpty() && inRound) {
            round(now);
        }
        if (due.isEmpty()) {
            judge(event, others, now);
        }
        due.hear(event, this);
    }

    /** An event that must come next, of this generation. */
    private void foresee(String event) {
        due.add(generation, event);
    }

    /** A verdict: is there reason for it, and is it time? */
    private void judge(WorkerEvent.OfWorker event, Others others, Moment now) {
        if (event instanceof WorkerEvent.BecameReady) {
            require(phase == Phase.LOADING && process.isRunning() && signs.health() == Health.WELL, event, now);
            becameReady(now);
        } else if (event instanceof WorkerEvent.HealthCheckFailed) {
            require(signs.mayFailCheck(event.worker().failedHealthChecks(), isIdle(), now), event, now);
        } else if (event instanceof WorkerEvent.Suspected) {
            require(signs.mayBeSuspected(now) && others.alive() >= MANY, event, now);
        } else if (event instanceof WorkerEvent.Cleared) {
            require(signs.mayBeCleared(), event, now);
        } else if (event instanceof WorkerEvent.IdleTimedOut) {
            require(isIdle() && signs.hasIdledTooLong(now), event, now);
            due.add(event);
            beginStop(Cause.IDLE_TIMEOUT, Duration.ZERO, GRACE, now);
            return;
        } else if (event instanceof WorkerEvent.Stopping stopping) {
            require(mayBeGivenUp(stopping, others, now), event, now);
            beginStop(stopping.reason(), Duration.ZERO, GRACE, now);
            return;
        } else {
            fail("%s of %s at %s", ForetoldEvents.text(event), this, now);
        }
        due.add(event);
    }

    private boolean mayBeGivenUp(WorkerEvent.Stopping stopping, Others others, Moment now) {
        return switch (stopping.reason()) {
            case UNHEALTHY ->
                isIdle() && signs.hasFailedTooOften(stopping.worker().failedHealthChecks());
            case LOAD_STALL -> phase == Phase.LOADING && signs.hasStalled(process.recordsOutput(), now);
            case LOAD_TIMEOUT -> phase == Phase.LOADING && signs.hasLoadedTooLong(now);
            case HEARTBEAT_MISSED ->
                isSilentSoon(now, Duration.ZERO) && (others.silentSoon() < MANY || signs.wasSuspectedForLong(now));
            default -> false;
        };
    }

    boolean isAlive() {
        return phase == Phase.LOADING || phase == Phase.READY;
    }

    /** Whether its heartbeats are overdue, or will be in a while. */
    boolean isSilentSoon(Moment now, Duration ahead) {
        return isAlive() && signs.isSilentSoon(now, ahead);
    }

    private void require(boolean reasonable, WorkerEvent.OfWorker event, Moment now) {
        if (!reasonable) {
            fail("%s at %s, without reason: %s", event, now, this);
        }
    }

    private boolean isIdle() {
        return phase == Phase.READY && leases == 0;
    }

    // ---- what must have come ----

    void requireAllTold() {
        due.requireAllTold(this);
    }

    /**
     * A round is over.
     *
     * @param lastPause when the host was last away: a round after that gives no verdict
     * @param fewOthers whether there were too few workers all the time for any to be kept under suspicion
     */
    void requireNothingOverdue(Moment now, Duration lastPause, boolean fewOthers) {
        Duration doubt = fewOthers ? Duration.ZERO : SUSPECT_LIMIT.plus(HEALTH_INTERVAL);
        if (phase == Phase.LOADING && process.isRunning()) {
            signs.requireLoadingNotOverdue(process.recordsOutput(), now, lastPause);
        }
        if (isIdle() && process.isRunning()) {
            signs.requireIdleNotOverdue(now, lastPause, doubt);
        }
        if (isAlive() && process.isRunning()) {
            signs.requireBeatNotOverdue(now, lastPause, doubt);
        }
    }

    @Override
    public String toString() {
        return id + " #" + generation + " " + state() + (phase == Phase.STOPPING ? "(" + reason + ")" : "")
                + (process.isRunning() ? ", running" : "") + (process.isStarting() ? ", starting" : "") + ", " + leases
                + " leases, " + signs;
    }
}
