package io.github.workerregistry.examples.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class LiveStreamTest {

    private static final String PIECE = "x".repeat(1023) + "\n";

    private final LiveStreams streams = new LiveStreams();
    private final AtomicInteger written = new AtomicInteger();
    private Vertx vertx;
    private int port;

    @BeforeEach
    void start() throws IOException {
        vertx = EventLoops.start();
        Listening listening = Listening.on(vertx, "127.0.0.1", 0, Bounds.DEFAULT);
        port = listening.address().port();
        new JsonServer(listening, new Guard(List.of()), routes -> {
                    routes.stream("/flood", this::flood);
                    routes.stream("/silent", exchange -> streams.open(exchange, "text/plain", ""));
                })
                .start();
    }

    @AfterEach
    void stop() {
        EventLoops.close(vertx);
    }

    private void flood(Exchange exchange) {
        LiveStream stream = streams.open(exchange, "text/plain", "");
        stream.onCaughtUp(dropped -> stream.write("dropped " + dropped + "\n"));
        stream.every(1, () -> {
            for (int i = 0; i < 100; i++) {
                stream.write(PIECE);
                written.incrementAndGet();
            }
        });
    }

    private Socket get(String path) throws IOException {
        Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
        socket.setReceiveBufferSize(64 * 1024);
        socket.getOutputStream()
                .write(("GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
        return socket;
    }

    @Test
    void clientThatDoesNotReadLosesPiecesAndIsToldHowMany() throws IOException {
        try (Socket client = get("/flood")) {
            await().until(() -> written.get() > 50_000);

            assertThat(readUntil(client.getInputStream(), "dropped \\d+\n", 30_000_000))
                    .startsWith("HTTP/1.1 200");
        }
        await().until(() -> streams.count() == 0);
    }

    /** Reads until a pattern appears. */
    private static String readUntil(InputStream from, String pattern, int most) throws IOException {
        Pattern end = Pattern.compile(pattern);
        StringBuilder text = new StringBuilder();
        byte[] piece = new byte[64 * 1024];
        while (text.length() < most) {
            int length = from.read(piece);
            assertThat(length).as("bytes after %s", text).isPositive();
            String next = new String(piece, 0, length, StandardCharsets.US_ASCII);
            int before = Math.max(0, text.length() - 100);
            text.append(next);
            if (end.matcher(text.substring(before)).find()) {
                return text.toString();
            }
        }
        throw new AssertionError("not within " + most + " characters: " + pattern);
    }

    @Test
    void thereIsALimitAndClientsThatLeaveMakeRoom() throws IOException {
        for (int round = 0; round < 3; round++) {
            Socket[] clients = new Socket[LiveStreams.MOST];
            for (int i = 0; i < clients.length; i++) {
                clients[i] = get("/silent");
            }
            await().until(() -> streams.count() == LiveStreams.MOST);
            try (Socket oneMore = get("/silent")) {
                assertThat(readUntil(oneMore.getInputStream(), "\r\n\r\n", 1000))
                        .startsWith("HTTP/1.1 503")
                        .contains("Retry-After");
            } finally {
                for (Socket client : clients) {
                    client.close();
                }
            }
            await().until(() -> streams.count() == 0);
        }
    }

    @Test
    void closeEndsAllStreams() throws IOException {
        try (Socket client = get("/silent")) {
            await().until(() -> streams.count() == 1);
            streams.close();

            client.setSoTimeout(20_000);
            assertThat(readUntil(client.getInputStream(), "\r\n0\r\n\r\n", 2000))
                    .contains("200 OK");
        }
    }
}
