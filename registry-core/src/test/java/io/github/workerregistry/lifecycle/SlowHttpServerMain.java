package io.github.workerregistry.lifecycle;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** An HTTP server that works on each request for a while, and exits at SIGTERM without regard to open requests. */
@SuppressWarnings("exports") // a test class in an exported package, not visible to users
public final class SlowHttpServerMain {

    private static final int WORK_MILLIS = 30;

    private SlowHttpServerMain() {}

    /**
     * Serves until it is terminated.
     *
     * @param args the port, the body of each answer
     * @throws IOException if it cannot
     */
    public static void main(String[] args) throws IOException {
        ExecutorService threads = Executors.newCachedThreadPool();
        try (ServerSocket server = new ServerSocket(Integer.parseInt(args[0]), 50, InetAddress.getLoopbackAddress())) {
            while (true) {
                Socket client = server.accept();
                threads.execute(() -> serve(client, args[1]));
            }
        }
    }

    private static void serve(Socket client, String text) {
        try (client) {
            BufferedReader in = new BufferedReader(new InputStreamReader(client.getInputStream(), UTF_8));
            String request = in.readLine();
            for (String header = request; header != null && !header.isEmpty(); header = in.readLine()) {
                // the answer begins after the last header
            }
            if (request != null && !request.contains("/health")) {
                Thread.sleep(WORK_MILLIS);
            }
            String head = "HTTP/1.1 200 OK\r\nContent-Length: " + text.length() + "\r\nConnection: close\r\n\r\n";
            client.getOutputStream().write((head + text).getBytes(UTF_8));
        } catch (IOException clientHasGone) {
            // the client reports it
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
