package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketOption;
import java.net.StandardSocketOptions;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

@ExtendWith(UnexpectedWarnings.class)
class PortPoolTest {

    @ParameterizedTest
    @CsvSource({"0, 10", "-1, 10", "10, 9", "1, 65536"})
    void boundsOutOfRangeAreRefusedWithTheirValues(int first, int last) {
        assertThatThrownBy(() -> PortPool.of(first, last))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(first + "-" + last);
    }

    @Test
    void theLowestAndTheHighestPortAreAccepted() {
        assertThat(PortPool.of(1, 65_535)).hasToString("1-65535");
    }

    @Test
    void aPortInUseIsNotAcquired() throws IOException {
        try (ServerSocket foreign = FreePorts.listen()) {
            PortPool ports = PortPool.of(foreign.getLocalPort(), foreign.getLocalPort());

            assertThatThrownBy(ports::acquire).isInstanceOf(PortsExhaustedException.class);
        }
    }

    enum ListenerAddress {
        ON_ALL_ADDRESSES("::"),
        ON_IPV4_ONLY("0.0.0.0"),
        ON_IPV4_LOOPBACK("127.0.0.1"),
        ON_ANOTHER_IPV4_LOOPBACK("127.0.0.9"),
        ON_IPV6_LOOPBACK("::1");

        private final String address;

        ListenerAddress(String address) {
            this.address = address;
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPortInUseOnAnyAddressIsNotAcquired(ListenerAddress listener) throws IOException {
        assertNotAcquired(listener, StandardSocketOptions.SO_REUSEADDR);
    }

    /** Two sockets of one user share a port if both set this option. */
    @ParameterizedTest
    @EnumSource
    void aPortInUseWithReusePortIsNotAcquired(ListenerAddress listener) throws IOException {
        assertNotAcquired(listener, StandardSocketOptions.SO_REUSEPORT);
    }

    private static void assertNotAcquired(ListenerAddress listener, SocketOption<Boolean> option) throws IOException {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setOption(option, true);
            socket.bind(new InetSocketAddress(listener.address, 0));
            PortPool ports = PortPool.of(socket.getLocalPort(), socket.getLocalPort());

            assertThatThrownBy(ports::acquire).isInstanceOf(PortsExhaustedException.class);
        }
    }

    @Test
    void theLocalPortOfAConnectionIsNotAcquired() throws IOException {
        try (ServerSocket server = FreePorts.listen();
                Socket client = new Socket(InetAddress.getLoopbackAddress(), server.getLocalPort())) {
            PortPool ports = PortPool.of(client.getLocalPort(), client.getLocalPort());

            assertThatThrownBy(ports::acquire).isInstanceOf(PortsExhaustedException.class);
        }
    }

    @Test
    void aPortWithConnectionsInTimeWaitIsAcquired() throws IOException {
        PortPool ports = FreePorts.range(1);
        int port = ports.acquire();
        try (ServerSocket server = new ServerSocket(port);
                Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
            server.accept().close(); // the side that closes first is in TIME_WAIT
            assertThat(client.getInputStream().read()).isEqualTo(-1);
        }
        assertThat(ports.next(port)).isEqualTo(port);
        ports.release(port);

        assertThat(ports.acquire()).isEqualTo(port);
    }

    /**
     * Regression: each pool counted its own ports only, and two supervisors with the defaults assigned one port to two
     * workers.
     */
    @Test
    void twoPoolsOfTheSamePortsNeverShareOne() {
        PortPool one = FreePorts.range(3);
        PortPool other = same(one);
        Set<Integer> taken = new HashSet<>();
        taken.add(one.acquire());
        taken.add(other.acquire());
        taken.add(one.acquire());

        assertThat(taken).hasSize(3);
        assertThatThrownBy(one::acquire).isInstanceOf(PortsExhaustedException.class);
        assertThatThrownBy(other::acquire).isInstanceOf(PortsExhaustedException.class);
    }

    @Test
    void aPortReleasedByOnePoolIsFreeForTheOther() {
        PortPool one = FreePorts.range(1);
        PortPool other = same(one);
        int port = one.acquire();
        other.release(port);
        assertThatThrownBy(other::acquire).isInstanceOf(PortsExhaustedException.class);

        one.release(port);

        assertThat(other.acquire()).isEqualTo(port);
        assertThatThrownBy(one::acquire).isInstanceOf(PortsExhaustedException.class);
    }

    @Test
    void aCollectedPoolHoldsNoPort() {
        PortPool one = FreePorts.range(1);
        PortPool other = same(one);
        assertThat(one.acquire()).isPositive();

        one = null;

        await().until(() -> {
            System.gc();
            return catchThrowable(other::acquire) == null;
        });
    }

    // --- a port after its process has exited

    @Test
    void aPortThatIsStillFreeIsKept() {
        PortPool ports = FreePorts.range(2);
        int port = ports.acquire();

        assertThat(ports.next(port)).isEqualTo(port);
        assertThat(ports.acquire()).isNotEqualTo(port);
        assertThatThrownBy(ports::acquire).isInstanceOf(PortsExhaustedException.class);
    }

    @Test
    void aPortInUseIsExchanged() throws IOException {
        PortPool ports = FreePorts.range(2);
        int port = ports.acquire();
        int other;
        try (ServerSocket foreign = new ServerSocket(port)) {
            assertThat(foreign.isBound()).isTrue();
            other = ports.next(port);
            assertThat(other).isNotEqualTo(port);
            ports.release(port);
            assertThatThrownBy(ports::acquire).isInstanceOf(PortsExhaustedException.class);
        }
        assertThat(ports.acquire()).as("the foreign server has closed").isEqualTo(port);
        assertThat(ports.next(other)).isEqualTo(other);
    }

    @Test
    void aPortInUseIsKeptIfNoOtherIsFree() throws IOException {
        PortPool ports = FreePorts.range(1);
        int port = ports.acquire();
        try (ServerSocket foreign = new ServerSocket(port)) {
            assertThat(foreign.isBound()).isTrue();

            assertThat(ports.next(port)).isEqualTo(port);
        }
        assertThatThrownBy(ports::acquire).isInstanceOf(PortsExhaustedException.class);
        ports.release(port);
        assertThat(ports.acquire()).isEqualTo(port);
    }

    /** Regression: the test bound the port for a moment, and another server could not bind it. */
    @Test
    void anotherServerCanBindAPortWhileItIsTested() throws Exception {
        PortPool ports = FreePorts.range(1);
        int port = ports.acquire();
        ports.release(port);
        ExecutorService hive = Executors.newSingleThreadExecutor();
        AtomicBoolean enough = new AtomicBoolean();
        try {
            Future<?> tries = hive.submit(() -> {
                while (!enough.get()) {
                    LocalPorts.canBind(new InetSocketAddress(port));
                }
            });
            for (int i = 0; i < 2_000; i++) {
                new ServerSocket(port).close();
            }
            enough.set(true);
            tries.get();
        } finally {
            enough.set(true);
            hive.shutdownNow();
        }
    }

    private static PortPool same(PortPool range) {
        String[] bounds = range.toString().split("-", -1);
        return PortPool.of(Integer.parseInt(bounds[0]), Integer.parseInt(bounds[1]));
    }

    @Test
    void theLeastRecentlyReleasedPortIsAcquiredFirst() {
        PortPool ports = FreePorts.range(3);
        int a = ports.acquire();
        int b = ports.acquire();
        ports.release(b);
        ports.release(a);

        int c = ports.acquire();

        assertThat(c).isNotIn(a, b);
        assertThat(List.of(ports.acquire(), ports.acquire())).containsExactly(b, a);
    }

    @Test
    void aPortReleasedTwiceIsAcquiredOnce() {
        PortPool ports = FreePorts.range(2);
        int a = ports.acquire();
        ports.release(a);
        ports.release(a);
        ports.release(1);

        assertThat(List.of(ports.acquire(), ports.acquire())).doesNotHaveDuplicates();
        assertThatThrownBy(ports::acquire).isInstanceOf(PortsExhaustedException.class);
    }

    @Test
    void concurrentCallersAcquireDifferentPorts() throws Exception {
        int size = 32;
        PortPool ports = FreePorts.range(size);
        ExecutorService callers = Executors.newFixedThreadPool(8);
        try {
            List<Callable<Integer>> calls = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                calls.add(ports::acquire);
            }
            List<Integer> taken = new ArrayList<>();
            for (Future<Integer> port : callers.invokeAll(calls)) {
                taken.add(port.get());
            }
            assertThat(taken).hasSize(size).doesNotHaveDuplicates();
        } finally {
            callers.shutdownNow();
        }
    }
}
