package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.LifeRules.BEAT;
import static io.github.workerregistry.lifecycle.LifeRules.BEATS_MISSED;
import static io.github.workerregistry.lifecycle.LifeRules.FAILURES;
import static io.github.workerregistry.lifecycle.LifeRules.HEALTH_INTERVAL;
import static io.github.workerregistry.lifecycle.LifeRules.HEALTH_TIMEOUT;
import static io.github.workerregistry.lifecycle.LifeRules.IDLE_CHECK;
import static io.github.workerregistry.lifecycle.LifeRules.IDLE_TIMEOUT;
import static io.github.workerregistry.lifecycle.LifeRules.LOAD_STALL;
import static io.github.workerregistry.lifecycle.LifeRules.LOAD_TIMEOUT;
import static io.github.workerregistry.lifecycle.LifeRules.READY_PROBE;
import static io.github.workerregistry.lifecycle.LifeRules.ROUND;
import static io.github.workerregistry.lifecycle.LifeRules.SUSPECT_LIMIT;
import static org.assertj.core.api.Assertions.fail;

import java.time.Duration;
import java.util.Optional;

/**
 * What a modelled worker shows of itself, by its answers, its progress, its heartbeats and its idleness; and which
 * verdicts of the supervisor's loops there is reason for then, and which are overdue.
 */
final class ModelledSigns {

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

    private final String id;
    private Health health;
    private Duration healthSince;
    private Duration silentUntil = Duration.ofDays(-1);
    private Duration loadingSince;
    private Duration progressAt; // at the latest: what came beside a probe may be none
    private Duration surelyProgressAt;
    private Duration outputAt;
    private Duration outputBefore; // what is printed in a round, at a probe, is read in the next one
    private Duration maybeUnprobedAt = Duration.ZERO;
    private boolean reported;
    private Duration idleSince = Duration.ZERO;
    private Optional<Duration> beatAt = Optional.empty();

    // what the supervisor has made of them so far
    private int failedChecks;
    private boolean askedWhileIdle;
    private Optional<Duration> suspectedAt = Optional.empty();

    ModelledSigns(String id, Health health, Moment now) {
        this.id = id;
        this.health = health;
        healthSince = now.present();
        loads(now);
    }

    private void loads(Moment now) {
        loadingSince = now.present();
        progressAt = now.present();
        surelyProgressAt = now.present();
        outputAt = now.present();
        outputBefore = now.present();
        reported = false;
    }

    // ---- what is shown ----

    Health health() {
        return health;
    }

    void answers(Health next, Moment now) {
        if (health == Health.SILENT) {
            silentUntil = now.present();
        }
        if (health != next) {
            healthSince = now.present();
        }
        health = next;
    }

    void progress(Moment now) {
        progressAt = max(progressAt, now.present());
        surelyProgressAt = max(surelyProgressAt, now.present());
        reported = true;
    }

    void prints(Moment now) {
        progressAt = now.nextRound(); // when it is looked for
        logsProbe(now);
    }

    void logsProbe(Moment now) {
        if (outputAt.compareTo(now.nextRound()) < 0) {
            outputBefore = outputAt;
            outputAt = now.nextRound();
        }
    }

    void beat(Moment now) {
        beatAt = Optional.of(now.nextRound()); // when it is seen
        progress(now);
    }

    void idle(Moment now) {
        idleSince = now.present();
    }

    void isProbed(boolean whileIdle) {
        askedWhileIdle = whileIdle;
    }

    void becameReady(Moment now) {
        idle(now);
        failedChecks = 0;
    }

    void restarted(Moment now) {
        beatAt = Optional.empty();
        failedChecks = 0;
        suspectedAt = Optional.empty();
        loads(now);
    }

    // ---- what there is reason for ----

    /** Whether a check may have failed, as the count of those in a row says; noted, if so. */
    boolean mayFailCheck(int count, boolean idle, Moment now) {
        boolean lateAnswer = now.isBefore(silentUntil.plus(HEALTH_TIMEOUT).plus(ROUND.multipliedBy(2)));
        boolean counted = count == 1 || count == failedChecks + 1;
        failedChecks = count;
        return askedWhileIdle && idle && (health.fails() || lateAnswer) && counted;
    }

    boolean mayBeSuspected(Moment now) {
        boolean isNew = suspectedAt.isEmpty();
        suspectedAt = Optional.of(now.present());
        return isNew;
    }

    boolean mayBeCleared() {
        boolean wasSuspected = suspectedAt.isPresent();
        suspectedAt = Optional.empty();
        return wasSuspected;
    }

    boolean hasIdledTooLong(Moment now) {
        return !now.isBefore(idleSince.plus(IDLE_TIMEOUT));
    }

    boolean hasFailedTooOften(int count) {
        return failedChecks >= FAILURES && count == failedChecks;
    }

    /** Only one that could show something can be found to show nothing. */
    boolean hasStalled(boolean recordsOutput, Moment now) {
        Duration readOutputAt = now.isBefore(outputAt) ? outputBefore : outputAt;
        return (recordsOutput || reported)
                && !now.isBefore(max(progressAt, readOutputAt).plus(LOAD_STALL));
    }

    boolean hasLoadedTooLong(Moment now) {
        return !now.isBefore(loadingSince.plus(LOAD_TIMEOUT));
    }

    /** Whether its heartbeats are overdue, or will be in a while. */
    boolean isSilentSoon(Moment now, Duration ahead) {
        return beatAt.isPresent()
                && now.isAfter(
                        beatAt.get().plus(BEAT.multipliedBy(BEATS_MISSED)).minus(ahead));
    }

    boolean wasSuspectedForLong(Moment now) {
        return suspectedAt.isPresent() && !now.isBefore(suspectedAt.get().plus(SUSPECT_LIMIT));
    }

    // ---- what is overdue; in doubt, because many others fail as well, a verdict may wait ----

    void requireLoadingNotOverdue(boolean recordsOutput, Moment now, Duration lastPause) {
        if (!now.isBefore(surelyProgressAt.plus(LOAD_STALL))) {
            maybeUnprobedAt = now.present();
        }
        if (health == Health.WELL) {
            Duration slowest = READY_PROBE.multipliedBy(4).plus(HEALTH_TIMEOUT);
            Duration askable = max(max(healthSince, maybeUnprobedAt), max(loadingSince, lastPause));
            requireNot("ready", now, askable.plus(slowest), 2);
        }
        Duration pauseOver = lastPause.plus(ROUND);
        if (recordsOutput || reported) {
            Duration silentSince = max(progressAt, outputAt);
            Duration loggedAtMost =
                    progressAt.plus(LOAD_STALL).plus(HEALTH_TIMEOUT).plus(ROUND);
            requireNot("load stall", now, max(silentSince.plus(LOAD_STALL), pauseOver), 2);
            requireNot("stall of one that logs probes", now, max(loggedAtMost.plus(LOAD_STALL), pauseOver), 2);
        }
        requireNot("load timeout", now, max(loadingSince.plus(LOAD_TIMEOUT), pauseOver), 2);
    }

    void requireIdleNotOverdue(Moment now, Duration lastPause, Duration doubt) {
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

    void requireBeatNotOverdue(Moment now, Duration lastPause, Duration doubt) {
        if (beatAt.isPresent()) {
            Duration silent = beatAt.get().plus(BEAT.multipliedBy(BEATS_MISSED));
            requireNot("heartbeat", now, max(silent, lastPause).plus(doubt), 3);
        }
    }

    private void requireNot(String overdue, Moment now, Duration limit, int rounds) {
        if (now.isAfter(limit.plus(ROUND.multipliedBy(rounds)))) {
            fail("%s of %s is overdue since %s, at %s: %s", overdue, id, limit, now, this);
        }
    }

    private static Duration max(Duration a, Duration b) {
        return a.compareTo(b) >= 0 ? a : b;
    }

    @Override
    public String toString() {
        return health + " since " + healthSince + ", loading since " + loadingSince + ", progress " + progressAt
                + " or "
                + surelyProgressAt + ", output " + outputAt
                + ", idle since " + idleSince + ", beat " + beatAt + ", failed checks " + failedChecks
                + ", suspected since " + suspectedAt;
    }
}
