package io.github.workerregistry.health;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.testing.HealthProbeContract;
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

/** The TCP probe keeps the contract. It hears no words, so no worker can say that it is ill, nor talk nonsense. */
@ExtendWith(UnexpectedWarnings.class)
class TcpHealthProbeContractTest extends HealthProbeContract {

    private static final int CONNECT_MILLIS = 200;

    private final TcpHealthProbe probe = TcpHealthProbe.create();
    private final List<AutoCloseable> open = new ArrayList<>();

    @TestFactory
    Stream<DynamicTest> keepsTheContract() {
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
    protected Optional<WorkerInfo> dead(String id) {
        RawServer server = RawServer.silent();
        server.close();
        return Optional.of(worker(id, server.url()));
    }

    @Override
    protected Optional<WorkerInfo> unaskable(String id) {
        return Optional.of(worker(id, "no-host"));
    }

    /** Linux does not answer a request to connect while the queue of those that nobody has accepted is full. */
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
