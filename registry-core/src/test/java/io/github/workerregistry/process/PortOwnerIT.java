package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.StandardSocketOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The owner of a listening socket, with real sockets. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class PortOwnerIT {

    @RegisterExtension
    final RealWorkers workers;

    PortOwnerIT(@TempDir Path logs) {
        workers = new RealWorkers(logs);
    }

    private static InetSocketAddress at(String host, int port) {
        return new InetSocketAddress(host, port);
    }

    private static String listening(String address) {
        List<String> command = new ArrayList<>(ChildJvm.command(ListeningMain.class));
        command.add(address);
        return command.stream().map(word -> "'" + word + "'").collect(Collectors.joining(" "));
    }

    private int eventuallyListens(WorkerProcess process) {
        workers.eventually(() -> !process.outputTail(1).isEmpty());
        String[] said = process.outputTail(1).get(0).split(" ", -1);
        workers.processes().watch(Long.parseLong(said[0]));
        return Integer.parseInt(said[1]);
    }

    @ParameterizedTest
    @CsvSource({
        "127.0.0.1, 127.0.0.1",
        "0.0.0.0, 127.0.0.1",
        "::, 127.0.0.1",
        "::, ::1",
        "::1, ::1",
        "127.0.0.9, 127.0.0.9"
    })
    void rootOfATreeOwnsItsSocket(String bound, String asked) {
        WorkerProcess process = workers.shell("exec " + listening(bound));
        int port = eventuallyListens(process);

        assertThat(owner(process, at(asked, port))).hasValue(true);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "%s & wait",
                "setsid %s & wait",
                "(setsid sh -c '%s &' &); exec sleep 600",
                "sh -c '%s & exec sleep 600'"
            })
    void socketsOfDescendantsBelongToTheWorker(String script) {
        WorkerProcess process =
                workers.shell(script.formatted(listening("127.0.0.1").replace("'", "")));
        int port = eventuallyListens(process);

        assertThat(owner(process, at("127.0.0.1", port))).hasValue(true);
    }

    /** A search may be unsure while other processes are in exec; then it is repeated, as by the supervisor. */
    private Optional<Boolean> owner(WorkerProcess process, InetSocketAddress address) {
        AtomicReference<Optional<Boolean>> owner = new AtomicReference<>();
        workers.eventually(() -> {
            try {
                owner.set(process.ownsListener(address));
                return true;
            } catch (UnreadableException notNow) {
                return false;
            }
        });
        return owner.get();
    }

    @Test
    void socketOfAnUnrelatedProcessIsNotOwned() throws Exception {
        WorkerProcess process = workers.running();
        try (ServerSocket unrelated = new ServerSocket(0)) {
            assertThat(owner(process, at("127.0.0.1", unrelated.getLocalPort())))
                    .hasValue(false);
            assertThat(owner(process, at("::1", unrelated.getLocalPort()))).hasValue(false);
        }
    }

    @Test
    void socketOfAnotherWorkerIsNotOwned() {
        WorkerProcess other = workers.shell("exec " + listening("127.0.0.1"));
        int port = eventuallyListens(other);

        assertThat(owner(workers.running(), at("127.0.0.1", port))).hasValue(false);
    }

    @Test
    void ownerIsUnknownIfNoSocketListens() throws Exception {
        WorkerProcess process = workers.running();
        int port;
        try (ServerSocket closed = new ServerSocket(0)) {
            port = closed.getLocalPort();
        }

        assertThat(owner(process, at("127.0.0.1", port))).isEmpty();
    }

    @Test
    void exitedProcessOwnsNoSocket() throws Exception {
        WorkerProcess process = workers.running();
        process.kill();
        workers.eventuallyExited(process);
        try (ServerSocket unrelated = new ServerSocket(0)) {
            assertThat(owner(process, at("127.0.0.1", unrelated.getLocalPort())))
                    .hasValue(false);
        }
    }

    /** Linux distributes connections over both sockets. */
    @Test
    void portSharedWithAnUnrelatedProcessIsNotOwned() throws Exception {
        try (ServerSocket one = sharing(0);
                ServerSocket other = sharing(one.getLocalPort())) {
            ProcessIdentity here = ProcessIdentity.of(ProcessHandle.current());
            InetSocketAddress address = at("127.0.0.1", other.getLocalPort());
            assertThat(PortOwner.isAmong(List.of(here), address))
                    .as("both sockets belong to this process")
                    .hasValue(true);

            assertThat(owner(workers.running(), address)).hasValue(false);
        }
    }

    private static ServerSocket sharing(int port) throws Exception {
        ServerSocket socket = new ServerSocket();
        socket.setOption(StandardSocketOptions.SO_REUSEPORT, true);
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return socket;
    }

    /** A socket on another address of the same port is not reached at this address. */
    @Test
    void socketOnAnotherAddressIsIgnored() throws Exception {
        WorkerProcess process = workers.shell("exec " + listening("127.0.0.1"));
        int port = eventuallyListens(process);
        try (ServerSocket unrelated = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.9"))) {
            assertThat(owner(process, at("127.0.0.1", port))).hasValue(true);
            assertThat(owner(process, at("127.0.0.9", unrelated.getLocalPort())))
                    .hasValue(false);
        }
    }
}
