package io.github.workerregistry.examples.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpMethod;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
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
import org.junit.jupiter.params.provider.ValueSource;

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
                        routes -> {
                            routes.get("/health", exchange -> Answer.ok("ok"));
                            routes.get("/large", exchange -> Answer.ok(new Text("text/plain", "x".repeat(8 * MIB))));
                            routes.get(
                                    "/query",
                                    exchange -> Answer.ok(exchange.query("a").orElse("")));
                            routes.add(
                                    HttpMethod.POST,
                                    "/model",
                                    exchange -> RequestBody.forwarded(exchange)
                                            .map(ModelName::of)
                                            .onSuccess(model -> exchange.answer(Answer.ok(model)))
                                            .onFailure(exchange::fail));
                        },
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

    /** Regression: the error had Content-Length and Content-Encoding of the answer that failed. */
    @Test
    void headWithoutItsBodyIsABadGatewayWithoutTheHeadersOfTheWorker() throws Exception {
        workers(c -> write(c, OK + "Content-Length: 1000\r\nContent-Encoding: gzip\r\n\r\n"));

        HttpResponse<String> answer = http.send(
                HttpRequest.newBuilder(url.resolve("/any"))
                        .timeout(Duration.ofSeconds(5))
                        .build(),
                BodyHandlers.ofString());

        assertThat(answer.statusCode()).isEqualTo(502);
        assertThat(answer.body()).contains("\"failed\"").endsWith("}");
        assertThat(answer.headers().map())
                .doesNotContainKey("content-encoding")
                .containsEntry("content-type", List.of("application/json"));
    }

    /** Regression: the connection to the worker stayed open for ever. */
    @Test
    void answerBeforeTheBodyWasSentEndsTheRequestToTheWorker() throws Exception {
        workers(c -> {
            write(c, "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
            readToTheEnd(c);
        });

        try (Socket client = new Socket(url.getHost(), url.getPort())) {
            write(client, "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + 3 * MIB + "\r\n\r\n");
            write(client, "x".repeat(MIB + MIB / 2));

            assertThat(firstBytes(client)).startsWith("HTTP/1.1 401");
            assertThat(workerSeesEnd.await(5, TimeUnit.SECONDS)).isTrue();
        }
    }

    /** Regression: the connection to the worker stayed open for ever. */
    @Test
    void workerThatDoesNotReadABodyLosesItsConnection() throws Exception {
        workers(c -> {
            try {
                while (true) {
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50));
                    write(c, "HTTP/1.1 100 Continue\r\n\r\n");
                }
            } catch (IOException e) {
                workerSeesEnd.countDown();
            }
        });

        assertThat(send("x".repeat(12 * MIB)).statusCode()).isEqualTo(502);
        assertThat(workerSeesEnd.await(5, TimeUnit.SECONDS)).isTrue();
    }

    /** Regression: each kept its connection for ever. */
    @ParameterizedTest
    @ValueSource(strings = {"/forwarded", "/large"})
    void clientThatDoesNotReadLosesItsConnection(String path) throws Exception {
        workers(c -> {
            write(c, OK + "Content-Length: 1000000000\r\n\r\n");
            byte[] piece = new byte[64 * 1024];
            for (int i = 0; i < 10_000; i++) {
                c.getOutputStream().write(piece);
            }
        });

        try (Socket client = new Socket(url.getHost(), url.getPort())) {
            write(client, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");

            await().atMost(20, TimeUnit.SECONDS)
                    .untilAsserted(() ->
                            assertThatThrownBy(() -> write(client, "\r\n")).isInstanceOf(IOException.class));
        }
    }

    /** Regression: its connection counted as unused once the request before it had ended. */
    @Test
    void pipelinedRequestMayTakeLongerThanAConnectionMayBeUnused() throws Exception {
        workers(c -> {
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(500)); // the next request has arrived
            write(c, OK + "Transfer-Encoding: chunked\r\n\r\n");
            for (int i = 0; i < (workerSeesEnd.getCount() == 0 ? 12 : 0); i++) {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(500));
                write(c, "1\r\n.\r\n");
            }
            write(c, (workerSeesEnd.getCount() == 0 ? "4\r\ndone\r\n" : "") + "0\r\n\r\n");
            workerSeesEnd.countDown();
        });

        try (Socket client = new Socket(url.getHost(), url.getPort())) {
            write(client, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".repeat(2));

            assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.US_ASCII))
                    .contains("done");
        }
    }

    @Test
    void malformedQueryIsABadRequest() throws Exception {
        try (Socket client = new Socket(url.getHost(), url.getPort())) {
            write(client, "GET /query?a=%zz HTTP/1.1\r\nHost: localhost\r\n\r\n");

            assertThat(firstBytes(client)).startsWith("HTTP/1.1 400");
        }
    }

    @Test
    void pathThatDoesNotBeginWithASlashIsABadRequest() throws Exception {
        try (Socket client = new Socket(url.getHost(), url.getPort())) {
            write(client, "GET @elsewhere/health HTTP/1.1\r\nHost: localhost\r\n\r\n");

            assertThat(firstBytes(client)).startsWith("HTTP/1.1 400");
        }
    }

    @Test
    void bodyOfAnUnknownCharacterSetIsABadRequest() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(url.resolve("/model"))
                .POST(BodyPublishers.ofByteArray(new byte[] {0, 0, -1, -2, 0, 0, 0, 0}))
                .build();

        assertThat(http.send(request, BodyHandlers.ofString()).statusCode()).isEqualTo(400);
    }

    private void readToTheEnd(Socket connection) {
        try {
            readAll(connection);
        } catch (IOException e) {
            // reset
        }
        workerSeesEnd.countDown();
    }

    private static void readAll(Socket connection) throws IOException {
        connection.getInputStream().transferTo(OutputStream.nullOutputStream());
    }

    private static String firstBytes(Socket client) throws IOException {
        byte[] bytes = new byte[12];
        client.getInputStream().readNBytes(bytes, 0, bytes.length);
        return new String(bytes, StandardCharsets.US_ASCII);
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
