package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.SpawnException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Another process listens on a worker's port, at its spawn or its restart. */
@ExtendWith(UnexpectedWarnings.class)
class PortInUseTest {

    private static final WorkerSpec WITH_PORT = WorkerSpec.builder()
            .id("w1")
            .modelRef("tiny")
            .command("serve", "--port={port}")
            .build();

    private static VirtualHive hive(PortPool ports) {
        return new VirtualHive(builder ->
                builder.restartPolicy(RestartPolicy.builder().jitter(0).build()).ports(ports));
    }

    private static int portOf(WorkerInfo worker) {
        return URI.create(worker.url()).getPort();
    }

    private static ServerSocket listenOn(int port) throws IOException {
        return new ServerSocket(port, 5, InetAddress.getLoopbackAddress());
    }

    @Test
    void aWorkerWhosePortIsInUseAfterBackoffIsStartedOnAnotherPort() throws IOException {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        PortPool ports = FreePorts.range(2);
        VirtualHive hive = hive(ports);
        int first = portOf(hive.supervisor.spawn(WITH_PORT));
        hive.supervisor.reportReady("w1");
        var old = hive.lease("w1");
        hive.processes.exit("w1", 1);
        int second;
        try (ServerSocket foreign = listenOn(first)) {
            assertThat(foreign.isBound()).isTrue();
            hive.advanceSeconds(2);

            WorkerInfo worker = hive.worker("w1");
            second = portOf(worker);
            assertThat(second).isNotEqualTo(first);
            assertThat(worker.generation()).isEqualTo(2);
            ProcessSpec started = hive.processes.specOf("w1");
            assertThat(started.command()).containsExactly("serve", "--port=" + second);
            assertThat(started.environment()).containsEntry("WORKER_PORT", Integer.toString(second));
            assertThat(hive.heard.eventsOf("w1"))
                    .filteredOn(WorkerEvent.Restarted.class::isInstance)
                    .singleElement()
                    .satisfies(event -> assertThat(
                                    ((WorkerEvent.OfWorker) event).worker().url())
                            .isEqualTo(worker.url()));
            assertThat(portOf(old.url())).isEqualTo(first);
        }
        assertThat(ports.acquire()).as("the old port is free again").isEqualTo(first);
        hive.supervisor.stop("w1");
        assertThat(ports.acquire()).as("and at the end the new one").isEqualTo(second);
    }

    private static int portOf(String url) {
        return URI.create(url).getPort();
    }

    @Test
    void aWorkerWithoutAnotherPortFailsToStartUntilItsPortIsFree() throws IOException {
        UnexpectedWarnings.expect(Warnings.CRASHED, Warnings.START_FAILED);
        PortPool ports = FreePorts.range(1);
        VirtualHive hive = hive(ports);
        int port = portOf(hive.supervisor.spawn(WITH_PORT));
        hive.processes.exit("w1", 1);
        try (ServerSocket foreign = listenOn(port)) {
            assertThat(foreign.isBound()).isTrue();
            hive.advanceSeconds(1);

            assertThat(hive.processes.starts()).isEqualTo(1);
            assertThat(hive.supervisor.recentExits()).last().satisfies(exit -> {
                assertThat(exit.cause()).isEqualTo(Exit.Cause.START_FAILED);
                assertThat(exit.output()).singleElement().asString().contains("port " + port + " is in use");
            });
            assertThat(hive.state("w1"))
                    .isInstanceOfSatisfying(
                            BackingOff.class, next -> assertThat(next.attempt()).isEqualTo(2));
        }
        hive.advanceSeconds(3);

        assertThat(hive.worker("w1").restarts()).isEqualTo(2);
        assertThat(portOf(hive.worker("w1"))).isEqualTo(port);
        assertThat(hive.processes.running()).containsExactly("w1");
    }

    @Test
    void aPortThatStaysInUseIsACrashLoopAndThePortIsReleased() throws IOException {
        UnexpectedWarnings.expect(Warnings.CRASHED, Warnings.START_FAILED, Warnings.CRASH_LOOP);
        PortPool ports = FreePorts.range(1);
        VirtualHive hive = hive(ports);
        int port = portOf(hive.supervisor.spawn(WITH_PORT));
        hive.processes.exit("w1", 1);
        try (ServerSocket foreign = listenOn(port)) {
            assertThat(foreign.isBound()).isTrue();
            hive.advanceSeconds(300);

            assertThat(hive.isRemoved("w1")).isTrue();
            assertThat(hive.processes.starts()).isEqualTo(1);
        }
        assertThat(ports.acquire()).isEqualTo(port);
    }

    /** At each restart, the current port comes into use. */
    @Test
    void aWorkerWhosePortsComeIntoUseOneByOneHoldsOneAtATime() throws IOException {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        int size = 4;
        PortPool ports = FreePorts.range(size);
        VirtualHive hive = new VirtualHive(builder -> builder.restartPolicy(RestartPolicy.builder()
                        .jitter(0)
                        .max(Duration.ofSeconds(1))
                        .limit(100)
                        .build())
                .ports(ports));
        hive.supervisor.spawn(WITH_PORT);
        for (int i = 0; i < 3 * size; i++) {
            int port = portOf(hive.worker("w1"));
            hive.processes.exit("w1", 1);
            try (ServerSocket foreign = listenOn(port)) {
                assertThat(foreign.isBound()).isTrue();
                hive.advanceSeconds(2);
            }
            assertThat(portOf(hive.worker("w1"))).isNotEqualTo(port);
        }

        List<Integer> others = List.of(ports.acquire(), ports.acquire(), ports.acquire());
        assertThat(others).doesNotContain(portOf(hive.worker("w1"))).doesNotHaveDuplicates();
        assertThatThrownBy(ports::acquire).isInstanceOf(PortsExhaustedException.class);
    }

    @Test
    void anOperatorsRestartMovesToAnotherPort() throws IOException {
        PortPool ports = FreePorts.range(2);
        VirtualHive hive = hive(ports);
        int port = portOf(hive.supervisor.spawn(WITH_PORT));
        var restarted = hive.restart("w1");
        try (ServerSocket foreign = listenOn(port)) {
            assertThat(foreign.isBound()).isTrue();
            hive.advanceSeconds(1);
        }

        assertThat(restarted).isCompletedWithValueMatching(worker -> portOf(worker) != port);
    }

    /** The hive removes the record during the restart: the port acquired for it is free again. */
    @Test
    void aCancelledRestartHoldsNoPort() throws IOException {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        PortPool ports = FreePorts.range(2);
        VirtualHive hive = hive(ports);
        int port = portOf(hive.supervisor.spawn(WITH_PORT));
        hive.processes.exit("w1", 1);
        hive.registry.remove("w1");
        try (ServerSocket foreign = listenOn(port)) {
            assertThat(foreign.isBound()).isTrue();
            hive.advanceSeconds(2);
        }

        assertThat(List.of(ports.acquire(), ports.acquire())).contains(port);
    }

    // --- a url without {port}

    @ParameterizedTest
    @ValueSource(strings = {"http://127.0.0.1:%d", "http://localhost:%d/v1", "http://0.0.0.0:%d", "http://[::1]:%d"})
    void aSpawnWithAUrlInUseFails(String url) throws IOException {
        VirtualHive hive = hive(FreePorts.range(1));
        try (ServerSocket foreign = FreePorts.listen()) {
            int port = foreign.getLocalPort();
            WorkerSpec spec = byHand(url.formatted(port)).build();

            assertThatThrownBy(() -> hive.supervisor.spawn(spec))
                    .isInstanceOf(SpawnException.class)
                    .hasMessageContaining("port " + port + " is in use");

            assertThat(hive.registry.list()).isEmpty();
            assertThat(hive.processes.starts()).isZero();
            foreign.close();
            assertThat(hive.supervisor.spawn(spec).url()).isEqualTo(url.formatted(port));
        }
    }

    @Test
    void aRestartWithAUrlInUseFails() throws IOException {
        UnexpectedWarnings.expect(Warnings.CRASHED, Warnings.START_FAILED);
        VirtualHive hive = hive(FreePorts.range(1));
        int port;
        try (ServerSocket free = FreePorts.listen()) {
            port = free.getLocalPort();
        }
        hive.supervisor.spawn(byHand("http://127.0.0.1:" + port).build());
        hive.processes.exit("w1", 1);
        try (ServerSocket foreign = listenOn(port)) {
            assertThat(foreign.isBound()).isTrue();
            hive.advanceSeconds(1);
            assertThat(hive.processes.starts()).isEqualTo(1);
            assertThat(hive.supervisor.recentExits()).extracting(Exit::cause).endsWith(Exit.Cause.START_FAILED);
        }
        hive.advanceSeconds(3);

        assertThat(hive.processes.running()).containsExactly("w1");
    }

    @Test
    void aListenerOutsideTheTreeDoesNotBlockARestart() throws IOException {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        PortPool ports = FreePorts.range(2);
        VirtualHive hive = hive(ports);
        try (ServerSocket proxy = FreePorts.listen()) {
            hive.supervisor.spawn(byHand("http://127.0.0.1:" + proxy.getLocalPort() + "/{id}")
                    .listenerOutsideTree()
                    .build());
            hive.processes.exit("w1", 1);
            hive.advanceSeconds(2);
        }

        assertThat(hive.worker("w1").restarts()).isEqualTo(1);
        assertThat(hive.processes.running()).containsExactly("w1");
    }

    @Test
    void aListenerOutsideTheTreeMayHoldThePortAtARestart() throws IOException {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        VirtualHive hive = hive(FreePorts.range(2));
        int port = portOf(hive.supervisor.spawn(WorkerSpec.builder()
                .id("w1")
                .modelRef("tiny")
                .command("docker", "run", "-p", "{port}:80")
                .listenerOutsideTree()
                .build()));
        hive.processes.exit("w1", 1);
        try (ServerSocket proxy = listenOn(port)) {
            assertThat(proxy.isBound()).isTrue();
            hive.advanceSeconds(2);
        }

        assertThat(portOf(hive.worker("w1"))).isEqualTo(port);
        assertThat(hive.processes.running()).containsExactly("w1");
    }

    @Test
    void aUrlOfAnotherHostIsNotChecked() {
        VirtualHive hive = hive(FreePorts.range(1));

        assertThat(hive.supervisor
                        .spawn(byHand("http://gpu-7.invalid:80").build())
                        .url())
                .isEqualTo("http://gpu-7.invalid:80");
    }

    private static WorkerSpec.Builder byHand(String url) {
        return WorkerSpec.builder().id("w1").modelRef("tiny").command("serve").url(url);
    }
}
