package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.testing.FakeProcessController;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Loads that make progress and are never over. */
@ExtendWith(UnexpectedWarnings.class)
class LoadTimeoutTest {

    private static final Duration TIMEOUT = Duration.ofMinutes(5);

    private static VirtualHive hive() {
        return VirtualHive.with(config -> config.loadTimeout(TIMEOUT));
    }

    /** Ten times a second: what is written now is progress. */
    private static void keepPrinting(VirtualHive hive, String id) {
        var unused = hive.time.scheduleAtFixedRate(
                () -> hive.processes.print(id, "loading"), 50, 100, TimeUnit.MILLISECONDS);
    }

    @Test
    void loadThatTakesTooLongIsEndedWhateverProgressItMakes() {
        UnexpectedWarnings.expect("is not ready after PT10S", "is given up: it was not ready within PT5M");
        VirtualHive hive = hive();
        String id = hive.spawnLoading();
        keepPrinting(hive, id);

        hive.advance(TIMEOUT.minusSeconds(1));
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
        hive.advanceSeconds(2);

        assertThat(hive.isGone(id)).isTrue();
        assertThat(hive.supervisor.recentExits())
                .singleElement()
                .extracting(Exit::cause, exit -> exit.cause().isFailure())
                .containsExactly(Exit.Cause.LOAD_TIMEOUT, true);
        assertThat(hive.heard.historyOf(id)).containsExactly("Registered", "Stopping", "Crashed", "Removed");
        assertThat(hive.registry.stats().endedBy()).containsOnlyKeys(Exit.Cause.LOAD_TIMEOUT);
    }

    @Test
    void loadTakesAsLongAsItLikesWithoutALoadTimeout() {
        UnexpectedWarnings.expect("is not ready after PT10S");
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnLoading();
        keepPrinting(hive, id);

        hive.advance(Duration.ofHours(5));

        assertThat(hive.state(id)).isInstanceOf(Loading.class);
    }

    @Test
    void workerThatBecameReadyInTimeIsLeftAlone() {
        UnexpectedWarnings.expect("is not ready after PT10S");
        VirtualHive hive = hive();
        String id = hive.spawnLoading();
        keepPrinting(hive, id);
        hive.advance(TIMEOUT.minusSeconds(1));

        hive.supervisor.ready(id);
        hive.probe.answerAll(HealthStatus.healthy());
        hive.advance(TIMEOUT);

        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    @Test
    void eachGenerationHasTheWholeTime() {
        UnexpectedWarnings.expect(
                "is not ready after PT10S", "is given up: it was not ready within PT5M", "is gone: CRASHED");
        VirtualHive hive = new VirtualHive(
                builder -> builder.restart(RestartPolicy.builder().jitter(0).build())
                        .config(VirtualHive.config().loadTimeout(TIMEOUT).build()));
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
    void loadWhoseOutputIsNotRecordedIsEndedToo() {
        UnexpectedWarnings.expect("is not ready after PT10S", "is given up: it was not ready within PT5M");
        VirtualHive hive = hive();
        hive.processes.discardOutput();
        String id = hive.spawnLoading();

        hive.advance(TIMEOUT.plusSeconds(1));

        assertThat(hive.isGone(id)).isTrue();
    }

    @Test
    void loadThatTheHiveRegisteredItselfLosesItsRecord() {
        UnexpectedWarnings.expect("is not ready after PT10S", "is given up: it was not ready within PT5M");
        VirtualHive hive = hive();
        hive.probe.answerAll(HealthStatus.unhealthy("loading"));
        hive.registry.register(WorkerInfo.builder()
                .id("hive's")
                .url("http://elsewhere")
                .modelRef("m")
                .state(new Loading(hive.time.instant()))
                .startedAt(hive.time.instant())
                .build());

        hive.advance(TIMEOUT.plusSeconds(1));

        assertThat(hive.isGone("hive's")).isTrue();
    }

    /** Of two limits that are over at the same time, the stall says more. */
    @Test
    void silentLoadWithEqualLimitsHasStalled() {
        UnexpectedWarnings.expect("is not ready after PT10S", "made no progress");
        VirtualHive hive = VirtualHive.with(config -> config.loadStall(TIMEOUT).loadTimeout(TIMEOUT));
        hive.spawnLoading();

        hive.advance(TIMEOUT.plusSeconds(1));

        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.LOAD_STALL);
    }

    @Test
    void startThatBlocksForTooLongIsEndedAsSoonAsTheProcessIsThere() {
        UnexpectedWarnings.expect("is not ready after PT10S", "is given up: it was not ready within PT5M");
        FakeProcessController processes = new FakeProcessController();
        AtomicReference<VirtualHive> self = new AtomicReference<>();
        ProcessController slow = spec -> {
            self.get().advance(TIMEOUT.plusSeconds(1));
            return processes.start(spec);
        };
        VirtualHive hive = new VirtualHive(builder -> builder.processes(slow)
                .config(VirtualHive.config()
                        .loadStall(Duration.ofHours(1))
                        .loadTimeout(TIMEOUT)
                        .build()));
        self.set(hive);
        hive.probe.answerAll(HealthStatus.unhealthy("loading"));

        String id = hive.supervisor.spawn(VirtualHive.SPEC).id();

        assertThat(hive.isGone(id)).isTrue();
        assertThat(processes.running()).isEmpty();
        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.LOAD_TIMEOUT);
    }
}
