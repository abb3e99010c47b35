package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.TcpHealthProbe;
import io.github.workerregistry.process.ChildJvm;
import io.github.workerregistry.process.SpawnException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whose answer makes a worker ready, with real processes and real sockets. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class StrangerIT {

    private static final String STRANGER = "is not ready: another process answers its health checks, on port";
    private static final Duration SOON = Duration.ofMillis(50);

    @RegisterExtension
    final RealHive hive;

    private final Path directory;

    StrangerIT(@TempDir Path directory) {
        this.directory = directory;
        hive = new RealHive(directory);
    }

    /** A program that says its name to whoever connects, once its file is there. */
    private static String answering(String file) {
        return ChildJvm.command(AnsweringMain.class, "{port}", "{model_ref}", file).stream()
                .map(word -> "'" + word + "'")
                .collect(Collectors.joining(" "));
    }

    private WorkerSupervisor supervise(PortRange ports, RestartPolicy restart) {
        return hive.supervise(builder -> builder.health(TcpHealthProbe.create())
                .ports(ports)
                .restart(restart)
                .config(RealHive.config().readyInterval(SOON).build()));
    }

    private Path gate(String name) {
        return directory.resolve(name);
    }

    private static void open(Path gate) throws IOException {
        java.nio.file.Files.createFile(gate);
    }

    private static int portOf(WorkerInfo worker) {
        return URI.create(worker.url()).getPort();
    }

    private static String whoAnswers(String url) throws IOException {
        try (Socket socket =
                new Socket(InetAddress.getLoopbackAddress(), URI.create(url).getPort())) {
            return new String(socket.getInputStream().readAllBytes(), UTF_8);
        }
    }

    private WorkerInfo spawn(WorkerSupervisor supervisor, String model, String script) {
        return supervisor.spawn(WorkerSpec.builder()
                .id(model)
                .modelRef(model)
                .command("sh", "-c", script)
                .build());
    }

    /** Wherever the process has gone that listens, it is the worker's. */
    @ParameterizedTest
    @ValueSource(strings = {"exec %s", "%s & wait", "setsid %s & wait", "(setsid %s &); exec sleep 600"})
    void aWorkerIsReadyWhenOneOfItsOwnProcessesListens(String script) throws Exception {
        WorkerSupervisor supervisor = supervise(FreePorts.range(1), RestartPolicy.never());
        open(gate("own"));
        WorkerInfo worker =
                spawn(supervisor, "own", script.formatted(answering(gate("own").toString())));

        eventually().until(() -> hive.state(worker).equals(new Idle()));

        assertThat(whoAnswers(worker.url())).isEqualTo("own");
    }

    /** A stranger took the port while the worker loaded: requests went to it, for as long as the load took. */
    @Test
    void aWorkerWhosePortAStrangerTakesWhileItLoadsIsNotReadyUntilTheStrangerHasGone() throws Exception {
        UnexpectedWarnings.expect(STRANGER);
        WorkerSupervisor supervisor = supervise(FreePorts.range(1), RestartPolicy.never());
        WorkerInfo worker =
                spawn(supervisor, "late", "exec " + answering(gate("late").toString()));
        try (ServerSocket stranger = new ServerSocket(portOf(worker), 50, InetAddress.getLoopbackAddress())) {
            for (int answered = 0; answered < 5; answered++) {
                stranger.accept().close();
            }
            assertThat(hive.state(worker).label()).isEqualTo("loading");
            assertThat(hive.registry.tryAcquire("late")).isEmpty();
        }
        open(gate("late"));

        eventually().until(() -> hive.state(worker).equals(new Idle()));

        assertThat(whoAnswers(worker.url())).isEqualTo("late");
    }

    /** Two supervisors with the same ports gave both workers one port; the first to load answered for both. */
    @Test
    void twoHivesWithTheSamePortsGiveTheirWorkersDifferentOnes() throws Exception {
        PortRange ports = FreePorts.range(4);
        String[] bounds = ports.toString().split("-", -1);
        PortRange same = PortRange.of(Integer.parseInt(bounds[0]), Integer.parseInt(bounds[1]));
        WorkerSupervisor first = supervise(ports, RestartPolicy.never());
        RealHive other = new RealHive(directory, WorkerRegistry.create());
        try {
            WorkerSupervisor second = other.supervise(builder -> builder.health(TcpHealthProbe.create())
                    .ports(same)
                    .config(RealHive.config().readyInterval(SOON).build()));
            WorkerInfo alpha =
                    spawn(first, "alpha", "exec " + answering(gate("alpha").toString()));
            WorkerInfo beta =
                    spawn(second, "beta", "exec " + answering(gate("beta").toString()));
            open(gate("alpha"));
            eventually().until(() -> hive.state(alpha).equals(new Idle()));
            assertThat(other.state(beta).label()).isEqualTo("loading");
            open(gate("beta"));
            eventually().until(() -> other.state(beta).equals(new Idle()));

            try (SlotLease lease = other.registry.tryAcquire("beta").orElseThrow()) {
                assertThat(whoAnswers(lease.url())).isEqualTo("beta");
            }
        } finally {
            other.afterEach(null);
        }
    }

    /** It was ready at once each time, because the stranger answered; then it was a crash loop. */
    @Test
    void aWorkerWhosePortIsTakenWhileItBacksOffIsReadyOnAnotherOne() throws Exception {
        UnexpectedWarnings.expect("is gone: CRASHED");
        WorkerSupervisor supervisor = supervise(FreePorts.range(2), RealHive.restarts(Duration.ofMillis(300), 3));
        open(gate("again"));
        WorkerInfo before =
                spawn(supervisor, "again", "exec " + answering(gate("again").toString()));
        eventually().until(() -> hive.state(before).equals(new Idle()));
        RealHive.kill9(before);
        eventually().until(() -> hive.state(before).label().equals("backing_off"));
        try (ServerSocket stranger = new ServerSocket(portOf(before), 50, InetAddress.getLoopbackAddress())) {
            assertThat(stranger.isBound()).isTrue();

            eventually().until(() -> hive.state(before).equals(new Idle()));

            assertThat(portOf(hive.worker(before))).isNotEqualTo(portOf(before));
            assertThat(whoAnswers(hive.worker(before).url())).isEqualTo("again");
        }
    }

    @Test
    void aWorkerWhoseOnlyPortIsTakenWhileItBacksOffIsNeverReadyBesideTheStranger() throws Exception {
        UnexpectedWarnings.expect("is gone: CRASHED", "is gone: START_FAILED", "is gone: CRASH_LOOP");
        WorkerSupervisor supervisor = supervise(FreePorts.range(1), RealHive.restarts(Duration.ofMillis(300), 2));
        WorkerInfo worker =
                spawn(supervisor, "never", "exec " + answering(gate("never").toString()));
        RealHive.kill9(worker);
        try (ServerSocket stranger = new ServerSocket(portOf(worker), 50, InetAddress.getLoopbackAddress())) {
            assertThat(stranger.isBound()).isTrue();
            hive.awaitGone(worker);
        }

        assertThat(hive.heard.eventsOf("never")).noneMatch(WorkerEvent.BecameReady.class::isInstance);
        assertThat(supervisor.recentExits())
                .last()
                .satisfies(exit -> assertThat(exit.output())
                        .singleElement()
                        .asString()
                        .contains("port " + portOf(worker) + " is in use"));
    }

    @Test
    void aWorkerIsNotSpawnedWhereAStrangerListens() throws Exception {
        WorkerSupervisor supervisor = supervise(FreePorts.range(1), RestartPolicy.never());
        try (ServerSocket stranger = FreePorts.listen()) {
            String url = "http://127.0.0.1:" + stranger.getLocalPort();
            WorkerSpec spec = WorkerSpec.builder()
                    .modelRef("m")
                    .command("sleep", "600")
                    .url(url)
                    .build();

            assertThatThrownBy(() -> supervisor.spawn(spec))
                    .isInstanceOf(SpawnException.class)
                    .hasMessageContaining("port " + stranger.getLocalPort() + " is in use");
        }
        assertThat(hive.registry.list()).isEqualTo(List.of());
    }
}
