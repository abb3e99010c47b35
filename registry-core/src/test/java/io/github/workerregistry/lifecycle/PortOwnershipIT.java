package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ownership of the listener that answers a health check, with real processes and sockets. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class PortOwnershipIT {

    private static final String FOREIGN_LISTENER = "is not ready: another process answers its health checks, on port";
    private static final Duration SOON = Duration.ofMillis(50);

    @RegisterExtension
    final RealHive hive = new RealHive();

    /** The command of a server that listens once its file exists and sends its name to each client. */
    private static String answering(String file) {
        return ChildJvm.command(TcpServerMain.class, "{port}", "{model_ref}", file).stream()
                .map(word -> "'" + word + "'")
                .collect(Collectors.joining(" "));
    }

    private WorkerSupervisor supervise(PortPool ports, RestartPolicy restart) {
        return hive.supervise(builder -> builder.healthProbe(TcpHealthProbe.create())
                .ports(ports)
                .restartPolicy(restart)
                .lifecycle(RealHive.config().readyInterval(SOON).build()));
    }

    private Path gate(String name) {
        return hive.directory.resolve(name);
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

    /** The listening process belongs to the worker's tree in each case. */
    @ParameterizedTest
    @ValueSource(strings = {"exec %s", "%s & wait", "setsid %s & wait", "(setsid %s &); exec sleep 600"})
    void aWorkerIsReadyWhenAProcessOfItsTreeListens(String script) throws Exception {
        WorkerSupervisor supervisor = supervise(FreePorts.range(1), RestartPolicy.never());
        open(gate("own"));
        WorkerInfo worker =
                spawn(supervisor, "own", script.formatted(answering(gate("own").toString())));

        eventually().until(() -> hive.state(worker).equals(new Idle()));

        assertThat(whoAnswers(worker.url())).isEqualTo("own");
    }

    /** Regression: another process bound the port while the worker loaded, and requests went to it. */
    @Test
    void aForeignServerKeepsAWorkerLoadingUntilItCloses() throws Exception {
        UnexpectedWarnings.expect(FOREIGN_LISTENER);
        WorkerSupervisor supervisor = supervise(FreePorts.range(1), RestartPolicy.never());
        WorkerInfo worker =
                spawn(supervisor, "late", "exec " + answering(gate("late").toString()));
        try (ServerSocket foreign = new ServerSocket(portOf(worker), 50, InetAddress.getLoopbackAddress())) {
            for (int answered = 0; answered < 5; answered++) {
                foreign.accept().close();
            }
            assertThat(hive.state(worker).label()).isEqualTo("loading");
            assertThat(hive.registry.tryAcquire("late")).isEmpty();
        }
        open(gate("late"));

        eventually().until(() -> hive.state(worker).equals(new Idle()));

        assertThat(whoAnswers(worker.url())).isEqualTo("late");
    }

    /**
     * Regression: two supervisors with the same ports assigned one port to both workers; the first to load answered for
     * both.
     */
    @Test
    void twoHivesWithTheSamePortsUseDifferentOnes() throws Exception {
        PortPool ports = FreePorts.range(4);
        String[] bounds = ports.toString().split("-", -1);
        PortPool same = PortPool.of(Integer.parseInt(bounds[0]), Integer.parseInt(bounds[1]));
        WorkerSupervisor first = supervise(ports, RestartPolicy.never());
        RealHive other = new RealHive();
        try {
            WorkerSupervisor second = other.supervise(builder -> builder.healthProbe(TcpHealthProbe.create())
                    .ports(same)
                    .lifecycle(RealHive.config().readyInterval(SOON).build()));
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

    /** Regression: it was ready at once each time, because the foreign server answered; then it was a crash loop. */
    @Test
    void aWorkerWhosePortIsInUseAfterBackoffIsReadyOnAnotherPort() throws Exception {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        WorkerSupervisor supervisor = supervise(FreePorts.range(2), RealHive.restarts(Duration.ofMillis(300), 3));
        open(gate("again"));
        WorkerInfo before =
                spawn(supervisor, "again", "exec " + answering(gate("again").toString()));
        eventually().until(() -> hive.state(before).equals(new Idle()));
        RealHive.kill9(before);
        eventually().until(() -> hive.state(before).label().equals("backing_off"));
        try (ServerSocket foreign = new ServerSocket(portOf(before), 50, InetAddress.getLoopbackAddress())) {
            assertThat(foreign.isBound()).isTrue();

            eventually().until(() -> hive.state(before).equals(new Idle()));

            assertThat(portOf(hive.worker(before))).isNotEqualTo(portOf(before));
            assertThat(whoAnswers(hive.worker(before).url())).isEqualTo("again");
        }
    }

    @Test
    void aWorkerWhoseOnlyPortIsInUseAfterBackoffIsNeverReady() throws Exception {
        UnexpectedWarnings.expect(Warnings.CRASHED, Warnings.START_FAILED, Warnings.CRASH_LOOP);
        WorkerSupervisor supervisor = supervise(FreePorts.range(1), RealHive.restarts(Duration.ofSeconds(2), 2));
        WorkerInfo worker =
                spawn(supervisor, "never", "exec " + answering(gate("never").toString()));
        RealHive.kill9(worker);
        try (ServerSocket foreign = new ServerSocket(portOf(worker), 50, InetAddress.getLoopbackAddress())) {
            assertThat(foreign.isBound()).isTrue();
            hive.awaitRemoved(worker);
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
    void aSpawnWithAPortInUseFails() throws Exception {
        WorkerSupervisor supervisor = supervise(FreePorts.range(1), RestartPolicy.never());
        try (ServerSocket foreign = FreePorts.listen()) {
            String url = "http://127.0.0.1:" + foreign.getLocalPort();
            WorkerSpec spec = WorkerSpec.builder()
                    .modelRef("m")
                    .command("sleep", "600")
                    .url(url)
                    .build();

            assertThatThrownBy(() -> supervisor.spawn(spec))
                    .isInstanceOf(SpawnException.class)
                    .hasMessageContaining("port " + foreign.getLocalPort() + " is in use");
        }
        assertThat(hive.registry.list()).isEqualTo(List.of());
    }
}
