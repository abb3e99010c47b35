package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.testing.ForwardingProcess;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** When a load counts as stalled, in virtual time. The stall limit is the default, 2 min. */
@ExtendWith(UnexpectedWarnings.class)
class LoadStallTest {

    private final VirtualHive hive = new VirtualHive();

    private void assertStalled(String id) {
        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.supervisor.recentExits())
                .singleElement()
                .extracting(Exit::workerId, Exit::cause)
                .containsExactly(id, Exit.Cause.LOAD_STALL);
    }

    /** Regression: every load of more than two minutes was stopped, because 0 bytes of output never grow. */
    @Test
    void aSilentLoadWithoutRecordedOutputIsNotStopped() {
        UnexpectedWarnings.expect(Warnings.NOT_READY);
        hive.processes.discardOutput();
        String id = hive.spawnLoading();
        hive.processes.print(id, "not recorded");

        hive.advance(Duration.ofHours(3));

        assertThat(hive.state(id)).isInstanceOf(Loading.class);
    }

    @SuppressWarnings("ResultOfMethodCallIgnored")
    static Stream<Named<BiConsumer<VirtualHive, String>>> signs() {
        return Stream.of(
                Named.of("a progress report", (hive, id) -> hive.supervisor.reportProgress(id)),
                Named.of("a heartbeat", (hive, id) -> hive.registry.heartbeat(id)));
    }

    @ParameterizedTest
    @MethodSource("signs")
    void silenceAfterAFirstReportIsAStallWithoutRecordedOutput(BiConsumer<VirtualHive, String> sign) {
        UnexpectedWarnings.expect(Warnings.NOT_READY, Warnings.NO_PROGRESS + " for PT2M");
        VirtualHive hive = VirtualHive.with(config -> config.heartbeatInterval(Duration.ofHours(1)));
        hive.processes.discardOutput();
        String id = hive.spawnLoading();
        hive.advance(Duration.ofMinutes(10));
        sign.accept(hive, id);

        hive.advanceSeconds(119);
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
        hive.advanceSeconds(2);

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.LOAD_STALL);
    }

    /** Reports of one generation do not show that the next one reports. */
    @Test
    void aReportOfTheLastGenerationDoesNotCountForTheNext() {
        UnexpectedWarnings.expect(Warnings.CRASHED, Warnings.NOT_READY);
        VirtualHive hive = VirtualHive.restarting();
        hive.processes.discardOutput();
        String id = hive.spawnLoading();
        hive.supervisor.reportProgress(id);
        hive.processes.exit(id, 1);

        hive.advance(Duration.ofMinutes(30));

        assertThat(hive.worker(id).generation()).isEqualTo(2);
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
    }

    /** Lines and probes both come once a second, so that some lines never meet a gap. */
    @ParameterizedTest
    @ValueSource(longs = {0, 1, 50, 99, 100, 150, 200, 300, 500, 799, 800, 801, 850, 900, 999})
    void aWorkerThatWritesEveryThreeSecondsIsProbedThroughout(long phaseMillis) {
        UnexpectedWarnings.expect(Warnings.NOT_READY);
        ProbedLoad load =
                new ProbedLoad(VirtualHive.config().build(), Duration.ofMillis(20), Optional.of(Duration.ofMillis(10)));
        load.writeEvery(Duration.ofSeconds(3), Duration.ofMillis(phaseMillis));

        load.advance(Duration.ofMinutes(20));

        assertThat(load.isLoading()).isTrue();
        assertThat(load.windows()).hasSizeGreaterThan(1_000);
    }

    @Test
    void anApparentlyStalledLoadIsNotProbedUntilItWrites() {
        UnexpectedWarnings.expect(Warnings.NOT_READY);
        ProbedLoad load =
                new ProbedLoad(VirtualHive.config().build(), Duration.ofMillis(20), Optional.of(Duration.ofMillis(10)));
        load.advance(Duration.ofSeconds(125));
        int probes = load.windows().size();

        load.advance(Duration.ofSeconds(100));
        assertThat(load.windows()).hasSize(probes);
        load.write();
        load.advance(Duration.ofSeconds(10));

        assertThat(load.windows()).hasSize(probes + 9);
        assertThat(load.isLoading()).isTrue();
    }

    /** Loads are evaluated once a second; a limit below that must not suppress the first probe. */
    @Test
    void aSilentLoadIsProbedUntilItIsStopped() {
        VirtualHive hive = VirtualHive.with(config -> config.loadStallTimeout(Duration.ofMillis(200)));
        String id = hive.supervisor.spawn(VirtualHive.SPEC).id();

        hive.advance(Duration.ofMillis(300));

        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    /** Its probes closed before that, so the output counts as progress. */
    @ParameterizedTest
    @ValueSource(longs = {150, 5_000})
    void aServerThatLogsProbesLateIsStoppedAtTheLoadTimeout(long lateMillis) {
        UnexpectedWarnings.expect(Warnings.NOT_READY, "it was not ready within PT15M");
        ProbedLoad load = new ProbedLoad(
                VirtualHive.config().loadTimeout(Duration.ofMinutes(15)).build(),
                Duration.ZERO,
                Optional.of(Duration.ofMillis(lateMillis)));

        load.advance(Duration.ofMinutes(15).minusSeconds(1));
        assertThat(load.isLoading()).isTrue();
        load.advance(Duration.ofSeconds(2));

        assertThat(load.isLoading()).isFalse();
    }

    /** The probe is open for longer than the limit, and output during a probe may be its echo. */
    @Test
    void aWorkerThatWritesDuringALongProbeIsNotStopped() {
        UnexpectedWarnings.expect(Warnings.NOT_READY);
        ProbedLoad load = new ProbedLoad(
                VirtualHive.config()
                        .healthInterval(Duration.ofHours(1))
                        .healthTimeout(Duration.ofHours(1))
                        .build(),
                Duration.ofMinutes(50),
                Optional.empty());
        load.writeEvery(Duration.ofSeconds(60), Duration.ZERO);

        load.advance(Duration.ofHours(3));

        assertThat(load.isLoading()).isTrue();
        assertThat(load.windows()).hasSize(3);
    }

    /** Each generation exits during a pending probe, whose completion must not count for the next one. */
    @Test
    void eachGenerationThatLogsOnlyProbesIsStopped() {
        UnexpectedWarnings.expect(Warnings.NOT_READY, Warnings.NO_PROGRESS + " for PT2M", Warnings.CRASH_LOOP);
        VirtualHive hive = new VirtualHive((self, builder) -> builder.restartPolicy(RestartPolicy.builder()
                        .jitter(0)
                        .limit(2)
                        .window(Duration.ofHours(1))
                        .build())
                .healthProbe((worker, timeout) -> {
                    self.processes.print(worker.id(), "GET /health 404");
                    return new CompletableFuture<>();
                }));
        String id = hive.supervisor.spawn(VirtualHive.SPEC).id();

        hive.advance(Duration.ofMinutes(15));

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.supervisor.recentExits())
                .extracting(Exit::cause)
                .containsExactly(Exit.Cause.LOAD_STALL, Exit.Cause.LOAD_STALL, Exit.Cause.CRASH_LOOP);
    }

    @Test
    void aSilentLoadWithRecordedOutputIsStopped() {
        UnexpectedWarnings.expect(Warnings.NOT_READY, Warnings.NO_PROGRESS + " for PT2M");
        String id = hive.spawnLoading();

        hive.advanceSeconds(119);
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
        hive.advanceSeconds(2);

        assertStalled(id);
    }

    @Test
    void outputIsAssumedToBeRecordedIfRecordsOutputThrows() {
        UnexpectedWarnings.expect(
                Warnings.NOT_READY, "cannot tell whether its output is recorded", Warnings.NO_PROGRESS + " for PT2M");
        VirtualHive hive = new VirtualHive(
                (self, builder) -> builder.processController(spec -> new ForwardingProcess(self.processes.start(spec)) {
                    @Override
                    public boolean recordsOutput() {
                        throw new IllegalStateException("broken");
                    }
                }));
        String id = hive.spawnLoading();

        hive.advanceSeconds(121);

        assertThat(hive.isRemoved(id)).isTrue();
    }

    /** It has no process here, so its output is not recorded. */
    @Test
    void aRegisteredSilentLoadIsStoppedOnlyIfItSentHeartbeats() {
        UnexpectedWarnings.expect(Warnings.NOT_READY, Warnings.NO_PROGRESS + " for PT2M");
        VirtualHive hive = VirtualHive.with(config -> config.heartbeatInterval(Duration.ofHours(1)));
        for (String id : new String[] {"silent", "beating"}) {
            hive.registerLoading(id);
        }
        hive.registry.heartbeat("beating");

        hive.advance(Duration.ofHours(1));

        assertThat(hive.state("silent")).isInstanceOf(Loading.class);
        assertThat(hive.isRemoved("beating")).isTrue();
    }
}
