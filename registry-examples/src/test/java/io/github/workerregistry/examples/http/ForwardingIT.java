package io.github.workerregistry.examples.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.vertx.core.Vertx;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A server that forwards to a worker that does not behave, for clients that do not. */
@Timeout(120)
class ForwardingIT {

    private static final String OK = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n";
    private static final int MIB = 1 << 20;

    private final Vertx vertx = EventLoops.start();
    private final HttpClient http = HttpClient.newHttpClient();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final CountDownLatch workerSeesEnd = new CountDownLatch(1);
    private ServerSocket worker;
    private URI url;

    /** How a worker answers a request that it has read. */
    private interface Answering {
        void answer(Socket connection) throws Exception;
    }

    @BeforeEach
    void start() throws IOException {
        worker = new ServerSocket(0, 200, InetAddress.getLoopbackAddress());
        Forwarding forwarding = new Forwarding(
                EventLoops.client(vertx, Duration.ofSeconds(2)),
                new Forwarding.Patience(Duration.ofSeconds(1), Duration.ofSeconds(1), Duration.ofSeconds(1)));
        Listening listening =
                Listening.on(vertx, "127.0.0.1", 0, new Bounds(32L * MIB, 8L * MIB, 300, Duration.ofSeconds(2)));
        new JsonServer(
                        listening,
                        new Guard(List.of()),
                        routes -> routes.get("/health", exchange -> Answer.ok("ok")),
                        exchange -> RequestBody.forwarded(exchange)
                                .onSuccess(body -> forward(forwarding, exchange, body))
                                .onFailure(exchange::fail))
                .start();
        url = URI.create(listening.address().url());
    }

    private void forward(Forwarding forwarding, Exchange exchange, RequestBody body) {
        Attempt attempt = forwarding.send(exchange, body, "http://127.0.0.1:" + worker.getLocalPort(), "/");
        attempt.answer()
                .compose(answer -> attempt.forward(answer, Map.of(), () -> {}))
                .onFailure(failure -> exchange.fail(
                        new Refusal(502, "failed", failure.getClass().getSimpleName())));
    }

    @AfterEach
    void stop() throws IOException {
        EventLoops.close(vertx);
        worker.close();
        threads.shutdownNow();
    }

    private void workers(Answering answering) {
        threads.execute(() -> {
            while (!worker.isClosed()) {
                try {
                    Socket connection = worker.accept();
                    threads.execute(() -> serve(connection, answering));
                } catch (IOException e) {
                    return; // closed
                }
            }
        });
    }

    private static void serve(Socket connection, Answering answering) {
        try (connection) {
            connection.getInputStream().read(new byte[64 * 1024]);
            answering.answer(connection);
        } catch (Exception e) {
            // the server has given up
        }
    }

    private static void write(Socket connection, String text) throws IOException {
        connection.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
    }

    static Stream<Arguments> answersThatAreNone() {
        return Stream.of(
                arguments("no HTTP", (Answering) c -> write(c, "garbage\r\n\r\n")),
                arguments("status 999", (Answering) c -> write(c, "HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n")),
                arguments("status 600", (Answering) c -> write(c, "HTTP/1.1 600 Odd\r\nContent-Length: 0\r\n\r\n")),
                arguments("30 KB header", (Answering) c -> write(c, OK + "X-Long: " + "x".repeat(30_000) + "\r\n\r\n")),
                arguments("nothing", (Answering) c -> {}),
                arguments("half a header", (Answering) c -> write(c, "HTTP/1.1 200 OK\r\nConte")),
                arguments("silence", (Answering) c -> c.getInputStream().read()));
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("answersThatAreNone")
    void answerThatIsNoneIsABadGateway(String name, Answering answering) throws Exception {
        workers(answering);

        assertThat(send("{}").statusCode()).isEqualTo(502);
    }

    /** Regression: each request to a worker that answers no HTTP cost a descriptor. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void failedRequestsLeaveNoDescriptor() throws Exception {
        workers(c -> write(c, "garbage\r\n\r\n"));
        send("{}");
        long before = descriptors();

        for (int i = 0; i < 300; i++) {
            assertThat(send("{}").statusCode()).isEqualTo(502);
        }

        await().untilAsserted(() -> assertThat(descriptors()).isLessThan(before + 20));
    }

    /** Regression: of clients that left as their answer ended, some left a socket for ever. */
    @Test
    @EnabledOnOs(OS.LINUX)
    void clientsThatLeaveAsTheirAnswerEndsLeaveNoDescriptor() throws Exception {
        workers(c -> {
            write(c, OK + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
            write(c, "3\r\nabc\r\n0\r\n\r\n");
        });
        send("{}");
        long before = descriptors();

        for (int i = 0; i < 500; i++) {
            try (Socket client = new Socket(url.getHost(), url.getPort())) {
                write(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(i % 10));
                client.setSoLinger(true, 0);
            }
        }

        await().untilAsserted(() -> assertThat(descriptors()).isLessThan(before + 20));
    }

    @Test
    void workerThatPausesInItsAnswerResetsTheClient() throws Exception {
        workers(c -> {
            write(c, OK + "Content-Length: 10\r\n\r\nabc");
            c.getInputStream().read();
            workerSeesEnd.countDown();
        });

        HttpResponse<InputStream> answer = http.send(request("{}"), BodyHandlers.ofInputStream());

        assertThatThrownBy(() -> answer.body().readAllBytes()).isInstanceOf(IOException.class);
        assertThat(workerSeesEnd.await(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void clientThatDoesNotReadLosesItsAnswerAndItsWorkerIsToldAtOnce() throws Exception {
        workers(c -> {
            write(c, OK + "Content-Length: 1000000000\r\n\r\n");
            byte[] piece = new byte[64 * 1024];
            try {
                for (int i = 0; i < 10_000; i++) {
                    c.getOutputStream().write(piece);
                }
            } catch (IOException e) {
                workerSeesEnd.countDown();
            }
        });

        try (Socket client = new Socket(url.getHost(), url.getPort())) {
            write(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");

            assertThat(workerSeesEnd.await(20, TimeUnit.SECONDS)).isTrue();
            assertThat(send("GET", "/health").statusCode()).isEqualTo(200);
        }
    }

    @Test
    void clientThatLeavesCancelsItsRequest() throws Exception {
        CountDownLatch received = new CountDownLatch(1);
        workers(c -> {
            received.countDown();
            if (c.getInputStream().read() < 0) {
                workerSeesEnd.countDown();
            }
        });

        try (Socket client = new Socket(url.getHost(), url.getPort())) {
            write(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
            assertThat(received.await(10, TimeUnit.SECONDS)).isTrue();
        }

        assertThat(workerSeesEnd.await(800, TimeUnit.MILLISECONDS))
                .as("before the timeout")
                .isTrue();
    }

    /** Regression: 400 of them took all memory, for ever. Here 8 MiB may be held. */
    @Test
    void unfinishedBodiesAreBoundedAndHealthAnswersThroughout() throws Exception {
        workers(c -> write(c, OK + "Content-Length: 2\r\n\r\nok"));
        List<Socket> clients = new ArrayList<>();
        int refused = 0;
        try {
            for (int i = 0; i < 20; i++) {
                Socket client = new Socket(url.getHost(), url.getPort());
                client.setSoTimeout(200);
                clients.add(client);
                write(client, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + MIB + "\r\n\r\n");
                write(client, "x".repeat(MIB - 100));
                assertThat(send("GET", "/health").statusCode()).isEqualTo(200);
                refused += client.getInputStream().available() > 0 ? 1 : 0;
            }
        } finally {
            for (Socket client : clients) {
                client.close();
            }
        }

        assertThat(refused).isGreaterThan(5);
        await().untilAsserted(
                        () -> assertThat(send("x".repeat(MIB - 1)).statusCode()).isEqualTo(200));
    }

    @Test
    void bodyThatDoesNotArriveInTimeIsRefused() throws Exception {
        try (Socket client = new Socket(url.getHost(), url.getPort())) {
            write(client, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nx");

            assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .startsWith("HTTP/1.1 408 ");
        }
    }

    @Test
    void connectionsBeyondTheLimitAndUnusedOnesAreClosed() throws Exception {
        List<Socket> clients = new ArrayList<>();
        for (int i = 0; i < 320; i++) {
            clients.add(new Socket(url.getHost(), url.getPort()));
        }

        for (Socket client : clients) {
            assertThat(client.getInputStream().read()).isNegative();
            client.close();
        }
        assertThat(send("GET", "/health").statusCode()).isEqualTo(200);
    }

    private HttpResponse<String> send(String body) throws IOException, InterruptedException {
        return http.send(request(body), BodyHandlers.ofString());
    }

    private HttpResponse<String> send(String method, String path) throws IOException, InterruptedException {
        return http.send(
                HttpRequest.newBuilder(url.resolve(path))
                        .method(method, BodyPublishers.noBody())
                        .build(),
                BodyHandlers.ofString());
    }

    private HttpRequest request(String body) {
        return HttpRequest.newBuilder(url.resolve("/any"))
                .POST(BodyPublishers.ofString(body))
                .build();
    }

    private static long descriptors() throws IOException {
        try (Stream<Path> open = Files.list(Path.of("/proc/self/fd"))) {
            return open.count();
        }
    }
}
