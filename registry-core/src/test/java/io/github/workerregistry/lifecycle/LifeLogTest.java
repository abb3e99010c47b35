package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.Level;
import io.github.workerregistry.Exit;
import io.github.workerregistry.LoggedLines;
import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** What an operator reads at INFO of a worker's life: each step once, and why. */
@ExtendWith(UnexpectedWarnings.class)
class LifeLogTest {

    @RegisterExtension
    private final LoggedLines logged = new LoggedLines();

    @Test
    void aStartAReadyCallAndAStopAreToldEach() {
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnReady();
        hive.supervisor.stop(id);

        assertThat(logged.said(Level.INFO))
                .containsExactly(
                        "worker " + id + " is loading tiny, pid 1001",
                        "worker " + id + " is ready: it called back",
                        "worker " + id + " is stopping: REQUESTED",
                        "worker " + id + " is gone: REQUESTED, exit code 0 (requested)");
    }

    /** Everything that is said above DEBUG, or kept with an exit, may be shown to people who may not know a secret. */
    @Test
    void theArgumentsOfAStartThatFailsAreToldAtDebugOnly() {
        UnexpectedWarnings.expect("is gone: CRASHED", "is gone: CRASH_LOOP");
        VirtualHive hive = new VirtualHive(builder ->
                builder.restart(RestartPolicy.builder().jitter(0).limit(1).build()));
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
                .containsOnly("worker w was not started with [serve, --api-key=TOPSECRET\\u202e]");
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
    void anIdleTimeoutIsToldWithWhatTheWorkerWas() {
        VirtualHive hive = VirtualHive.with(config -> config.idleTimeout(Duration.ofMinutes(1)));
        String id = hive.spawnReady();

        hive.advanceSeconds(80);

        assertThat(logged.said(Level.INFO)).contains("worker " + id + " was idle and is stopping: IDLE_TIMEOUT");
    }

    @Test
    void aRestartIsToldWithItsWait() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        VirtualHive hive = VirtualHive.restarting();
        String id = hive.spawnReady();

        hive.processes.exit(id, 1);

        assertThat(logged.said(Level.INFO)).contains("worker " + id + " is backing off: restart 1 in PT1S");
    }

    @Test
    void aRestartThatDoesNotComeIsToldOnlyByTheStop() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        VirtualHive hive = VirtualHive.restarting();
        String id = hive.spawnReady();
        hive.registry.remove(id);

        hive.processes.exit(id, 1);

        assertThat(hive.supervisor.recentExits())
                .singleElement()
                .extracting(Exit::cause)
                .isEqualTo(Exit.Cause.CRASHED);
        assertThat(logged.said(Level.INFO)).noneMatch(line -> line.contains("backing off"));
    }

    @Test
    void aSuspectThatIsWellAgainIsTold() {
        UnexpectedWarnings.expect("under suspicion");
        VirtualHive hive = new VirtualHive();
        List<String> ids = Stream.generate(hive::spawnReady).limit(4).toList();
        ids.forEach(hive.registry::heartbeat);
        hive.advanceSeconds(16);

        hive.registry.heartbeat(ids.get(0));
        hive.advanceSeconds(1);

        assertThat(logged.said(Level.INFO)).contains("worker " + ids.get(0) + " is no longer under suspicion");
    }

    @Test
    void foreignCodeThatFailsInEverySweepIsWarnedOfOnce() {
        UnexpectedWarnings.expect("its output cannot be looked at");
        AtomicReference<VirtualHive> self = new AtomicReference<>();
        VirtualHive hive = new VirtualHive(builder -> builder.processes(
                spec -> BrokenSpiTest.broken(self.get().processes.start(spec), "outputBytes", () -> {
                    throw new IllegalStateException("broken");
                })));
        self.set(hive);
        hive.spawnReady();

        hive.advanceSeconds(10);

        assertThat(logged.said(Level.WARN)).hasSize(1);
    }

    @Test
    void aRemovalByTheHostIsToldOnceHoweverLongTheProcessStays() {
        UnexpectedWarnings.expect("still there after SIGKILL");
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnReady();
        hive.processes.ignoreKill(id);
        hive.registry.remove(id);

        hive.advanceSeconds(10);

        assertThat(logged.said(Level.INFO))
                .containsOnlyOnce("worker " + id + " was removed from the registry; its process is ended");
    }
}
