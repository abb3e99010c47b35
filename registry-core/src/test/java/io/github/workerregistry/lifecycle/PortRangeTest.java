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
class PortRangeTest {

    @ParameterizedTest
    @CsvSource({"0, 10", "-1, 10", "10, 9", "1, 65536"})
    void boundsOutOfRangeAreRefusedWithTheirValues(int first, int last) {
        assertThatThrownBy(() -> PortRange.of(first, last))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(first + "-" + last);
    }

    @Test
    void theFirstAndTheLastPortOfAllAreTaken() {
        assertThat(PortRange.of(1, 65_535)).hasToString("1-65535");
    }

    @Test
    void aPortThatSomebodyListensOnIsNotGivenOut() throws IOException {
        try (ServerSocket stranger = FreePorts.listen()) {
            PortRange ports = PortRange.of(stranger.getLocalPort(), stranger.getLocalPort());

            assertThatThrownBy(ports::take).isInstanceOf(PortsExhaustedException.class);
        }
    }

    enum Stranger {
        ON_ALL_ADDRESSES("::"),
        ON_IPV4_ONLY("0.0.0.0"),
        ON_IPV4_LOOPBACK("127.0.0.1"),
        ON_ANOTHER_IPV4_LOOPBACK("127.0.0.9"),
        ON_IPV6_LOOPBACK("::1");

        private final String address;

        Stranger(String address) {
            this.address = address;
        }
    }

    @ParameterizedTest
    @EnumSource
    void aPortIsNotGivenOutWhateverAddressItsOwnerListensOn(Stranger stranger) throws IOException {
        assertNotGivenOutBeside(stranger, StandardSocketOptions.SO_REUSEADDR);
    }

    /** Of the same user, it would share the port with another one that sets this. */
    @ParameterizedTest
    @EnumSource
    void aPortIsNotGivenOutThoughItsOwnerWouldShareIt(Stranger stranger) throws IOException {
        assertNotGivenOutBeside(stranger, StandardSocketOptions.SO_REUSEPORT);
    }

    private static void assertNotGivenOutBeside(Stranger stranger, SocketOption<Boolean> option) throws IOException {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setOption(option, true);
            socket.bind(new InetSocketAddress(stranger.address, 0));
            PortRange ports = PortRange.of(socket.getLocalPort(), socket.getLocalPort());

            assertThatThrownBy(ports::take).isInstanceOf(PortsExhaustedException.class);
        }
    }

    @Test
    void theLocalPortOfAConnectionIsNotGivenOut() throws IOException {
        try (ServerSocket server = FreePorts.listen();
                Socket client = new Socket(InetAddress.getLoopbackAddress(), server.getLocalPort())) {
            PortRange ports = PortRange.of(client.getLocalPort(), client.getLocalPort());

            assertThatThrownBy(ports::take).isInstanceOf(PortsExhaustedException.class);
        }
    }

    @Test
    void aPortWhoseServerHasGoneIsGivenOutThoughItsConnectionsAreInTimeWait() throws IOException {
        PortRange ports = FreePorts.range(1);
        int port = ports.take();
        try (ServerSocket server = new ServerSocket(port);
                Socket client = new Socket(InetAddress.getLoopbackAddress(), port)) {
            server.accept().close(); // who closes first has the wait
            assertThat(client.getInputStream().read()).isEqualTo(-1);
        }
        assertThat(ports.next(port)).isEqualTo(port);
        ports.giveBack(port);

        assertThat(ports.take()).isEqualTo(port);
    }

    /** Each range had its own books, and two supervisors with the defaults gave the same port to two workers. */
    @Test
    void twoRangesOfTheSamePortsNeverGiveOutOneTwice() {
        PortRange one = FreePorts.range(3);
        PortRange other = same(one);
        Set<Integer> taken = new HashSet<>();
        taken.add(one.take());
        taken.add(other.take());
        taken.add(one.take());

        assertThat(taken).hasSize(3);
        assertThatThrownBy(one::take).isInstanceOf(PortsExhaustedException.class);
        assertThatThrownBy(other::take).isInstanceOf(PortsExhaustedException.class);
    }

    @Test
    void aPortThatOneRangeGivesBackIsFreeForTheOther() {
        PortRange one = FreePorts.range(1);
        PortRange other = same(one);
        int port = one.take();
        other.giveBack(port);
        assertThatThrownBy(other::take).isInstanceOf(PortsExhaustedException.class);

        one.giveBack(port);

        assertThat(other.take()).isEqualTo(port);
        assertThatThrownBy(one::take).isInstanceOf(PortsExhaustedException.class);
    }

    @Test
    void aRangeThatIsGarbageKeepsNoPort() {
        PortRange one = FreePorts.range(1);
        PortRange other = same(one);
        assertThat(one.take()).isPositive();

        one = null;

        await().until(() -> {
            System.gc();
            return catchThrowable(other::take) == null;
        });
    }

    // --- a port whose process has ended

    @Test
    void aPortThatIsStillFreeIsKept() {
        PortRange ports = FreePorts.range(2);
        int port = ports.take();

        assertThat(ports.next(port)).isEqualTo(port);
        assertThat(ports.take()).isNotEqualTo(port);
        assertThatThrownBy(ports::take).isInstanceOf(PortsExhaustedException.class);
    }

    @Test
    void aPortThatAStrangerHasTakenIsExchanged() throws IOException {
        PortRange ports = FreePorts.range(2);
        int port = ports.take();
        int other;
        try (ServerSocket stranger = new ServerSocket(port)) {
            assertThat(stranger.isBound()).isTrue();
            other = ports.next(port);
            assertThat(other).isNotEqualTo(port);
            ports.giveBack(port);
            assertThatThrownBy(ports::take).isInstanceOf(PortsExhaustedException.class);
        }
        assertThat(ports.take()).as("the stranger has gone").isEqualTo(port);
        assertThat(ports.next(other)).isEqualTo(other);
    }

    @Test
    void aPortThatAStrangerHasTakenIsKeptIfThereIsNoOther() throws IOException {
        PortRange ports = FreePorts.range(1);
        int port = ports.take();
        try (ServerSocket stranger = new ServerSocket(port)) {
            assertThat(stranger.isBound()).isTrue();

            assertThat(ports.next(port)).isEqualTo(port);
        }
        assertThatThrownBy(ports::take).isInstanceOf(PortsExhaustedException.class);
        ports.giveBack(port);
        assertThat(ports.take()).isEqualTo(port);
    }

    /** The port was listened on for a moment, and another server could not be started on it in that moment. */
    @Test
    void anotherServerMayBeStartedOnAPortWhileThatIsTriedOut() throws Exception {
        PortRange ports = FreePorts.range(1);
        int port = ports.take();
        ports.giveBack(port);
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

    private static PortRange same(PortRange range) {
        String[] bounds = range.toString().split("-", -1);
        return PortRange.of(Integer.parseInt(bounds[0]), Integer.parseInt(bounds[1]));
    }

    @Test
    void thePortGivenBackLongestAgoComesFirst() {
        PortRange ports = FreePorts.range(3);
        int a = ports.take();
        int b = ports.take();
        ports.giveBack(b);
        ports.giveBack(a);

        int c = ports.take();

        assertThat(c).isNotIn(a, b);
        assertThat(List.of(ports.take(), ports.take())).containsExactly(b, a);
    }

    @Test
    void aPortGivenBackTwiceIsGivenOutOnce() {
        PortRange ports = FreePorts.range(2);
        int a = ports.take();
        ports.giveBack(a);
        ports.giveBack(a);
        ports.giveBack(1);

        assertThat(List.of(ports.take(), ports.take())).doesNotHaveDuplicates();
        assertThatThrownBy(ports::take).isInstanceOf(PortsExhaustedException.class);
    }

    @Test
    void noTwoCallersGetTheSamePort() throws Exception {
        int size = 32;
        PortRange ports = FreePorts.range(size);
        ExecutorService callers = Executors.newFixedThreadPool(8);
        try {
            List<Callable<Integer>> calls = new ArrayList<>();
            for (int i = 0; i < size; i++) {
                calls.add(ports::take);
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
