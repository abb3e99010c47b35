package io.github.workerregistry.lifecycle;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;

/** A server that waits for a file, then listens on a port and sends its name to each client. */
final class TcpServerMain {

    private static final int LOAD_LOOKS = 30_000;
    private static final int BETWEEN_LOOKS_MILLIS = 20;

    private TcpServerMain() {}

    /**
     * Waits for ten minutes at most, in case the test was killed.
     *
     * @param args the port, the name, the file
     * @throws Exception if it cannot
     */
    public static void main(String[] args) throws Exception {
        for (int i = 0; i < LOAD_LOOKS && !Files.exists(Path.of(args[2])); i++) {
            Thread.sleep(BETWEEN_LOOKS_MILLIS);
        }
        try (ServerSocket server = new ServerSocket(Integer.parseInt(args[0]), 50, InetAddress.getLoopbackAddress())) {
            while (Files.exists(Path.of(args[2]).getParent())) {
                try (Socket client = server.accept()) {
                    client.getOutputStream().write(args[1].getBytes(UTF_8));
                }
            }
        } catch (BindException taken) {
            System.exit(1);
        }
    }
}
