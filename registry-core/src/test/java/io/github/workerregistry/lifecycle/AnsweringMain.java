package io.github.workerregistry.lifecycle;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.BindException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;

/** Loads until a file is there, then listens on a port and says its name to whoever connects. */
final class AnsweringMain {

    private static final int LOAD_LOOKS = 30_000;
    private static final int BETWEEN_LOOKS_MILLIS = 20;

    private AnsweringMain() {}

    /**
     * Runs for ten minutes of waiting, at the longest: the test may be gone.
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
