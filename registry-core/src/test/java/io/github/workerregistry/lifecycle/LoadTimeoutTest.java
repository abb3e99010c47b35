package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthStatus;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Loads that make progress and never become ready: {@link LifecycleConfig#loadTimeout}. */
@ExtendWith(UnexpectedWarnings.class)
class LoadTimeoutTest {

    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final String SLOW = Warnings.NOT_READY;
    private static final String TIMED_OUT = "it was not ready within PT5M";

    private final VirtualHive hive = VirtualHive.with(config -> config.loadTimeout(TIMEOUT));

    /** For every load of more than ten seconds. */
    @BeforeEach
    void expectSlowLoad() {
        UnexpectedWarnings.expect(SLOW);
    }

    /** Prints ten times a second, so that output is always progress. */
    private static void keepPrinting(VirtualHive hive, String id) {
        var unused = hive.time.scheduleAtFixedRate(
                () -> hive.processes.print(id, "loading"), 50, 100, TimeUnit.MILLISECONDS);
    }

    @Test
    void aLoadIsStoppedAtTheLoadTimeoutDespiteProgress() {
        UnexpectedWarnings.expect(TIMED_OUT);
        String id = hive.spawnLoading();
        keepPrinting(hive, id);

        hive.advance(TIMEOUT.minusSeconds(1));
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
        hive.advanceSeconds(2);

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.supervisor.recentExits())
                .singleElement()
                .extracting(Exit::cause, exit -> exit.cause().isFailure())
                .containsExactly(Exit.Cause.LOAD_TIMEOUT, true);
        assertThat(hive.heard.historyOf(id)).containsExactly("Registered", "StopStarted", "Crashed", "Removed");
        assertThat(hive.registry.stats().endedBy()).containsOnlyKeys(Exit.Cause.LOAD_TIMEOUT);
    }

    @Test
    void aLoadMayTakeAnyTimeWithoutALoadTimeout() {
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnLoading();
        keepPrinting(hive, id);

        hive.advance(Duration.ofHours(5));

        assertThat(hive.state(id)).isInstanceOf(Loading.class);
    }

    @Test
    void aWorkerReadyInTimeIsNotStopped() {
        String id = hive.spawnLoading();
        keepPrinting(hive, id);
        hive.advance(TIMEOUT.minusSeconds(1));

        hive.supervisor.reportReady(id);
        hive.probe.answerAll(HealthStatus.healthy());
        hive.advance(TIMEOUT);

        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    @Test
    void eachGenerationHasTheWholeLoadTimeout() {
        UnexpectedWarnings.expect(TIMED_OUT, Warnings.CRASHED);
        VirtualHive hive = new VirtualHive(builder -> builder.restartPolicy(
                        RestartPolicy.builder().jitter(0).build())
                .lifecycle(VirtualHive.config().loadTimeout(TIMEOUT).build()));
        String id = hive.spawnLoading();
        keepPrinting(hive, id);
        hive.advance(TIMEOUT.minusSeconds(10));
        hive.processes.exit(id, 1);

        hive.advance(TIMEOUT.minusSeconds(10));
        assertThat(hive.worker(id).generation()).isEqualTo(2);
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
        hive.advanceSeconds(12);

        assertThat(hive.state(id)).isInstanceOf(BackingOff.class);
    }

    @Test
    void aLoadWithoutRecordedOutputIsStoppedAtTheLoadTimeout() {
        UnexpectedWarnings.expect(TIMED_OUT);
        hive.processes.discardOutput();
        String id = hive.spawnLoading();

        hive.advance(TIMEOUT.plusSeconds(1));

        assertThat(hive.isRemoved(id)).isTrue();
    }

    @Test
    void aRegisteredLoadIsRemovedAtTheLoadTimeout() {
        UnexpectedWarnings.expect(TIMED_OUT);
        hive.registerLoading("own");

        hive.advance(TIMEOUT.plusSeconds(1));

        assertThat(hive.isRemoved("own")).isTrue();
    }

    /** If both limits expire together, the stall is reported. */
    @Test
    void aStallIsReportedIfBothTimeoutsExpireTogether() {
        UnexpectedWarnings.expect(Warnings.NO_PROGRESS);
        VirtualHive hive =
                VirtualHive.with(config -> config.loadStallTimeout(TIMEOUT).loadTimeout(TIMEOUT));
        hive.spawnLoading();

        hive.advance(TIMEOUT.plusSeconds(1));

        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.LOAD_STALL);
    }

    @Test
    void aStartLongerThanTheLoadTimeoutIsStoppedOnceTheProcessIsStarted() {
        UnexpectedWarnings.expect(TIMED_OUT);
        VirtualHive hive = new VirtualHive((self, builder) -> builder.processController(spec -> {
                    self.advance(TIMEOUT.plusSeconds(1));
                    return self.processes.start(spec);
                })
                .lifecycle(VirtualHive.config()
                        .loadStallTimeout(Duration.ofHours(1))
                        .loadTimeout(TIMEOUT)
                        .build()));

        String id = hive.spawnLoading();

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.processes.running()).isEmpty();
        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.LOAD_TIMEOUT);
    }
}
