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
 * The TCP sockets that listen in the network namespace of this JVM, as {@code /proc/net/tcp} and {@code tcp6} list
 * them. Which of them a connection reaches is told as Linux decides it: one that is bound to the very address before
 * one that is bound to all, and of IPv4 before one of IPv6 that takes both. Several are reached in turn if they share
 * the port (SO_REUSEPORT).
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

        /** Empty for the heading. */
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

        /** The table has addresses as words of 32 bits, each printed as this machine reads it. */
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
     * Those of now. The tables list those that listen first, so no more is read, however many connections there are.
     *
     * @return not read if this JVM may not, or cannot now
     */
    static Reading<ListeningSockets> read() {
        Reading<List<String>> tcp = Proc.linesWhile("self/net/tcp", ListeningSockets::isNotPastTheListening);
        Reading<List<String>> tcp6 = Proc.linesWhile("self/net/tcp6", ListeningSockets::isNotPastTheListening);
        if (tcp.hasFailed() || tcp6.hasFailed()) {
            return Reading.failed();
        }
        return tcp.value().isEmpty() && tcp6.value().isEmpty()
                ? Reading.refused()
                : Reading.read(parse(tcp.value().orElse(List.of()), tcp6.value().orElse(List.of())));
    }

    /** Connections that are being made stood between those that listen, before Linux 4.4. */
    private static boolean isNotPastTheListening(String line) {
        String[] fields = line.strip().split("\\s+", -1);
        return fields.length <= Socket.STATE || Set.of("st", "0A", "03").contains(fields[Socket.STATE]);
    }

    /** From the lines of both tables. */
    static ListeningSockets parse(List<String> tcp, List<String> tcp6) {
        return new ListeningSockets(parse(tcp), parse(tcp6));
    }

    private static List<Socket> parse(List<String> lines) {
        return lines.stream().map(Socket::parse).flatMap(Optional::stream).toList();
    }

    /** The inodes of those that a connection to an address reaches; none if it would be refused. */
    Set<Long> reachedAt(InetSocketAddress address) {
        byte[] wanted = address.getAddress().getAddress();
        int port = address.getPort();
        Stream<Set<Long>> inOrder = wanted.length == IPV4_BYTES
                ? Stream.of(
                        inodes(ipv4, port, isAt(wanted)),
                        inodes(ipv6, port, isAt(mapped(wanted))),
                        inodes(ipv4, port, ListeningSockets::isAnywhere),
                        inodes(ipv6, port, ListeningSockets::isAnywhereForIpv4))
                : Stream.of(inodes(ipv6, port, isAt(wanted)), inodes(ipv6, port, ListeningSockets::isAnywhere));
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

    private static boolean isAnywhere(byte[] address) {
        return Arrays.equals(address, new byte[address.length]);
    }

    /** Whether it takes IPv4 at all is not told; if it did not, nobody would have been reached. */
    private static boolean isAnywhereForIpv4(byte[] address) {
        return isAnywhere(address) || Arrays.equals(address, mapped(new byte[IPV4_BYTES]));
    }

    private static byte[] mapped(byte[] ipv4) {
        byte[] ipv6 = Arrays.copyOf(MAPPED, MAPPED.length + IPV4_BYTES);
        System.arraycopy(ipv4, 0, ipv6, MAPPED.length, IPV4_BYTES);
        return ipv6;
    }
}
