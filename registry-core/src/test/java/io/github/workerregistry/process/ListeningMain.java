package io.github.workerregistry.process;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;

/** Listens at an address until it is killed, and prints its pid and its port. */
final class ListeningMain {

    private static final int MAX_LIFE_MILLIS = 600_000;

    private ListeningMain() {}

    /**
     * Listens.
     *
     * @param args the address
     * @throws Exception if it cannot
     */
    public static void main(String[] args) throws Exception {
        try (ServerSocket socket = new ServerSocket(0, 5, InetAddress.getByName(args[0]))) {
            System.out.println(ProcessHandle.current().pid() + " " + socket.getLocalPort());
            Thread.sleep(MAX_LIFE_MILLIS); // bounded, because the test may have ended
        } catch (IOException e) {
            System.out.println(e);
        }
    }
}
