package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.ModelConfig.SUSPECT_LIMIT;
import static io.github.workerregistry.lifecycle.ModelConfig.TICK;
import static org.assertj.core.api.Assertions.fail;

import java.time.Duration;
import java.util.Optional;

/**
 * The liveness of one worker: health answers, load progress, heartbeats and idleness; which decisions of the
 * supervisor's loops they justify, and which are overdue.
 */
final class LivenessModel {

    /** The answer of its probe. */
    enum Health {
        HEALTHY,
        UNHEALTHY,
        SILENT,
        UNCLEAR;

        boolean fails() {
            return this == UNHEALTHY || this == SILENT;
        }
    }

    private final String id;
    private final LifecycleConfig config;
    private final boolean probed;
    private Health health;
    private Duration healthSince;
    private Duration silentUntil = Duration.ofDays(-1);
    private Duration loadingSince;
    private Duration progressAt; // at the latest: output during a probe may be none
    private Duration surelyProgressAt;
    private Duration outputAt;
    private Duration outputBefore; // output printed at a probe during a tick is read in the next tick
    private Duration maybeUnprobedAt = Duration.ZERO;
    private boolean reported;
    private Duration idleSince = Duration.ZERO;
    private Optional<Duration> beatAt = Optional.empty();

    // decisions of the supervisor so far
    private int failedChecks;
    private boolean askedWhileIdle;
    private Optional<Duration> suspectedAt = Optional.empty();

    LivenessModel(String id, ModelRules rules, Health health, ModelTime now) {
        this.id = id;
        config = rules.lifecycle();
        probed = rules.probed();
        this.health = health;
        healthSince = now.active();
        loads(now);
    }

    private void loads(ModelTime now) {
        loadingSince = now.active();
        progressAt = now.active();
        surelyProgressAt = now.active();
        outputAt = now.active();
        outputBefore = now.active();
        reported = false;
    }

    // ---- inputs ----

    Health health() {
        return health;
    }

    void answers(Health next, ModelTime now) {
        if (health == Health.SILENT) {
            silentUntil = now.active();
        }
        if (health != next) {
            healthSince = now.active();
        }
        health = next;
    }

    void progress(ModelTime now) {
        progressAt = max(progressAt, now.active());
        surelyProgressAt = max(surelyProgressAt, now.active());
        reported = true;
    }

    void prints(ModelTime now) {
        progressAt = now.nextTick(); // when it is read
        logsProbe(now);
    }

    void logsProbe(ModelTime now) {
        if (outputAt.compareTo(now.nextTick()) < 0) {
            outputBefore = outputAt;
            outputAt = now.nextTick();
        }
    }

    void beat(ModelTime now) {
        beatAt = Optional.of(now.nextTick()); // when it is read
        progress(now);
    }

    void idle(ModelTime now) {
        idleSince = now.active();
    }

    void isProbed(boolean whileIdle) {
        askedWhileIdle = whileIdle;
    }

    void becameReady(ModelTime now) {
        idle(now);
        failedChecks = 0;
    }

    void restarted(ModelTime now) {
        beatAt = Optional.empty();
        failedChecks = 0;
        suspectedAt = Optional.empty();
        loads(now);
    }

    // ---- justified decisions ----

    /** Whether a failed check with this count of consecutive failures is justified; records the count. */
    boolean mayFailCheck(int count, boolean idle, ModelTime now) {
        boolean lateAnswer =
                now.isBefore(silentUntil.plus(config.healthTimeout()).plus(TICK.multipliedBy(2)));
        boolean counted = count == 1 || count == failedChecks + 1;
        failedChecks = count;
        return askedWhileIdle && idle && (health.fails() || lateAnswer) && counted;
    }

    boolean mayBeSuspected(ModelTime now) {
        boolean isNew = suspectedAt.isEmpty();
        suspectedAt = Optional.of(now.active());
        return isNew;
    }

    boolean mayBeCleared() {
        boolean wasSuspected = suspectedAt.isPresent();
        suspectedAt = Optional.empty();
        return wasSuspected;
    }

    boolean hasIdledTooLong(ModelTime now) {
        return config.idleTimeout()
                .filter(timeout -> !now.isBefore(idleSince.plus(timeout)))
                .isPresent();
    }

    boolean hasFailedTooOften(int count) {
        return failedChecks >= config.failureThreshold() && count == failedChecks;
    }

    /** Only a worker that can show progress can stall. */
    boolean hasStalled(boolean recordsOutput, ModelTime now) {
        Duration readOutputAt = now.isBefore(outputAt) ? outputBefore : outputAt;
        return (recordsOutput || reported)
                && !now.isBefore(max(progressAt, readOutputAt).plus(config.loadStallTimeout()));
    }

    boolean hasLoadedTooLong(ModelTime now) {
        return config.loadTimeout()
                .filter(timeout -> !now.isBefore(loadingSince.plus(timeout)))
                .isPresent();
    }

    /** Whether its heartbeats are overdue, or will be within {@code ahead}. */
    boolean isSilentSoon(ModelTime now, Duration ahead) {
        return beatAt.isPresent()
                && now.isAfter(beatAt.get().plus(heartbeatTimeout()).minus(ahead));
    }

    boolean wasSuspectedForLong(ModelTime now) {
        return suspectedAt.isPresent() && !now.isBefore(suspectedAt.get().plus(SUSPECT_LIMIT));
    }

    // ---- overdue decisions; one may be deferred while a mass failure is suspected ----

    void requireLoadingNotOverdue(boolean recordsOutput, ModelTime now, Duration lastPause) {
        if (!now.isBefore(surelyProgressAt.plus(config.loadStallTimeout()))) {
            maybeUnprobedAt = now.active();
        }
        if (probed && health == Health.HEALTHY) {
            Duration slowest = config.readyInterval().multipliedBy(4).plus(config.healthTimeout());
            Duration askable = max(max(healthSince, maybeUnprobedAt), max(loadingSince, lastPause));
            requireNot("ready", now, askable.plus(slowest), 2);
        }
        Duration pauseOver = lastPause.plus(TICK);
        if (recordsOutput || reported) {
            Duration silentSince = max(progressAt, outputAt);
            Duration loggedAtMost = progressAt
                    .plus(config.loadStallTimeout())
                    .plus(config.healthTimeout())
                    .plus(TICK);
            requireNot("load stall", now, max(silentSince.plus(config.loadStallTimeout()), pauseOver), 2);
            requireNot(
                    "stall of one that logs probes",
                    now,
                    max(loggedAtMost.plus(config.loadStallTimeout()), pauseOver),
                    2);
        }
        config.loadTimeout()
                .ifPresent(timeout -> requireNot("load timeout", now, max(loadingSince.plus(timeout), pauseOver), 2));
    }

    void requireIdleNotOverdue(ModelTime now, Duration lastPause, Duration suspicion) {
        Duration check = config.idleCheckInterval();
        config.idleTimeout()
                .map(timeout -> max(idleSince.plus(timeout), lastPause.plus(check)))
                .ifPresent(limit -> requireNot("idle timeout", now, limit.plus(check), 2));
        if (probed && health.fails()) {
            Duration since = max(max(healthSince, idleSince), lastPause);
            Duration checks = config.healthInterval()
                    .plus(TICK.multipliedBy(2))
                    .multipliedBy(config.failureThreshold())
                    .plus(config.healthTimeout().multipliedBy(2));
            requireNot("unhealthy", now, since.plus(checks).plus(suspicion), 2);
        }
    }

    void requireBeatNotOverdue(ModelTime now, Duration lastPause, Duration suspicion) {
        if (beatAt.isPresent()) {
            Duration silent = beatAt.get().plus(heartbeatTimeout());
            requireNot("heartbeat", now, max(silent, lastPause).plus(suspicion), 3);
        }
    }

    private Duration heartbeatTimeout() {
        return config.heartbeatInterval().multipliedBy(config.heartbeatMisses());
    }

    private void requireNot(String overdue, ModelTime now, Duration limit, int ticks) {
        if (now.isAfter(limit.plus(TICK.multipliedBy(ticks)))) {
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
