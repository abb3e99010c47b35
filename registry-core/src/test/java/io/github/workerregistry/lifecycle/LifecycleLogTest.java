package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.github.workerregistry.Exit;
import io.github.workerregistry.LoggedLines;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The log of a worker's life cycle at INFO: each step once, with its reason. */
@ExtendWith(UnexpectedWarnings.class)
class LifecycleLogTest {

    @RegisterExtension
    private final LoggedLines logged = new LoggedLines();

    private static final String BACKING_OFF = "backing off";

    /** What was logged about a worker at INFO. */
    private List<String> infoOf(String id) {
        return logged.said(Level.INFO).stream()
                .filter(line -> line.contains("worker " + id + " "))
                .toList();
    }

    @Test
    void startReadyAndStopAreLogged() {
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnReady();
        hive.supervisor.stop(id);

        assertThat(infoOf(id))
                .satisfiesExactly(
                        loading -> assertThat(loading).contains("loading", "tiny", "1001"),
                        ready -> assertThat(ready).contains("ready"),
                        stopping -> assertThat(stopping).contains("stopping", StopReason.REQUESTED.name()),
                        exit -> assertThat(exit).contains(Exit.Cause.REQUESTED.name(), "exit code 0"));
    }

    /**
     * Everything that is logged above DEBUG, or kept with an exit, may be read by people without access to a secret.
     */
    @Test
    void argumentsOfAFailedStartAreLoggedAtDebugOnly() {
        UnexpectedWarnings.expect(Warnings.CRASHED, Warnings.CRASH_LOOP);
        VirtualHive hive = new VirtualHive(builder ->
                builder.restartPolicy(RestartPolicy.builder().jitter(0).limit(1).build()));
        WorkerSpec spec = WorkerSpec.builder()
                .id("w")
                .modelRef("tiny")
                .command("serve", "--api-key=TOPSECRET\u202e")
                .parameter("key", "TOPSECRET")
                .environment("API_KEY", "TOPSECRET")
                .url("http://fake")
                .build();
        hive.processes.failNextStart("no memory");
        assertThatThrownBy(() -> hive.supervisor.spawn(spec)).hasMessage("cannot start serve: no memory");
        hive.supervisor.spawn(spec);
        hive.processes.failNextStart("no memory");
        hive.processes.exit("w", 1);
        hive.advanceSeconds(10);

        assertThat(logged.said(Level.DEBUG))
                .filteredOn(line -> line.contains("TOPSECRET"))
                .hasSize(2)
                .containsExactly(
                        "worker w (tiny, generation 1) was not started with [serve, --api-key=TOPSECRET\\u202e]",
                        "worker w (tiny, generation 2) was not started with [serve, --api-key=TOPSECRET\\u202e]");
        assertThat(logged.said()).filteredOn(line -> line.contains("TOPSECRET")).hasSize(2);
        assertThat(hive.supervisor.recentExits())
                .extracting(Exit::output)
                .containsExactly(List.of(), List.of("cannot start serve: no memory"));
        assertThat(spec)
                .hasToString(
                        "WorkerSpec[id=w, modelRef=tiny, backend=cpu, device=0, slots=1, program=serve, arguments=1,"
                                + " url=http://fake, parameters=[key], variables=[API_KEY]]");
    }

    @Test
    void anIdleTimeoutIsLoggedWithThePreviousState() {
        VirtualHive hive = VirtualHive.with(config -> config.idleTimeout(Duration.ofMinutes(1)));
        String id = hive.spawnReady();

        hive.advanceSeconds(80);

        assertThat(infoOf(id)).anySatisfy(line -> assertThat(line).contains("idle", StopReason.IDLE_TIMEOUT.name()));
    }

    @Test
    void aRestartIsLoggedWithItsDelay() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        VirtualHive hive = VirtualHive.restarting();
        String id = hive.spawnReady();

        hive.processes.exit(id, 1);

        assertThat(infoOf(id)).anySatisfy(line -> assertThat(line).contains(BACKING_OFF, "PT1S"));
    }

    @Test
    void aCancelledRestartIsNotLogged() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        VirtualHive hive = VirtualHive.restarting();
        String id = hive.spawnReady();
        hive.registry.remove(id);

        hive.processes.exit(id, 1);

        assertThat(hive.supervisor.recentExits())
                .singleElement()
                .extracting(Exit::cause)
                .isEqualTo(Exit.Cause.CRASHED);
        assertThat(infoOf(id)).noneMatch(line -> line.contains(BACKING_OFF));
    }

    @Test
    void aClearedSuspicionIsLogged() {
        UnexpectedWarnings.expect(Warnings.SUSPECTED);
        VirtualHive hive = new VirtualHive();
        List<String> ids = Stream.generate(hive::spawnReady).limit(4).toList();
        ids.forEach(hive.registry::heartbeat);
        hive.advanceSeconds(16);

        List<String> before = infoOf(ids.get(0));
        hive.registry.heartbeat(ids.get(0));
        hive.advanceSeconds(1);

        assertThat(infoOf(ids.get(0)))
                .startsWith(before.toArray(String[]::new))
                .hasSize(before.size() + 1)
                .last()
                .asString()
                .contains("no longer suspected");
    }

    @Test
    void aFailureInEveryTickIsLoggedOnce() {
        UnexpectedWarnings.expect("its output cannot be read");
        VirtualHive hive = new VirtualHive((self, builder) ->
                builder.processController(spec -> Fault.inject(self.processes.start(spec), "outputBytes", () -> {
                    throw new IllegalStateException("broken");
                })));
        hive.spawnReady();

        hive.advanceSeconds(10);

        assertThat(logged.said(Level.WARN)).hasSize(1);
    }

    // ---- names ----

    /** In every test of this class. The line that a lease failed is the registry's. */
    @AfterEach
    void everyLineAboutAWorkerNamesIdModelAndGeneration() {
        assertThat(logged.said())
                .isNotEmpty()
                .filteredOn(line -> line.contains("worker ") && !line.contains(": a lease failed: "))
                .allSatisfy(line -> assertThat(line).matches("(?s)worker \\S+ \\(tiny, generation [1-9]\\d*\\)[: ].*"));
        assertThat(logged.loggers())
                .filteredOn(name -> name.startsWith(getClass().getPackageName()))
                .containsOnly(WorkerSupervisor.class.getName());
    }

    @Test
    void nextGenerationIsNamed() {
        UnexpectedWarnings.expect("worker tiny-1 (tiny, generation 2) has ended: CRASHED", Warnings.CRASHED);
        VirtualHive hive = VirtualHive.restarting();
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);
        hive.advanceSeconds(3);
        hive.processes.exit(id, 1);

        assertThat(infoOf(id)).contains("worker tiny-1 (tiny, generation 2) is loading, pid 1002");
    }

    @Test
    void checksLoadsAndStopsNameTheirWorkers() {
        UnexpectedWarnings.expect(
                Warnings.NO_RESULT,
                Warnings.THREE_CHECKS_FAILED,
                Warnings.NOT_READY,
                Warnings.NO_PROGRESS,
                "the stop request failed",
                Warnings.UNKILLABLE);
        VirtualHive hive = new VirtualHive(builder -> builder.stopRequest(worker -> {
            throw new IllegalStateException("broken");
        }));
        String failing = hive.spawnReady();
        String unkillable = hive.spawnReady();
        String stopped = hive.spawnReady();
        String loading = hive.supervisor.spawn(VirtualHive.SPEC).id();
        hive.probe.answer(loading, HealthStatus.unhealthy("loading"));
        hive.probe.answer(failing, HealthStatus.unhealthy("wrong"));
        hive.probe.answer(stopped, HealthStatus.unknown("unclear"));
        hive.lease(stopped).fail(new IllegalStateException("broken"));
        hive.processes.ignoreKill(unkillable);
        hive.advanceSeconds(140);

        hive.stop(stopped);
        hive.forceKill(unkillable);
        hive.advanceSeconds(10);

        assertThat(hive.registry.list()).extracting(WorkerInfo::id).containsExactly(unkillable);
    }

    @Test
    void noMessageNamesAWorkerByItsIdAlone() throws IOException {
        hive();
        try (Stream<Path> sources = Files.list(Path.of("src/main/java/io/github/workerregistry/lifecycle"))) {
            for (Path source : sources.toList()) {
                String text = Files.readString(source);
                assertThat(text)
                        .as("%s", source)
                        .doesNotContainPattern("getLogger\\((?!WorkerSupervisor\\.class)")
                        .doesNotContainPattern("log\\.(trace|debug|info|warn|error)\\([^;]*\\.id(\\(\\))?[,)]");
            }
        }
    }

    private static void hive() {
        new VirtualHive().spawnReady(); // a line for the check after each test
    }

    @Test
    void theRemovalOfARecordIsLoggedOnce() {
        UnexpectedWarnings.expect(Warnings.UNKILLABLE);
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnReady();
        hive.processes.ignoreKill(id);
        List<String> before = infoOf(id);
        hive.registry.remove(id);

        hive.advanceSeconds(10);

        assertThat(infoOf(id)).hasSize(before.size() + 1).last().asString().contains("removed from the registry");
    }
}
