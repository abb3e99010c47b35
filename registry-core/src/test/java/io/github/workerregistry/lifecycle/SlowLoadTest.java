package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.github.workerregistry.LoggedLines;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.health.HealthStatus;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The log of loads that take more than ten seconds. */
@ExtendWith(UnexpectedWarnings.class)
class SlowLoadTest {

    private static final String NO_PROBE = "no health probe is set: only reportReady(id) makes it ready";

    @RegisterExtension
    final LoggedLines lines = new LoggedLines();

    private final VirtualHive hive = new VirtualHive();

    /** A supervisor without a health probe. */
    private final WorkerSupervisor withoutProbe = WorkerSupervisor.builder(hive.registry, hive.time)
            .processController(hive.processes)
            .restartPolicy(RestartPolicy.never())
            .lifecycle(
                    VirtualHive.config().loadStallTimeout(Duration.ofHours(1)).build())
            .build();

    @BeforeEach
    void everyWarningIsComparedHere() {
        UnexpectedWarnings.allow("is not ready after", Warnings.STOPPED, "has ended");
    }

    private List<String> warnings() {
        return lines.said(Level.WARN);
    }

    private static String named(String id) {
        return "worker " + new WorkerName(id, VirtualHive.SPEC.modelRef(), 1);
    }

    private static String notReady(String id, String why) {
        return named(id) + " is not ready after PT10S: " + why;
    }

    @Test
    void aLoadOfMoreThanTenSecondsIsLoggedOnceWithTheLastAnswer() {
        String id = hive.spawnLoading();
        hive.advanceSeconds(5);
        hive.probe.answer(id, HealthStatus.unhealthy("status 404"));

        hive.advance(Duration.ofMillis(9_900 - 5_000));
        assertThat(warnings()).isEmpty();
        hive.advance(Duration.ofSeconds(60));

        assertThat(warnings()).containsExactly(notReady(id, "last health check: status 404"));
    }

    @Test
    void aLoadOfLessThanTenSecondsIsNotLogged() {
        String id = hive.spawnLoading();
        hive.advanceSeconds(9);
        hive.probe.answer(id, HealthStatus.healthy());

        hive.advance(Duration.ofMinutes(5));

        assertThat(warnings()).isEmpty();
    }

    @Test
    void eachGenerationIsLoggedOnce() {
        VirtualHive hive = VirtualHive.restarting();
        String id = hive.spawnLoading();
        hive.advanceSeconds(30);
        hive.processes.exit(id, 1);

        hive.advanceSeconds(30);

        String warning = notReady(id, "last health check: loading");
        assertThat(warnings())
                .filteredOn(line -> line.contains("not ready"))
                .containsExactly(warning, warning.replace("generation 1", "generation 2"));
    }

    @Test
    void aHungProbeIsNamed() {
        String id = hive.spawnLoading();
        hive.probe.hang(id);

        hive.advanceSeconds(11);

        assertThat(warnings()).containsExactly(notReady(id, "last health check: no answer within PT5S"));
    }

    @Test
    void aProbeWithoutAnAnswerIsNamed() {
        VirtualHive hive = VirtualHive.with(config -> config.healthTimeout(Duration.ofSeconds(30)));
        String id = hive.spawnLoading();
        hive.probe.hang(id);

        hive.advanceSeconds(11);

        assertThat(warnings()).containsExactly(notReady(id, "no health check has been answered"));
    }

    @Test
    void aRegisteredWorkerIsLogged() {
        hive.registerLoading("own");

        hive.advance(Duration.ofMinutes(1));

        assertThat(warnings()).containsExactly(notReady("own", "last health check: loading"));
    }

    @Test
    void aStalledLoadIsLoggedWithTheLastAnswer() {
        VirtualHive hive = VirtualHive.with(config -> config.loadStallTimeout(Duration.ofSeconds(3)));
        String id = hive.spawnLoading();

        hive.advanceSeconds(5);

        assertThat(warnings())
                .containsExactly(named(id)
                        + " is stopped: LOAD_STALL, its load made no progress for PT3S; last health check: loading");
    }

    /** Regression: such workers loaded without end, and no log named the reason. */
    @Test
    void theFirstSlowLoadWithNeitherProbeNorCallBackIsLogged() {
        String first = withoutProbe.spawn(VirtualHive.SPEC).id();
        hive.time.advance(Duration.ofSeconds(1));
        withoutProbe.spawn(VirtualHive.SPEC);

        hive.time.advance(Duration.ofMinutes(1));
        withoutProbe.spawn(VirtualHive.SPEC);
        hive.time.advance(Duration.ofMinutes(1));

        assertThat(warnings()).containsExactly(notReady(first, NO_PROBE));
    }

    @Test
    void aSlowLoadIsNotLoggedIfWorkersCallBack() {
        String first = withoutProbe.spawn(VirtualHive.SPEC).id();
        hive.time.advance(Duration.ofSeconds(9));
        withoutProbe.reportReady(first);

        withoutProbe.spawn(VirtualHive.SPEC);
        hive.time.advance(Duration.ofMinutes(1));

        assertThat(warnings()).isEmpty();
    }

    /** A call-back for an unknown id makes no worker ready. */
    @Test
    void aCallBackForAnUnknownWorkerDoesNotCount() {
        assertThat(withoutProbe.reportReady("unknown")).isFalse();
        String id = withoutProbe.spawn(VirtualHive.SPEC).id();

        hive.time.advance(Duration.ofSeconds(11));

        assertThat(warnings()).containsExactly(notReady(id, NO_PROBE));
    }

    @Test
    void aMissingCallBackIsNamedWhenTheLoadStalls() {
        withoutProbe.reportReady(withoutProbe.spawn(VirtualHive.SPEC).id());
        String id = withoutProbe.spawn(VirtualHive.SPEC).id();

        hive.time.advance(Duration.ofMinutes(61));

        assertThat(warnings())
                .containsExactly(named(id)
                        + " is stopped: LOAD_STALL, its load made no progress for PT1H; it has not called back");
    }
}
