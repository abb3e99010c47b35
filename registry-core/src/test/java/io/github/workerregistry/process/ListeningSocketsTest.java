package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.net.InetSocketAddress;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Tables in the format of a little-endian machine. */
@ExtendWith(UnexpectedWarnings.class)
class ListeningSocketsTest {

    private static final String HEADING =
            "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode";

    private static final String LOOPBACK = "0100007F";
    private static final String ANY = "00000000";
    private static final String LOOPBACK_6 = "00000000000000000000000001000000";
    private static final String ANY_6 = "00000000000000000000000000000000";
    private static final String MAPPED_LOOPBACK = "0000000000000000FFFF00000100007F";
    private static final String MAPPED_ANY = "0000000000000000FFFF000000000000";

    @BeforeEach
    void thisMachineIsLittleEndian() {
        assumeThat(ByteOrder.nativeOrder()).isEqualTo(ByteOrder.LITTLE_ENDIAN);
    }

    private static String line(String address, int port, String state, long inode) {
        String there = "0".repeat(address.length());
        return String.format(
                "   0: %s:%04X %s:0000 %s 00000000:00000000 00:00000000 00000000  1000        0 %d 1 0000000000000000 100"
                        + " 0 0 10 0",
                address, port, there, state, inode);
    }

    private static String listening(String address, int port, long inode) {
        return line(address, port, "0A", inode);
    }

    private static Set<Long> reached(String host, int port, List<String> tcp, List<String> tcp6) {
        return ListeningSockets.parse(tcp, tcp6).reachableAt(new InetSocketAddress(host, port));
    }

    @ParameterizedTest
    @CsvSource({"127.0.0.1, 8100, 1", "127.0.0.2, 8100, 2", "127.0.0.1, 8101, 3", "10.0.0.1, 8101, 3"})
    void socketOfTheExactAddressPrecedesTheWildcardSocket(String host, int port, long inode) {
        List<String> tcp =
                List.of(HEADING, listening(LOOPBACK, 8100, 1), listening(ANY, 8100, 2), listening(ANY, 8101, 3));

        assertThat(reached(host, port, tcp, List.of(HEADING))).containsExactly(inode);
    }

    @Test
    void otherPortsAndConnectedSocketsAreIgnored() {
        List<String> tcp = List.of(HEADING, listening(LOOPBACK, 8100, 1), line(LOOPBACK, 8101, "01", 2));

        assertThat(reached("127.0.0.1", 8101, tcp, List.of())).isEmpty();
        assertThat(reached("127.0.0.2", 8100, tcp, List.of())).isEmpty();
        assertThat(reached("::1", 8100, tcp, List.of())).isEmpty();
        assertThat(reached("127.0.0.1", 8100, List.of(), List.of())).isEmpty();
    }

    @Test
    void wildcardIpv6SocketAcceptsIpv4UnlessAnIpv4SocketExists() {
        List<String> tcp6 = List.of(HEADING, listening(ANY_6, 8100, 6));

        assertThat(reached("127.0.0.1", 8100, List.of(HEADING), tcp6)).containsExactly(6L);
        assertThat(reached("::1", 8100, List.of(HEADING), tcp6)).containsExactly(6L);
        assertThat(reached("127.0.0.1", 8100, List.of(HEADING, listening(ANY, 8100, 4)), tcp6))
                .containsExactly(4L);
        assertThat(reached("::1", 8100, List.of(HEADING, listening(ANY, 8100, 4)), tcp6))
                .containsExactly(6L);
    }

    @Test
    void ipv6SocketMayBeBoundToAnIpv4Address() {
        List<String> tcp6 = List.of(HEADING, listening(MAPPED_LOOPBACK, 8100, 7), listening(MAPPED_ANY, 8101, 8));

        assertThat(reached("127.0.0.1", 8100, List.of(HEADING, listening(ANY, 8100, 4)), tcp6))
                .containsExactly(7L);
        assertThat(reached("127.0.0.1", 8101, List.of(), tcp6)).containsExactly(8L);
        assertThat(reached("::1", 8101, List.of(), tcp6)).isEmpty();
    }

    @Test
    void allSocketsThatShareAPortAreFound() {
        List<String> tcp = List.of(listening(LOOPBACK, 8100, 1), listening(LOOPBACK, 8100, 2), listening(ANY, 8100, 3));
        List<String> tcp6 = List.of(listening(LOOPBACK_6, 8100, 4), listening(LOOPBACK_6, 8100, 5));

        assertThat(reached("127.0.0.1", 8100, tcp, tcp6)).containsExactlyInAnyOrder(1L, 2L);
        assertThat(reached("::1", 8100, tcp, tcp6)).containsExactlyInAnyOrder(4L, 5L);
    }
}
