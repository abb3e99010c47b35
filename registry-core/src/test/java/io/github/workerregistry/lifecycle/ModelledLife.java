package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.LifeRules.BEAT;
import static io.github.workerregistry.lifecycle.LifeRules.BEATS_MISSED;
import static io.github.workerregistry.lifecycle.LifeRules.DRAIN;
import static io.github.workerregistry.lifecycle.LifeRules.FAILURES;
import static io.github.workerregistry.lifecycle.LifeRules.GRACE;
import static io.github.workerregistry.lifecycle.LifeRules.HEALTH_INTERVAL;
import static io.github.workerregistry.lifecycle.LifeRules.HEALTH_TIMEOUT;
import static io.github.workerregistry.lifecycle.LifeRules.IDLE_CHECK;
import static io.github.workerregistry.lifecycle.LifeRules.IDLE_TIMEOUT;
import static io.github.workerregistry.lifecycle.LifeRules.LOAD_STALL;
import static io.github.workerregistry.lifecycle.LifeRules.MANY;
import static io.github.workerregistry.lifecycle.LifeRules.READY_PROBE;
import static io.github.workerregistry.lifecycle.LifeRules.ROUND;
import static io.github.workerregistry.lifecycle.LifeRules.SLOTS;
import static io.github.workerregistry.lifecycle.LifeRules.SUSPECT_LIMIT;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import io.github.workerregistry.Exit;
import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.WorkerEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

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

    /** How its probe answers. */
    enum Health {
        WELL,
        ILL,
        SILENT,
        UNCLEAR;

        boolean fails() {
            return this == ILL || this == SILENT;
        }
    }

    /** How many workers there are, and how many of them fail to beat: when many do, they are kept for a while. */
    record Others(int alive, int silentSoon) {}

    /**
     * When something happens, in time in which the host ran; when the next round comes; and when it is by the clock.
     */
    record Moment(Duration present, Duration nextRound, Instant clock) {}

    final String id;
    final String modelRef;
    private final ModelledRestarts restarts;
    private final List<Exit> exits;
    private final Deque<String> due = new ArrayDeque<>();

    // its record
    Phase phase = Phase.LOADING;
    int generation = 1;
    int leases;
    Cause reason = Cause.REQUESTED;
    private Instant retryAt = Instant.MIN;
    private int failedChecks;
    private boolean askedWhileIdle;
    private Optional<Duration> suspectedAt = Optional.empty();

    // its process
    boolean running;
    private boolean starting = true;
    private boolean ignoresTerminate;
    private boolean ignoresKill;
    private OptionalInt silentExit = OptionalInt.empty();
    private final List<String> output = new ArrayList<>();

    // what is wanted of it
    private ModelledStop stop = new ModelledStop();
    private boolean dismissed;
    private boolean restartWanted;

    /** Its record was taken away while it backed off, and the supervisor does not know. */
    private boolean forgotten;

    // what its verdicts depend on
    private Health health;
    private Duration healthSince;
    private Duration silentUntil = Duration.ofDays(-1);
    private Duration loadingSince;
    private Duration progressAt;
    private Duration idleSince = Duration.ZERO;
    private Optional<Duration> beatAt = Optional.empty();
    private Optional<Instant> readyAt = Optional.empty();

    ModelledLife(String id, String modelRef, RestartPolicy.Mode mode, List<Exit> exits, Health health, Moment now) {
        this.id = id;
        this.modelRef = modelRef;
        restarts = new ModelledRestarts(mode);
        this.exits = exits;
        this.health = health;
        healthSince = now.present;
        loadingSince = now.present;
        progressAt = now.present;
        foresee("Registered");
    }

    // ---- what is known ----

    boolean hasRecord() {
        return phase != Phase.GONE;
    }

    /** Whether the supervisor still has to do with it, so that nobody else can have its id and its port. */
    boolean isSupervised() {
        return hasRecord() || running || starting || forgotten;
    }

    boolean canLease() {
        return phase == Phase.READY && leases < SLOTS;
    }

    Health health() {
        return health;
    }

    boolean holdsLeases() {
        return phase == Phase.READY || phase == Phase.STOPPING;
    }

    boolean hasProcess() {
        return running && silentExit.isEmpty();
    }

    boolean isStuck() {
        return running && (ignoresTerminate || silentExit.isPresent());
    }

    boolean isGivenUp() {
        return stop.isGivenUp();
    }

    boolean isOver(int ofGeneration) {
        return generation > ofGeneration || !(running || starting);
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
        starting = false;
        if (fails && generation == 1) {
            phase = Phase.GONE;
            foresee("Removed START_FAILED");
        } else if (fails) {
            end(Cause.START_FAILED, ExitStatus.unrequested(127), now);
        } else {
            running = true;
            obey(now);
        }
    }

    void exits(int code, Moment now) {
        if (running) {
            ended(silentExit.orElse(code), now);
        }
    }

    void exitsUnnoticed(int code) {
        if (silentExit.isEmpty()) {
            silentExit = OptionalInt.of(code);
        }
    }

    void ignoresTerminate() {
        ignoresTerminate = true;
    }

    void ignoresKill() {
        ignoresTerminate = true;
        ignoresKill = true;
    }

    void prints(String line, Moment now) {
        output.add(line);
        progressAt = now.nextRound; // when it is looked for
    }

    private void obey(Moment now) {
        if (running && stop.isKilled() && !ignoresKill) {
            ended(silentExit.orElse(137), now);
        } else if (running && stop.isTerminated() && !ignoresTerminate) {
            ended(silentExit.orElse(0), now);
        }
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
        running = false;
        silentExit = OptionalInt.empty();
        boolean covered = !dismissed && restarts.follow(cause);
        Optional<ModelledRestarts.Next> restart = restartWanted && !dismissed
                ? Optional.of(ModelledRestarts.AT_ONCE)
                : covered ? restarts.after(now.clock, readyAt) : Optional.empty();
        Cause last = covered && restart.isEmpty() ? Cause.CRASH_LOOP : cause;
        exits.add(new Exit(id, modelRef, generation, last, status, List.copyOf(output), now.clock));
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
            foresee(scheduled(restart.get(), now.clock));
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
        if (phase == Phase.LOADING) {
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
        idleSince = now.present;
    }

    void progress(Moment now) {
        progressAt = max(progressAt, now.present);
    }

    void beat(Moment now) {
        beatAt = Optional.of(now.nextRound); // when it is seen
        progress(now);
    }

    void answers(Health next, Moment now) {
        if (health == Health.SILENT) {
            silentUntil = now.present;
        }
        if (health != next) {
            healthSince = now.present;
        }
        health = next;
    }

    void stop(Cause why, Duration drain, Duration untilKill, Moment now) {
        dismissed = true;
        if (running || starting) {
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
        if (starting) {
            return;
        }
        restartWanted = true;
        if (running) {
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
            forgotten = !running && !starting;
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
        stop.begin(now.present, drain, untilKill);
        step(now);
    }

    private void step(Moment now) {
        stop.look(now.present, running ? leases : 0);
        obey(now);
    }

    /** Its probe is asked. */
    void isProbed() {
        askedWhileIdle = isIdle();
    }

    private void becameReady(Moment now) {
        phase = Phase.READY;
        idleSince = now.present;
        readyAt = Optional.of(now.clock);
        failedChecks = 0;
    }

    private void restarted(Moment now) {
        generation++;
        foresee("Restarted");
        phase = Phase.LOADING;
        starting = true;
        stop = new ModelledStop();
        dismissed = false;
        restartWanted = false;
        ignoresTerminate = false;
        ignoresKill = false;
        output.clear();
        beatAt = Optional.empty();
        readyAt = Optional.empty();
        failedChecks = 0;
        suspectedAt = Optional.empty();
        loadingSince = now.present;
        progressAt = now.present;
    }

    // ---- what the supervisor does by itself ----

    /** A round of the supervisor: what it must find and do, verdicts apart. Once or more in a round is the same. */
    void round(Moment now) {
        if (running && silentExit.isPresent()) {
            ended(silentExit.getAsInt(), now);
        } else if (running && !hasRecord() && !stop.isKilled()) {
            dismissed = true;
            stop.begin(now.present, Duration.ZERO, Duration.ZERO);
        }
        if (running) {
            step(now);
        }
        if (phase == Phase.BACKING_OFF && !now.clock.isBefore(retryAt)) {
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
        assertThat(text(event)).as("event of %s", this).isEqualTo(due.poll());
    }

    /** An event that must come next, of this generation. */
    private void foresee(String event) {
        due.add("#" + generation + " " + event);
    }

    private static String text(WorkerEvent.OfWorker event) {
        String name = "#" + event.worker().generation() + " " + event.getClass().getSimpleName();
        if (event instanceof WorkerEvent.Crashed crashed) {
            return name + " " + crashed.exit().cause();
        } else if (event instanceof WorkerEvent.RestartScheduled scheduled) {
            return name + " " + scheduled.attempt() + " " + scheduled.retryAt();
        } else if (event instanceof WorkerEvent.Stopping stopping) {
            return name + " " + stopping.reason();
        } else if (event instanceof WorkerEvent.Removed removed) {
            return name + " " + removed.reason();
        }
        return name;
    }

    /** A verdict: is there reason for it, and is it time? */
    private void judge(WorkerEvent.OfWorker event, Others others, Moment now) {
        if (event instanceof WorkerEvent.BecameReady) {
            require(phase == Phase.LOADING && health == Health.WELL, event, now);
            becameReady(now);
        } else if (event instanceof WorkerEvent.HealthCheckFailed) {
            boolean lateAnswer = isBefore(now, silentUntil.plus(HEALTH_TIMEOUT).plus(ROUND.multipliedBy(2)));
            require(askedWhileIdle && isIdle() && (health.fails() || lateAnswer), event, now);
            int count = event.worker().failedHealthChecks();
            require(count == 1 || count == failedChecks + 1, event, now);
            failedChecks = count;
        } else if (event instanceof WorkerEvent.Suspected) {
            require(suspectedAt.isEmpty() && others.alive() >= MANY, event, now);
            suspectedAt = Optional.of(now.present);
        } else if (event instanceof WorkerEvent.Cleared) {
            require(suspectedAt.isPresent(), event, now);
            suspectedAt = Optional.empty();
        } else if (event instanceof WorkerEvent.IdleTimedOut) {
            require(isIdle() && !isBefore(now, idleSince.plus(IDLE_TIMEOUT)), event, now);
            due.add(text(event));
            beginStop(Cause.IDLE_TIMEOUT, Duration.ZERO, GRACE, now);
            return;
        } else if (event instanceof WorkerEvent.Stopping stopping) {
            require(mayBeGivenUp(stopping, others, now), event, now);
            beginStop(stopping.reason(), Duration.ZERO, GRACE, now);
            return;
        } else {
            fail("%s of %s at %s", text(event), this, now);
        }
        due.add(text(event));
    }

    private boolean mayBeGivenUp(WorkerEvent.Stopping stopping, Others others, Moment now) {
        return switch (stopping.reason()) {
            case UNHEALTHY ->
                isIdle() && failedChecks >= FAILURES && stopping.worker().failedHealthChecks() == failedChecks;
            case LOAD_STALL -> phase == Phase.LOADING && !isBefore(now, progressAt.plus(LOAD_STALL));
            case HEARTBEAT_MISSED ->
                isSilentSoon(now, Duration.ZERO) && (others.silentSoon() < MANY || wasSuspectedForLong(now));
            default -> false;
        };
    }

    private boolean wasSuspectedForLong(Moment now) {
        return suspectedAt.isPresent() && !isBefore(now, suspectedAt.get().plus(SUSPECT_LIMIT));
    }

    boolean isAlive() {
        return phase == Phase.LOADING || phase == Phase.READY;
    }

    /** Whether its heartbeats are overdue, or will be in a while. */
    boolean isSilentSoon(Moment now, Duration ahead) {
        return isAlive()
                && beatAt.isPresent()
                && isBefore(beatAt.get().plus(BEAT.multipliedBy(BEATS_MISSED)).minus(ahead), now);
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
        assertThat(due).as("what should have been told of %s", this).isEmpty();
    }

    /**
     * A round is over.
     *
     * @param lastPause when the host was last away: a round after that gives no verdict
     * @param fewOthers whether there were too few workers all the time for any to be kept under suspicion
     */
    void requireNothingOverdue(Moment now, Duration lastPause, boolean fewOthers) {
        Duration doubt = fewOthers ? Duration.ZERO : SUSPECT_LIMIT.plus(HEALTH_INTERVAL);
        if (phase == Phase.LOADING && running) {
            if (health == Health.WELL) {
                Duration slowest = READY_PROBE.multipliedBy(4).plus(HEALTH_TIMEOUT);
                requireNot(
                        "ready",
                        now,
                        max(healthSince, max(loadingSince, lastPause)).plus(slowest),
                        2);
            }
            requireNot("load stall", now, max(progressAt.plus(LOAD_STALL), lastPause.plus(ROUND)), 2);
        }
        if (isIdle() && running) {
            Duration checkAgain = max(idleSince.plus(IDLE_TIMEOUT), lastPause.plus(IDLE_CHECK));
            requireNot("idle timeout", now, checkAgain.plus(IDLE_CHECK), 2);
            if (health.fails()) {
                Duration since = max(max(healthSince, idleSince), lastPause);
                Duration checks = HEALTH_INTERVAL
                        .plus(ROUND.multipliedBy(2))
                        .multipliedBy(FAILURES)
                        .plus(HEALTH_TIMEOUT.multipliedBy(2));
                requireNot("unhealthy", now, since.plus(checks).plus(doubt), 2);
            }
        }
        if (isAlive() && running && beatAt.isPresent()) {
            Duration silent = beatAt.get().plus(BEAT.multipliedBy(BEATS_MISSED));
            requireNot("heartbeat", now, max(silent, lastPause).plus(doubt), 3);
        }
    }

    private void requireNot(String overdue, Moment now, Duration limit, int rounds) {
        if (now.present.compareTo(limit.plus(ROUND.multipliedBy(rounds))) > 0) {
            fail("%s is overdue since %s, at %s: %s", overdue, limit, now, this);
        }
    }

    private static boolean isBefore(Moment now, Duration limit) {
        return now.present.compareTo(limit) < 0;
    }

    private static boolean isBefore(Duration limit, Moment now) {
        return limit.compareTo(now.present) < 0;
    }

    private static Duration max(Duration a, Duration b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    @Override
    public String toString() {
        return id + " #" + generation + " " + state() + (phase == Phase.STOPPING ? "(" + reason + ")" : "")
                + (running ? ", running" : "") + (starting ? ", starting" : "") + ", " + leases + " leases, " + health
                + " since " + healthSince + ", loading since " + loadingSince + ", progress " + progressAt
                + ", idle since " + idleSince + ", beat " + beatAt + ", failed checks " + failedChecks
                + ", suspected since " + suspectedAt;
    }
}
