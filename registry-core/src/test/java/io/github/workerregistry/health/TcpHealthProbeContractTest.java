package io.github.workerregistry.health;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.testing.contract.HealthProbeContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

/** The TCP probe fulfils the contract. It reads no answer, so unhealthy and invalid answers are not applicable. */
@ExtendWith(UnexpectedWarnings.class)
class TcpHealthProbeContractTest extends HealthProbeContract {

    private static final int CONNECT_MILLIS = 200;

    private final TcpHealthProbe probe = TcpHealthProbe.create();
    private final List<AutoCloseable> open = new ArrayList<>();

    @TestFactory
    Stream<DynamicTest> fulfilsTheContract() {
        return checks().stream()
                .map(check -> DynamicTest.dynamicTest(check.name(), () -> check.run(Assumptions::abort)));
    }

    @Override
    protected HealthProbe probe() {
        return probe;
    }

    @Override
    protected WorkerInfo healthy(String id) {
        RawServer server = RawServer.silent();
        open.add(server);
        return worker(id, server.url());
    }

    @Override
    protected Optional<WorkerInfo> exited(String id) {
        RawServer server = RawServer.silent();
        server.close();
        return Optional.of(worker(id, server.url()));
    }

    @Override
    protected Optional<WorkerInfo> invalidUrl(String id) {
        return Optional.of(worker(id, "no-host"));
    }

    /** Linux does not answer a connect request while the backlog of connections that are not accepted is full. */
    @Override
    protected Optional<WorkerInfo> silent(String id) {
        if (!OS.LINUX.isCurrentOs()) {
            return Optional.empty();
        }
        try {
            ServerSocket server = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
            open.add(server);
            fill(server);
            return Optional.of(worker(id, "http://127.0.0.1:" + server.getLocalPort()));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private void fill(ServerSocket server) throws IOException {
        while (true) {
            Socket client = new Socket();
            open.add(client);
            try {
                client.connect(server.getLocalSocketAddress(), CONNECT_MILLIS);
            } catch (SocketTimeoutException full) {
                return;
            }
        }
    }

    @Override
    protected void afterCheck() throws Exception {
        for (AutoCloseable each : open) {
            each.close();
        }
        open.clear();
    }
}
