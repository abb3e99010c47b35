package io.github.workerregistry.examples.queen;

import static io.github.workerregistry.examples.queen.Snapshots.at;
import static io.github.workerregistry.examples.queen.Snapshots.busy;
import static io.github.workerregistry.examples.queen.Snapshots.idle;
import static io.github.workerregistry.examples.queen.Snapshots.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.workerregistry.examples.http.Bounds;
import io.github.workerregistry.examples.http.EventLoops;
import io.github.workerregistry.examples.http.Forwarding;
import io.github.workerregistry.examples.http.Guard;
import io.github.workerregistry.examples.http.Listening;
import io.github.workerregistry.examples.http.RequestBody;
import io.vertx.core.Vertx;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The HTTP responses of the queen, with simulated hives. */
class QueenServerIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String EXECUTE = "{\"model_ref\": \"m\", \"prompt\": \"Hello\"}";
    private static final String READY = "{\"worker_id\": \"%s\", \"url\": \"http://127.0.0.1:8100\","
            + " \"model_ref\": \"m\", \"backend\": \"cpu\", \"device\": 0, \"node\": \"%s\"}";

    private final HttpClient http = HttpClient.newHttpClient();
    private final List<StubHive> hives = new ArrayList<>();
    private final Fleet fleet = new Fleet(System::nanoTime);
    private final AtomicLong ahead = new AtomicLong();
    private final Contact contact = new Contact(this::nanoTime);
    private final Vertx vertx = EventLoops.start();
    private final io.vertx.core.http.HttpClient client = EventLoops.client(vertx, Duration.ofSeconds(2));
    private final UnansweredRequests unanswered =
            new UnansweredRequests(fleet, client, Duration.ofSeconds(2), this::nanoTime);
    private String url;

    @BeforeEach
    void start() throws IOException {
        contact.zooKeeper(true);
        contact.complete();
        ahead.addAndGet(Contact.SETTLING.toNanos());
        Router router = new Router(fleet, contact);
        Listening listening = Listening.on(vertx, "127.0.0.1", 0, Bounds.DEFAULT);
        url = listening.address().url();
        QueenServer.on(
                        listening,
                        new Guard(List.of()),
                        new QueenApi(fleet, router, contact),
                        new ExecuteRelay(
                                fleet,
                                router,
                                contact,
                                new Forwarding(client, Forwarding.Patience.DEFAULT),
                                unanswered))
                .start();
    }

    @AfterEach
    void stop() {
        EventLoops.close(vertx);
        hives.forEach(StubHive::close);
    }

    @Test
    void workersAreListedWithTheirNodeAndFilteredByNodeOrModel() throws Exception {
        fleet.accept(at("http://127.0.0.1:1", "a", idle("w1"), worker("w2", "other", "busy", 4, 1)));
        fleet.accept(at("http://127.0.0.1:2", "b", busy("w3")));

        assertThat(get("/v1/workers/list").get("workers").findValuesAsText("node"))
                .containsExactly("a", "a", "b");
        assertThat(listed("")).containsExactly("w1", "w2", "w3");
        assertThat(listed("?node=a")).containsExactly("w1", "w2");
        assertThat(listed("?model_ref=m")).containsExactly("w1", "w3");
        assertThat(listed("?node=a&model_ref=m")).containsExactly("w1");
        assertThat(listed("?node=nobody")).isEmpty();
        JsonNode w2 = get("/v1/workers/list?model_ref=other").get("workers").get(0);
        assertThat(w2.get("slots_available").intValue()).isEqualTo(1);
        assertThat(w2.get("state").textValue()).isEqualTo("busy");
    }

    /** Regression: 250 of them blocked all threads, and the queen answered no request. */
    @Test
    void clientsThatDoNotReadTheListBlockOnlyOtherLists() throws Exception {
        for (int i = 0; i < 30; i++) {
            fleet.accept(at(
                    "http://127.0.0.1:1",
                    "n" + i,
                    Snapshots.large(1000).workers().toArray(WorkerSnapshot[]::new)));
        }
        List<Socket> clients = new ArrayList<>();
        try {
            await().pollInterval(Duration.ofMillis(1)).until(() -> {
                clients.add(clientThatDoesNotReadTheList());
                return "too_many_lists".equals(code(send("GET", "/v1/workers/list?node=n1", null)));
            });
            assertThat(status("GET", "/v1/health", null)).isEqualTo(200);
        } finally {
            for (Socket client : clients) {
                client.close();
            }
        }
        await().untilAsserted(() ->
                assertThat(status("GET", "/v1/workers/list?node=nobody", null)).isEqualTo(200));
    }

    private Socket clientThatDoesNotReadTheList() throws IOException {
        Socket client = new Socket();
        client.setReceiveBufferSize(4096);
        client.connect(new InetSocketAddress(
                InetAddress.getLoopbackAddress(), URI.create(url).getPort()));
        client.getOutputStream()
                .write("GET /v1/workers/list HTTP/1.1\r\nHost: localhost\r\n\r\n".getBytes(StandardCharsets.UTF_8));
        return client;
    }

    /** Regression: with a wrong --advertise, one request made the queen call itself endlessly. */
    @Test
    void hiveWithTheUrlOfTheQueenCausesNoLoop() throws Exception {
        fleet.accept(at(url, "loop", idle("w1")));

        HttpResponse<String> answer = execute();

        assertThat(answer.statusCode()).isEqualTo(508);
        assertThat(answer.headers().firstValue("X-Tried")).hasValue("loop 508");
    }

    @Test
    void hivesAreListedWithReachabilityAndSnapshotAge() throws Exception {
        fleet.accept(at("http://127.0.0.1:1", "a", idle("w1")));
        JsonNode live = get("/v1/hives").get("hives").get(0);
        contact.zooKeeper(false);
        JsonNode cutOff = get("/v1/hives").get("hives").get(0);

        assertThat(live.get("state").textValue()).isEqualTo("live");
        assertThat(live.get("workers").intValue()).isEqualTo(1);
        assertThat(cutOff.get("state").textValue()).isEqualTo("unreachable");
        assertThat(cutOff.get("trouble").textValue()).isEqualTo("zookeeper");
        assertThat(cutOff.get("snapshot_age_ms").longValue()).isNotNegative();
        assertThat(get("/v1/health").get("zookeeper").textValue()).isEqualTo("disconnected");
        assertThat(get("/v1/health").get("unreachable").intValue()).isEqualTo(1);
    }

    @Test
    void routeIsTheBestWorkerAndItsHive() throws Exception {
        fleet.accept(at("http://127.0.0.1:1", "a", busy("w1")));
        fleet.accept(at("http://127.0.0.1:2", "b", idle("w2")));

        JsonNode anywhere = get("/v1/route?model_ref=m");
        JsonNode onA = get("/v1/route?model_ref=m&node=a");

        assertThat(anywhere.at("/worker/id").textValue()).isEqualTo("w2");
        assertThat(anywhere.at("/worker/node").textValue()).isEqualTo("b");
        assertThat(anywhere.at("/hive/url").textValue()).isEqualTo("http://127.0.0.1:2");
        assertThat(onA.at("/worker/id").textValue()).isEqualTo("w1");
        assertThat(status("GET", "/v1/route?model_ref=m&node=c", null)).isEqualTo(404);
    }

    @Test
    void fullHiveIsSkippedAndNamed() throws Exception {
        // According to the snapshots, the full hive is the better one.
        StubHive full = hive("full", StubHive.answering(503, "later"), idle("w1"));
        StubHive free = hive("free", StubHive.answering(200, "hello"), busy("w2"));

        HttpResponse<String> answer = execute();

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.body()).isEqualTo("hello");
        assertThat(answer.headers().firstValue("X-Tried")).hasValue("full 503, free 200");
        assertThat(answer.headers().firstValue("X-Worker")).hasValue("w");
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("text/plain");
        assertThat(List.of(full.requests(), free.requests())).containsExactly(1, 1);
    }

    @Test
    void hiveThatRefusesConnectionsIsSkippedAndThenTriedLast() throws Exception {
        StubHive gone = StubHive.answering(200, "");
        gone.close();
        hive("gone", gone, idle("w1"));
        hive("there", StubHive.answering(200, "hello"), busy("w2"));

        HttpResponse<String> first = execute();
        HttpResponse<String> second = execute();

        assertThat(first.headers().firstValue("X-Tried")).hasValue("gone unreachable, there 200");
        assertThat(second.headers().firstValue("X-Tried")).hasValue("there 200");
        assertThat(get("/v1/hives").get("hives").get(0).get("trouble").textValue())
                .isEqualTo("http");
    }

    /** Regression: a 503 of a worker was treated as that of its hive, and the request was sent to a second worker. */
    @ParameterizedTest
    @ValueSource(ints = {404, 503})
    void hiveWithoutAWorkerIsSkippedButTheResponseOfAWorkerIsForwarded(int status) throws Exception {
        hive("stale", StubHive.answering(status, "{}"), worker("w1", "idle", 4, 4));
        hive(
                "worker",
                new StubHive(exchange -> {
                    exchange.getResponseHeaders().set("X-Worker", "w2");
                    exchange.sendResponseHeaders(status, -1);
                }),
                worker("w2", "busy", 4, 3));
        StubHive other = hive("other", StubHive.answering(200, "twice"), busy("w3"));

        HttpResponse<String> answer = execute();

        assertThat(answer.statusCode()).isEqualTo(status);
        assertThat(answer.headers().firstValue("X-Tried")).hasValue("stale " + status + ", worker " + status);
        assertThat(answer.headers().firstValue("X-Worker")).hasValue("w2");
        assertThat(other.requests()).isZero();
    }

    /** Once because of its length, once because of its slowness. */
    @ParameterizedTest
    @CsvSource({"65536, 0", "1, 10"})
    @Timeout(60)
    void endlessRefusalIsNotAwaited(int piece, int pauseMillis) throws Exception {
        CountDownLatch disconnected = new CountDownLatch(1);
        hive("endless", StubHive.refusingAtLength(piece, pauseMillis, disconnected), idle("w1"));
        hive("other", StubHive.answering(200, "hello"), busy("w2"));

        HttpResponse<String> answer = execute();

        assertThat(answer.headers().firstValue("X-Tried")).hasValue("endless 503, other 200");
        assertThat(disconnected.await(30, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void clientIsToldIfAllHivesRefuseConnections() throws Exception {
        for (String node : List.of("a", "b")) {
            StubHive gone = StubHive.answering(200, "");
            gone.close();
            hive(node, gone, idle("w"));
        }

        HttpResponse<String> answer = execute();

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(code(answer)).isEqualTo("unreachable");
        assertThat(answer.headers().firstValue("Retry-After")).isPresent();
        assertThat(answer.headers().firstValue("X-Tried").orElseThrow()).contains("a unreachable", "b unreachable");
    }

    /** Regression: a queen that had just been started answered 404 for every model until its hives had reconnected. */
    @Test
    void unknownModelIsATemporaryErrorWhileSettling() throws Exception {
        contact.zooKeeper(false);
        HttpResponse<String> without = execute();
        contact.zooKeeper(true);
        HttpResponse<String> early = execute();
        HttpResponse<String> route = send("GET", "/v1/route?model_ref=m", null);
        ahead.addAndGet(Contact.SETTLING.toNanos());

        assertThat(List.of(without, early, route)).allSatisfy(answer -> {
            assertThat(answer.statusCode()).isEqualTo(503);
            assertThat(code(answer)).isEqualTo("not_settled");
            assertThat(answer.headers().firstValue("Retry-After")).isPresent();
        });
        assertThat(execute().statusCode()).isEqualTo(404);
    }

    @Test
    void atMostThreeHivesAreTried() throws Exception {
        for (int i = 0; i < 5; i++) {
            hive("n" + i, StubHive.answering(503, ""), worker("w" + i, "busy", 10, i));
        }

        HttpResponse<String> answer = execute();

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("X-Tried")).hasValue("n4 503, n3 503, n2 503");
        assertThat(answer.headers().firstValue("Retry-After")).hasValue("1");
        assertThat(code(answer)).isEqualTo("no_free_slot");
        assertThat(hives).extracting(StubHive::requests).containsExactly(0, 0, 1, 1, 1);
    }

    @Test
    void completelySentRequestIsNotSentAgain() throws Exception {
        hive("dying", StubHive.closingAtOnce(), idle("w1"));
        StubHive other = hive("other", StubHive.answering(200, "twice"), busy("w2"));

        HttpResponse<String> answer = execute();

        assertThat(answer.statusCode()).isEqualTo(502);
        assertThat(code(answer)).isEqualTo("hive_failed");
        assertThat(answer.headers().firstValue("X-Tried")).hasValue("dying failed");
        assertThat(other.requests()).isZero();
    }

    @Test
    void brokenResponseResetsTheConnectionAndIsNotRepeated() throws Exception {
        hive("dying", StubHive.closingDuringTheResponse(), idle("w1"));
        StubHive other = hive("other", StubHive.answering(200, "twice"), busy("w2"));

        assertThatThrownBy(this::execute).isInstanceOf(IOException.class);
        assertThat(other.requests()).isZero();
    }

    /**
     * As if its process is stopped or its machine loses power: no connection is closed. Regression: the request never
     * ended.
     */
    @Test
    @Timeout(60)
    void requestToALostFrozenHiveEndsAndIsNotSentAgain() throws Exception {
        try (ServerSocket frozen = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            String address = "http://127.0.0.1:" + frozen.getLocalPort();
            fleet.accept(at(address, "frozen", idle("w1")));
            StubHive other = hive("other", StubHive.answering(200, "twice"), busy("w2"));
            CompletableFuture<HttpResponse<String>> request = executeAsync();
            await().until(() -> model("frozen").load() > 0); // it is in flight

            unanswered.endThoseOfLostHives();
            assertThat(request).as("the hive is still listed in ZooKeeper").isNotDone();
            fleet.drop("frozen");
            unanswered.endThoseOfLostHives();

            HttpResponse<String> answer = request.get();
            assertThat(answer.statusCode()).isEqualTo(502);
            assertThat(code(answer)).isEqualTo("hive_failed");
            assertThat(answer.body()).contains("node frozen");
            assertThat(answer.headers().firstValue("X-Tried")).hasValue("frozen failed");
            assertThat(other.requests()).isZero();
        }
    }

    @Test
    @Timeout(60)
    void hiveThatOnlyLostItsSessionKeepsItsRequestsWhileItAnswers() throws Exception {
        CountDownLatch work = new CountDownLatch(1);
        StubHive alone = hive("alone", StubHive.answeringAfter(work, "done"), idle("w1"));
        CompletableFuture<HttpResponse<String>> request = executeAsync();
        await().until(() -> alone.requests() == 1);
        fleet.drop("alone");

        for (int look = 1; look <= 3; look++) {
            int looks = look;
            await().until(() -> {
                unanswered.endThoseOfLostHives();
                return alone.probes() >= looks;
            });
        }
        assertThat(request).isNotDone();
        work.countDown();

        assertThat(request.get().body()).isEqualTo("done");
    }

    /**
     * It leaves ZooKeeper, closes its listening socket, and finishes its requests. Regression: the queen aborted them
     * after a second.
     */
    @Test
    @Timeout(60)
    void hiveThatShutsDownMayFinishItsRequestsWithinALimit() throws Exception {
        try (ServerSocket door = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
            fleet.accept(at("http://127.0.0.1:" + door.getLocalPort(), "ending", idle("w1")));
            CompletableFuture<HttpResponse<String>> answered = executeAsync();
            try (Socket request = door.accept()) {
                CompletableFuture<HttpResponse<String>> forgotten = executeAsync();
                try (Socket other = door.accept()) {
                    door.close();
                    fleet.drop("ending");

                    checkLostHives();
                    ahead.addAndGet(UnansweredRequests.ENDING.toNanos() / 2);
                    checkLostHives();
                    assertThat(answered).isNotDone();
                    request.getOutputStream()
                            .write("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 4\r\n\r\ndone"
                                    .getBytes(StandardCharsets.UTF_8));
                    assertThat(answered.get().body()).isEqualTo("done");
                    ahead.addAndGet(UnansweredRequests.ENDING.toNanos() / 2);
                    assertThat(forgotten).isNotDone();
                    checkLostHives();

                    assertThat(forgotten.get().statusCode()).isEqualTo(502);
                    assertThat(other.isClosed()).isFalse();
                }
            }
        }
    }

    private long nanoTime() {
        return System.nanoTime() + ahead.get();
    }

    private void checkLostHives() {
        unanswered.endThoseOfLostHives();
        await().until(() -> !unanswered.isAsking());
    }

    @Test
    @Timeout(60)
    void requestsOfAnEarlierRunEndWhenANewRunAnswersAtItsAddress() throws Exception {
        StubHive before = hive("again", StubHive.answeringAfter(new CountDownLatch(1), "never"), idle("w1"));
        CompletableFuture<HttpResponse<String>> request = executeAsync();
        await().until(() -> before.requests() == 1);

        fleet.accept(new HiveSnapshot("again", before.url(), 2, 1, 0, List.of()));
        unanswered.endThoseOfLostHives();

        assertThat(request.get().statusCode()).isEqualTo(502);
        assertThat(before.probes()).isZero();
    }

    private ModelView model(String node) {
        return fleet.ofModel("m", node).iterator().next();
    }

    @Test
    void requestsInFlightAreSpreadOverTheHives() throws Exception {
        hive("a", StubHive.answering(200, "a"), worker("w1", "idle", 50, 50));
        hive("b", StubHive.answering(200, "b"), worker("w2", "idle", 50, 50));

        for (int i = 0; i < 60; i++) {
            assertThat(execute().statusCode()).isEqualTo(200);
        }

        assertThat(hives).extracting(StubHive::requests).allMatch(requests -> requests > 10);
    }

    @Test
    void readyCallRegistersAWorkerAtOnce() throws Exception {
        fleet.accept(at("http://127.0.0.1:1", "a"));

        HttpResponse<String> ready = send("POST", "/v1/workers/ready", READY.formatted("w9", "a"));

        assertThat(ready.statusCode()).as(ready.body()).isEqualTo(200);
        JsonNode route = get("/v1/route?model_ref=m");
        assertThat(route.at("/worker/id").textValue()).isEqualTo("w9");
        assertThat(route.at("/worker/confirmed").booleanValue()).isFalse();
    }

    @Test
    void readyCallForAnUnknownNodeIsRejected() throws Exception {
        fleet.accept(at(
                "http://127.0.0.1:1", "a", new WorkerSnapshot("w1", "http://h:1", "m", "cpu", 0, "loading", 1, 0, 1)));

        HttpResponse<String> stray = send("POST", "/v1/workers/ready", READY.formatted("w9", "nobody"));
        HttpResponse<String> other = send("POST", "/v1/workers/ready", READY.formatted("w1", "a"));

        assertThat(stray.statusCode()).isEqualTo(404);
        assertThat(stray.body()).contains("unknown_node", "nobody");
        assertThat(other.statusCode()).isEqualTo(409);
        assertThat(listed("")).containsExactly("w1");
    }

    @Test
    void contradictoryOrSurplusReadyCallIsRejected() throws Exception {
        fleet.accept(at("http://127.0.0.1:1", "a", worker("w1", "stopping", 1, 0)));
        for (int i = 0; i < Fleet.MOST_UNCONFIRMED; i++) {
            fleet.ready("a", idle("stray" + i));
        }

        HttpResponse<String> ending = send("POST", "/v1/workers/ready", READY.formatted("w1", "a"));
        HttpResponse<String> many = send("POST", "/v1/workers/ready", READY.formatted("w2", "a"));

        assertThat(ending.statusCode()).isEqualTo(409);
        assertThat(code(ending)).isEqualTo("not_loading");
        assertThat(many.statusCode()).isEqualTo(503);
        assertThat(code(many)).isEqualTo("too_many_unconfirmed");
        assertThat(many.headers().firstValue("Retry-After")).isPresent();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            GET  | /v1/route                      |                                  | 400 | model_ref is missing
            GET  | /v1/route?model_ref=%20        |                                  | 400 | model_ref
            GET  | /v1/route?model_ref=nobodys    |                                  | 404 | model_ref
            GET  | /v1/workers/list?node=%0A      |                                  | 400 | node
            POST | /v1/workers/list               |                                  | 405 | method
            GET  | /v1/workers/ready              |                                  | 405 | method
            POST | /v1/workers/ready              | {                                | 400 | JSON
            POST | /v1/workers/ready              | {}                               | 400 | node is missing
            POST | /v1/workers/ready              | {"node": "a"}                    | 400 | worker_id is missing
            POST | /v1/workers/ready              | {"node": "a", "slots": 0}        | 400 | slots must be >= 1
            POST | /v1/workers/ready              | {"node": "a", "worker_id": "w"}  | 400 | url is missing
            POST | /v1/workers/ready              | {"node": "a", "worker_id": "w", "url": "file:///etc"} | 400 | file:
            POST | /v1/workers/ready              | {"node": "a", "worker_id": "w", "url": "http://h:0"}  | 400 | url
            POST | /v1/execute                    | {}                               | 400 | model_ref is missing
            POST | /v1/execute                    | {"model_ref": 1}                 | 400 | model_ref must be a string
            POST | /v1/execute                    | {"model_ref": "nobodys"}         | 404 | model_ref
            POST | /v1/execute                    |                                  | 415 | Content-Type
            GET  | /v1/nothing                    |                                  | 404 | path
            """)
    void badInputIsRejectedWithTheNameOfTheField(String method, String path, String body, int status, String named)
            throws Exception {
        HttpResponse<String> answer = send(method, path, body);

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/json");
        assertThat(JSON.readTree(answer.body()).at("/error/message").textValue())
                .contains(named)
                .doesNotContain("Exception", "\tat ");
    }

    @Test
    void tooLargeBodyIsNotForwarded() throws Exception {
        StubHive hive = hive("a", StubHive.answering(200, ""), idle("w1"));
        String large = "{\"model_ref\": \"m\", \"prompt\": \"" + "x".repeat(RequestBody.LIMIT) + "\"}";

        assertThat(status("POST", "/v1/execute", large)).isEqualTo(413);
        assertThat(hive.requests()).isZero();
    }

    private StubHive hive(String node, StubHive hive, WorkerSnapshot worker) {
        hives.add(hive);
        fleet.accept(at(hive.url(), node, worker));
        return hive;
    }

    private HttpResponse<String> execute() throws IOException, InterruptedException {
        return send("POST", "/v1/execute", EXECUTE);
    }

    private CompletableFuture<HttpResponse<String>> executeAsync() {
        return http.sendAsync(request("POST", "/v1/execute", EXECUTE), BodyHandlers.ofString());
    }

    private HttpResponse<String> send(String method, String path, String body)
            throws IOException, InterruptedException {
        return http.send(request(method, path, body), BodyHandlers.ofString());
    }

    private HttpRequest request(String method, String path, String body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path));
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        return request.method(method, body == null ? BodyPublishers.noBody() : BodyPublishers.ofString(body))
                .build();
    }

    private int status(String method, String path, String body) throws IOException, InterruptedException {
        return send(method, path, body).statusCode();
    }

    private JsonNode get(String path) throws IOException, InterruptedException {
        return JSON.readTree(send("GET", path, null).body());
    }

    private List<String> listed(String query) throws IOException, InterruptedException {
        return get("/v1/workers/list" + query).get("workers").findValuesAsText("id");
    }

    private static String code(HttpResponse<String> answer) throws IOException {
        return JSON.readTree(answer.body()).at("/error/code").textValue();
    }
}
