package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class LocalPortsTest {

    private static final InetAddress LOOPBACK = InetAddress.getLoopbackAddress();

    @Test
    void anOpenListenerIsDetectedAndAClosedOneIsNot() throws IOException {
        ServerSocket server = new ServerSocket(0, 1, LOOPBACK);
        InetSocketAddress address = (InetSocketAddress) server.getLocalSocketAddress();
        try (server) {
            assertThat(LocalPorts.canBind(address)).isFalse();
            assertThat(LocalPorts.isListenedOn(address)).isTrue();
        }
        assertThat(LocalPorts.canBind(address)).isTrue();
        assertThat(LocalPorts.isListenedOn(address)).isFalse();
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aListenerOnAnotherAddressIsIgnored() throws IOException {
        InetAddress another = InetAddress.getByAddress(new byte[] {127, 0, 0, 9});
        try (ServerSocket server = new ServerSocket(0, 1, another)) {
            assertThat(LocalPorts.isListenedOn(new InetSocketAddress(another, server.getLocalPort())))
                    .isTrue();
            assertThat(LocalPorts.isListenedOn(
                            new InetSocketAddress(InetAddress.getLoopbackAddress(), server.getLocalPort())))
                    .isFalse();
        }
    }

    @Test
    void aListenerOnAllAddressesIsDetectedOnEach() throws IOException {
        try (ServerSocket server = FreePorts.listen()) {
            assertThat(LocalAddresses.loopback(server.getLocalPort())).allMatch(LocalPorts::isListenedOn);
        }
    }

    /** A server that accepts no more connections still listens. */
    @Test
    void aListenerWithAFullBacklogIsDetected() throws IOException {
        List<Socket> queued = new ArrayList<>();
        try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK)) {
            boolean full = false;
            while (!full) {
                Socket next = new Socket();
                queued.add(next);
                try {
                    next.connect(server.getLocalSocketAddress(), 100);
                } catch (SocketTimeoutException noRoom) {
                    full = true;
                }
            }

            assertThat(LocalPorts.isListenedOn((InetSocketAddress) server.getLocalSocketAddress()))
                    .isTrue();
        } finally {
            for (Socket socket : queued) {
                socket.close();
            }
        }
    }

    /** Such a server cannot be restarted for a minute, but nothing listens there. */
    @Test
    void connectionsInTimeWaitAreNoListener() throws IOException {
        InetSocketAddress address;
        try (ServerSocket server = new ServerSocket()) {
            server.setReuseAddress(false);
            server.bind(new InetSocketAddress(LOOPBACK, 0));
            address = (InetSocketAddress) server.getLocalSocketAddress();
            try (Socket client = new Socket(LOOPBACK, server.getLocalPort())) {
                server.accept().close(); // the side that closes first is in TIME_WAIT
                assertThat(client.getInputStream().read()).isEqualTo(-1);
            }
        }
        assertThat(LocalPorts.canBind(address)).isFalse();

        assertThat(LocalPorts.isListenedOn(address)).isFalse();
    }

    @Test
    void theLocalEndOfAConnectionIsNoListener() throws IOException {
        try (ServerSocket server = new ServerSocket(0, 1, LOOPBACK);
                Socket client = new Socket(LOOPBACK, server.getLocalPort())) {
            InetSocketAddress end = (InetSocketAddress) client.getLocalSocketAddress();
            assertThat(LocalPorts.canBind(end)).isFalse();

            assertThat(LocalPorts.isListenedOn(end)).isFalse();
        }
    }
}
