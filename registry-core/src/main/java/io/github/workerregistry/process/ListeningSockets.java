package io.github.workerregistry.process;

import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The listening TCP sockets in the network namespace of this JVM, from {@code /proc/net/tcp} and {@code tcp6}. A
 * connection is matched as by Linux: a socket bound to the exact address precedes one bound to the wildcard address,
 * and an IPv4 socket precedes a dual-stack IPv6 one. Several sockets may share a port (SO_REUSEPORT).
 */
final class ListeningSockets {

    private static final int IPV4_BYTES = 4;
    private static final byte[] MAPPED = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, (byte) 0xff, (byte) 0xff};

    private final List<Socket> ipv4;
    private final List<Socket> ipv6;

    /** A line of the table. */
    @SuppressWarnings("ArrayRecordComponent") // never compared
    private record Socket(byte[] address, int port, long inode) {

        private static final String LISTEN = "0A";
        private static final int LOCAL_ADDRESS = 1;
        private static final int STATE = 3;
        private static final int INODE = 9;

        /** Empty for the header line. */
        static Optional<Socket> parse(String line) {
            String[] fields = line.strip().split("\\s+", -1);
            if (fields.length <= INODE || !fields[STATE].equals(LISTEN)) {
                return Optional.empty();
            }
            int colon = fields[LOCAL_ADDRESS].indexOf(':');
            return Optional.of(new Socket(
                    bytes(fields[LOCAL_ADDRESS].substring(0, colon)),
                    Integer.parseInt(fields[LOCAL_ADDRESS].substring(colon + 1), 16),
                    Long.parseLong(fields[INODE])));
        }

        /** The table contains addresses as 32-bit words in native byte order. */
        private static byte[] bytes(String words) {
            ByteBuffer bytes = ByteBuffer.allocate(words.length() / 2).order(ByteOrder.nativeOrder());
            for (int i = 0; i < words.length(); i += Integer.BYTES * 2) {
                bytes.putInt(Integer.parseUnsignedInt(words.substring(i, i + Integer.BYTES * 2), 16));
            }
            return bytes.array();
        }
    }

    private ListeningSockets(List<Socket> ipv4, List<Socket> ipv6) {
        this.ipv4 = ipv4;
        this.ipv6 = ipv6;
    }

    /**
     * Reads the current sockets. The tables list listening sockets first, so reading stops before the connections.
     *
     * @return refused if this JVM may not read the tables, failed if it cannot now
     */
    static Reading<ListeningSockets> read() {
        Reading<List<String>> tcp = Proc.linesWhile("self/net/tcp", ListeningSockets::isInListeningPart);
        Reading<List<String>> tcp6 = Proc.linesWhile("self/net/tcp6", ListeningSockets::isInListeningPart);
        if (tcp.hasFailed() || tcp6.hasFailed()) {
            return Reading.failed();
        }
        return tcp.value().isEmpty() && tcp6.value().isEmpty()
                ? Reading.refused()
                : Reading.read(parse(tcp.value().orElse(List.of()), tcp6.value().orElse(List.of())));
    }

    /** Before Linux 4.4, connections in SYN_RECV state were listed among the listening sockets. */
    private static boolean isInListeningPart(String line) {
        String[] fields = line.strip().split("\\s+", -1);
        return fields.length <= Socket.STATE || Set.of("st", "0A", "03").contains(fields[Socket.STATE]);
    }

    /** Parses the lines of both tables. */
    static ListeningSockets parse(List<String> tcp, List<String> tcp6) {
        return new ListeningSockets(parse(tcp), parse(tcp6));
    }

    private static List<Socket> parse(List<String> lines) {
        return lines.stream().map(Socket::parse).flatMap(Optional::stream).toList();
    }

    /** The inodes of the sockets that a connection to an address may reach; none if it would be refused. */
    Set<Long> reachableAt(InetSocketAddress address) {
        byte[] wanted = address.getAddress().getAddress();
        int port = address.getPort();
        Stream<Set<Long>> inOrder = wanted.length == IPV4_BYTES
                ? Stream.of(
                        inodes(ipv4, port, isAt(wanted)),
                        inodes(ipv6, port, isAt(mapped(wanted))),
                        inodes(ipv4, port, ListeningSockets::isWildcard),
                        inodes(ipv6, port, ListeningSockets::isWildcardForIpv4))
                : Stream.of(inodes(ipv6, port, isAt(wanted)), inodes(ipv6, port, ListeningSockets::isWildcard));
        return inOrder.filter(reached -> !reached.isEmpty()).findFirst().orElse(Set.of());
    }

    private static Set<Long> inodes(List<Socket> sockets, int port, Predicate<byte[]> address) {
        Set<Long> inodes = new HashSet<>();
        for (Socket socket : sockets) {
            if (socket.port == port && address.test(socket.address)) {
                inodes.add(socket.inode);
            }
        }
        return inodes;
    }

    private static Predicate<byte[]> isAt(byte[] wanted) {
        return address -> Arrays.equals(address, wanted);
    }

    private static boolean isWildcard(byte[] address) {
        return Arrays.equals(address, new byte[address.length]);
    }

    /** The table does not say whether the socket is dual-stack; if not, the connection would have been refused. */
    private static boolean isWildcardForIpv4(byte[] address) {
        return isWildcard(address) || Arrays.equals(address, mapped(new byte[IPV4_BYTES]));
    }

    private static byte[] mapped(byte[] ipv4) {
        byte[] ipv6 = Arrays.copyOf(MAPPED, MAPPED.length + IPV4_BYTES);
        System.arraycopy(ipv4, 0, ipv6, MAPPED.length, IPV4_BYTES);
        return ipv6;
    }
}
