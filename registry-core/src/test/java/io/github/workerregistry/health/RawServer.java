package io.github.workerregistry.health;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** A server that sends the exact bytes that a test specifies, also invalid HTTP. One request per connection. */
public final class RawServer implements AutoCloseable {

    /** Answers a client. */
    @FunctionalInterface
    public interface Answer {
        /** Writes to the client; when it returns, the connection is closed. */
        void to(String requestLine, Socket client) throws IOException;
    }

    private final ServerSocket socket;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final List<String> requests = new CopyOnWriteArrayList<>();
    private final CountDownLatch closing = new CountDownLatch(1);

    public RawServer(Answer answer) {
        try {
            socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        threads.execute(() -> {
            while (!socket.isClosed()) {
                try {
                    Socket client = socket.accept();
                    threads.execute(() -> serve(client, answer));
                } catch (IOException closed) {
                    return;
                }
            }
        });
    }

    /** A server that always sends the same answer. */
    public static RawServer saying(String answer) {
        return new RawServer((request, client) -> say(client, answer));
    }

    /** A server that reads requests and sends nothing until it is closed. */
    public static RawServer silent() {
        return thinking(Duration.ofDays(1), "");
    }

    /** A server that delays its answer, at most until it is closed. */
    public static RawServer thinking(Duration time, String answer) {
        RawServer[] self = new RawServer[1];
        self[0] = new RawServer((request, client) -> {
            try {
                if (!self[0].closing.await(time.toNanos(), TimeUnit.NANOSECONDS)) {
                    say(client, answer);
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        return self[0];
    }

    /** Writes to a client. */
    public static void say(Socket client, String text) throws IOException {
        client.getOutputStream().write(text.getBytes(StandardCharsets.UTF_8));
    }

    /** A whole answer with that status and no body. */
    public static String status(int code, String... headers) {
        return "HTTP/1.1 " + code + " x\r\nContent-Length: 0\r\nConnection: close\r\n"
                + String.join(
                        "",
                        List.of(headers).stream().map(header -> header + "\r\n").toList()) + "\r\n";
    }

    public String url() {
        return "http://127.0.0.1:" + socket.getLocalPort();
    }

    /** The request lines so far. */
    public List<String> requests() {
        return requests;
    }

    private void serve(Socket client, Answer answer) {
        try (client) {
            BufferedReader in =
                    new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8));
            String requestLine = in.readLine();
            for (String header = requestLine; header != null && !header.isEmpty(); header = in.readLine()) {
                // the answer begins after the last header
            }
            if (requestLine != null) {
                requests.add(requestLine);
                answer.to(requestLine, client);
            }
        } catch (IOException clientHasGone) {
            // some tests close the connection early
        }
    }

    @Override
    public void close() {
        try {
            socket.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        closing.countDown();
        threads.shutdownNow();
        awaitEnd();
    }

    /** A thread in accept() keeps the port open for a short time after the close. */
    private void awaitEnd() {
        try {
            if (!threads.awaitTermination(20, TimeUnit.SECONDS)) {
                throw new IllegalStateException("the server thread does not end");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
