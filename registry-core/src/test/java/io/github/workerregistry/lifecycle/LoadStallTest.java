package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthStatus;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.ForwardingProcess;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
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
        assertThat(hive.isGone(id)).isTrue();
        assertThat(hive.supervisor.recentExits())
                .singleElement()
                .extracting(Exit::workerId, Exit::cause)
                .containsExactly(id, Exit.Cause.LOAD_STALL);
    }

    /** Every load of more than two minutes was ended, because 0 bytes of output never grow. */
    @Test
    void silentLoadWhoseOutputIsNotRecordedIsNotEnded() {
        UnexpectedWarnings.expect("is not ready after PT10S");
        hive.processes.discardOutput();
        String id = hive.spawnLoading();
        hive.processes.print(id, "to nobody");

        hive.advance(Duration.ofHours(3));

        assertThat(hive.state(id)).isInstanceOf(Loading.class);
    }

    @SuppressWarnings("ResultOfMethodCallIgnored")
    static Stream<Named<BiConsumer<VirtualHive, String>>> signs() {
        return Stream.of(
                Named.of("a progress report", (hive, id) -> hive.supervisor.progress(id)),
                Named.of("a heartbeat", (hive, id) -> hive.registry.heartbeat(id)));
    }

    @ParameterizedTest
    @MethodSource("signs")
    void silenceAfterAFirstSignIsAStallThoughOutputIsNotRecorded(BiConsumer<VirtualHive, String> sign) {
        UnexpectedWarnings.expect("is not ready after PT10S", "its load made no progress for PT2M");
        VirtualHive hive = VirtualHive.with(config -> config.heartbeatInterval(Duration.ofHours(1)));
        hive.processes.discardOutput();
        String id = hive.spawnLoading();
        hive.advance(Duration.ofMinutes(10));
        sign.accept(hive, id);

        hive.advanceSeconds(119);
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
        hive.advanceSeconds(2);

        assertThat(hive.isGone(id)).isTrue();
        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.LOAD_STALL);
    }

    /** What the last generation showed says nothing of what the next one can show. */
    @Test
    void aReportOfTheLastGenerationDoesNotCountForTheNext() {
        UnexpectedWarnings.expect("is gone: CRASHED", "is not ready after PT10S");
        VirtualHive hive = VirtualHive.restarting();
        hive.processes.discardOutput();
        String id = hive.spawnLoading();
        hive.supervisor.progress(id);
        hive.processes.exit(id, 1);

        hive.advance(Duration.ofMinutes(30));

        assertThat(hive.worker(id).generation()).isEqualTo(2);
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
    }

    /** Its lines and our probes both come once a second: some of them never meet a gap. */
    @ParameterizedTest
    @ValueSource(longs = {0, 1, 50, 99, 100, 150, 200, 300, 500, 799, 800, 801, 850, 900, 999})
    void workerThatWritesEveryThreeSecondsIsProbedAllTheTimeWheneverItWrites(long phaseMillis) {
        UnexpectedWarnings.expect("is not ready after PT10S");
        ProbedLoad load =
                new ProbedLoad(VirtualHive.config().build(), Duration.ofMillis(20), Optional.of(Duration.ofMillis(10)));
        load.writeEvery(Duration.ofSeconds(3), Duration.ofMillis(phaseMillis));

        load.advance(Duration.ofMinutes(20));

        assertThat(load.isLoading()).isTrue();
        assertThat(load.windows()).hasSizeGreaterThan(1_000);
    }

    @Test
    void loadInDoubtIsProbedNoMoreUntilItWritesSomething() {
        UnexpectedWarnings.expect("is not ready after PT10S");
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

    /** Loads are judged once a second, so a limit below that must not keep a worker from its first probe. */
    @Test
    void silentLoadIsProbedUntilItIsEnded() {
        VirtualHive hive = VirtualHive.with(config -> config.loadStall(Duration.ofMillis(200)));
        String id = hive.supervisor.spawn(VirtualHive.SPEC).id();

        hive.advance(Duration.ofMillis(300));

        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    /** Its probes ended before that, so nothing tells them from progress. */
    @ParameterizedTest
    @ValueSource(longs = {150, 5_000})
    void serverThatLogsProbesTooLateIsEndedByTheLoadTimeout(long lateMillis) {
        UnexpectedWarnings.expect("is not ready after PT10S", "is given up: it was not ready within PT15M");
        ProbedLoad load = new ProbedLoad(
                VirtualHive.config().loadTimeout(Duration.ofMinutes(15)).build(),
                Duration.ZERO,
                Optional.of(Duration.ofMillis(lateMillis)));

        load.advance(Duration.ofMinutes(15).minusSeconds(1));
        assertThat(load.isLoading()).isTrue();
        load.advance(Duration.ofSeconds(2));

        assertThat(load.isLoading()).isFalse();
    }

    /** The probe is open for longer than the limit, and what the worker writes meanwhile may be an echo of it. */
    @Test
    void workerThatWritesWhileOneProbeHangsForLongIsNotEnded() {
        UnexpectedWarnings.expect("is not ready after PT10S");
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

    /** It hung in a probe of the generation before, whose end must not count for the next one. */
    @Test
    void eachGenerationOfAWorkerThatLogsOnlyProbesIsEnded() {
        UnexpectedWarnings.expect(
                "is not ready after PT10S", "its load made no progress for PT2M", "is gone: CRASH_LOOP");
        AtomicReference<VirtualHive> self = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.restart(RestartPolicy.builder()
                        .jitter(0)
                        .limit(2)
                        .window(Duration.ofHours(1))
                        .build())
                .health((worker, timeout) -> {
                    self.get().processes.print(worker.id(), "GET /health 404");
                    return new CompletableFuture<>();
                }));
        self.set(hive);
        String id = hive.supervisor.spawn(VirtualHive.SPEC).id();

        hive.advance(Duration.ofMinutes(15));

        assertThat(hive.isGone(id)).isTrue();
        assertThat(hive.supervisor.recentExits())
                .extracting(Exit::cause)
                .containsExactly(Exit.Cause.LOAD_STALL, Exit.Cause.LOAD_STALL, Exit.Cause.CRASH_LOOP);
    }

    @Test
    void silentLoadIsEndedWhereOutputIsRecorded() {
        UnexpectedWarnings.expect("is not ready after PT10S", "its load made no progress for PT2M");
        String id = hive.spawnLoading();

        hive.advanceSeconds(119);
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
        hive.advanceSeconds(2);

        assertStalled(id);
    }

    @Test
    void processThatCannotTellWhetherItsOutputIsRecordedIsTakenToRecordIt() {
        UnexpectedWarnings.expect(
                "is not ready after PT10S",
                "whether its output is recorded cannot be told",
                "its load made no progress for PT2M");
        FakeProcessController processes = new FakeProcessController();
        VirtualHive hive =
                new VirtualHive(builder -> builder.processes(spec -> new ForwardingProcess(processes.start(spec)) {
                    @Override
                    public boolean recordsOutput() {
                        throw new IllegalStateException("broken");
                    }
                }));
        String id = hive.spawnLoading();

        hive.advanceSeconds(121);

        assertThat(hive.isGone(id)).isTrue();
    }

    /** It has no process here, so nothing of it is recorded. */
    @Test
    void silentLoadThatTheHiveRegisteredItselfIsNotEndedUnlessItSentHeartbeats() {
        UnexpectedWarnings.expect("is not ready after PT10S", "its load made no progress for PT2M");
        VirtualHive hive = VirtualHive.with(config -> config.heartbeatInterval(Duration.ofHours(1)));
        hive.probe.answerAll(HealthStatus.unhealthy("loading"));
        for (String id : new String[] {"silent", "beating"}) {
            hive.registry.register(WorkerInfo.builder()
                    .id(id)
                    .url("http://elsewhere")
                    .modelRef("m")
                    .state(new Loading(hive.time.instant()))
                    .startedAt(hive.time.instant())
                    .build());
        }
        hive.registry.heartbeat("beating");

        hive.advance(Duration.ofHours(1));

        assertThat(hive.state("silent")).isInstanceOf(Loading.class);
        assertThat(hive.isGone("beating")).isTrue();
    }
}
