package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.workerregistry.examples.ExpectWarnings;
import io.github.workerregistry.examples.http.RequestBody;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A hive with real workers, over HTTP. Each test has its own models, so tests do not share slots. */
@ExpectWarnings("has ended: CRASHED")
class HiveIT {

    private static final String SPAWN = "/v1/workers/spawn";
    private static final String READY = "/v1/workers/ready";
    private static final String EXECUTE = "/v1/execute";

    private static RunningHive running;
    private static HiveClient hive;

    @BeforeAll
    static void start() throws IOException {
        running = new RunningHive(Options.parse(
                "--port=0",
                "--workers=0",
                "--queue-timeout=1ms",
                "--ports=" + FreePorts.range(30),
                "--stop-grace=5s",
                "--restart=never"));
        running.start();
        hive = new HiveClient(running.baseUrl());
    }

    @AfterAll
    static void stop() {
        running.close();
    }

    @Test
    void commandsOfTheSpecificationSpawnAndListAWorker() throws Exception {
        HttpResponse<String> spawned =
                hive.send("POST", SPAWN, "{\"model_ref\": \"hf:model\", \"backend\": \"cpu\", \"device\": 0}");
        JsonNode answer = HiveClient.JSON.readTree(spawned.body());
        String id = answer.get("worker_id").textValue();

        assertThat(spawned.statusCode()).isEqualTo(200);
        assertThat(answer.get("state").textValue()).isEqualTo("loading");
        hive.awaitState(id, "idle");
        JsonNode listed = Stream.of(hive.get("/v1/workers/list").get("workers"))
                .flatMap(workers -> workers.findParents("id").stream())
                .filter(worker -> worker.get("id").textValue().equals(id))
                .findFirst()
                .orElseThrow();
        assertThat(listed.get("url")).isEqualTo(answer.get("url"));
        assertThat(listed.get("model_ref").textValue()).isEqualTo("hf:model");
        assertThat(listed.get("slots_available").intValue()).isEqualTo(1);
        assertThat(ProcessHandle.of(listed.get("pid").longValue())).isPresent();
    }

    @Test
    void answerIsStreamedAndTheSlotIsReleased() throws Exception {
        String model = "demo:load-time=100ms,token-delay=300ms,tokens=3";
        String id = hive.spawnIdle(model);

        HttpResponse<InputStream> answer = hive.stream(EXECUTE, HiveClient.executeBody(model));
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(answer.body(), StandardCharsets.UTF_8))) {
            assertThat(lines.readLine()).isEqualTo("{\"token\":\"Hello\"}");
            assertThat(hive.worker(id).get("state").textValue()).isEqualTo("busy"); // so the rest is not sent yet
            assertThat(lines.lines().toList()).hasSize(3).last().asString().contains("\"done\":true");
        }

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/x-ndjson");
        assertThat(hive.worker(id).get("state").textValue())
                .isEqualTo("idle"); // the slot is released before the end is sent
    }

    @Test
    void withoutAFreeSlotTheClientIsToldToRetry() throws Exception {
        String model = "demo:load-time=100ms,token-delay=60s";
        String id = hive.spawn(model);
        HttpResponse<String> loading = hive.send("POST", EXECUTE, HiveClient.executeBody(model));
        hive.awaitState(id, "idle");

        try (Socket first = post(EXECUTE, HiveClient.executeBody(model))) {
            hive.awaitState(id, "busy");
            HttpResponse<String> busy = hive.send("POST", EXECUTE, HiveClient.executeBody(model));

            assertThat(first.isConnected()).isTrue();
            for (HttpResponse<String> refused : List.of(loading, busy)) {
                assertThat(refused.statusCode()).isEqualTo(503);
                assertThat(refused.headers().firstValue("Retry-After")).hasValue("1");
                assertThat(errorCode(refused)).isEqualTo("no_free_slot");
            }
        }
    }

    @Test
    void disconnectOfTheClientReleasesTheSlotOfASilentWorker() throws Exception {
        String model = "demo:load-time=100ms,token-delay=61s";
        String id = hive.spawnIdle(model);

        try (Socket client = post(EXECUTE, HiveClient.executeBody(model))) {
            assertThat(client.isConnected()).isTrue();
            hive.awaitState(id, "busy");
        }

        hive.awaitState(id, "idle");
    }

    @Test
    void pipelinedRequestIsAnsweredAfterThePreviousOne() throws Exception {
        String model = "demo:load-time=100ms,token-delay=3s,tokens=1";
        hive.spawnIdle(model);

        try (Socket client = post(EXECUTE, HiveClient.executeBody(model))) {
            client.getOutputStream()
                    .write("GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
            String both = new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

            // The connection was checked meanwhile, which must neither lose a byte nor report a disconnect.
            assertThat(both).containsSubsequence("\"token\":\"Hello\"", "\"done\":true", "\"status\":\"ok\"");
        }
    }

    @Test
    void crashBeforeTheAnswerIsABadGateway() throws Exception {
        String model = "demo:load-time=100ms,token-delay=60s,crash-after=500ms,exit-code=3";
        String id = hive.spawnIdle(model);

        HttpResponse<String> answer = hive.send("POST", EXECUTE, HiveClient.executeBody(model));

        assertThat(answer.statusCode()).isEqualTo(502);
        assertThat(errorCode(answer)).isEqualTo("worker_failed");
        JsonNode exit = hive.awaitExit(id);
        assertThat(exit.get("cause").textValue()).isEqualTo("crashed");
        assertThat(exit.get("exit_code").intValue()).isEqualTo(3);
        assertThat(exit.get("signal").isNull()).isTrue();
    }

    @Test
    void crashDuringTheAnswerResetsTheConnection() throws Exception {
        String model = "demo:load-time=100ms,token-delay=100ms,tokens=1000,crash-after=1s";
        hive.spawnIdle(model);

        HttpResponse<InputStream> answer = hive.stream(EXECUTE, HiveClient.executeBody(model));

        assertThat(answer.statusCode()).isEqualTo(200);
        assertThatThrownBy(() -> answer.body().readAllBytes()).isInstanceOf(IOException.class);
    }

    @Test
    void clientThatReadsUntilTheEndOfTheStreamDetectsAPartialAnswer() throws Exception {
        String model = "demo:load-time=100ms,token-delay=100ms,tokens=1000,crash-after=1s";
        hive.spawnIdle(model);

        try (Socket client = post(EXECUTE, "HTTP/1.0", HiveClient.executeBody(model))) {
            assertThat(firstLine(client)).contains("200");
            assertThatThrownBy(() -> client.getInputStream().readAllBytes()).isInstanceOf(IOException.class);
        }
    }

    @Test
    void killedWorkerIsRemovedAndItsLastOutputLinesAreKept() throws Exception {
        String id = hive.spawnIdle("demo:load-time=100ms,tokens=1");

        ProcessHandle.of(hive.worker(id).get("pid").longValue()).orElseThrow().destroyForcibly();

        JsonNode exit = hive.awaitExit(id);
        assertThat(exit.get("signal").intValue()).isEqualTo(9);
        assertThat(exit.get("requested").booleanValue()).isFalse();
        assertThat(exit.get("output").toString()).contains("loading: 100 %");
        assertThat(hive.worker(id).path("error").path("code").asText()).isEqualTo("unknown_worker");
        assertThat(hive.get("/v1/workers/list").findValuesAsText("id")).doesNotContain(id);
    }

    @Test
    void workerIsStoppedOnRequest() throws Exception {
        String id = hive.spawnIdle("demo:load-time=100ms,tokens=2");

        HttpResponse<String> answer = hive.send("DELETE", "/v1/workers/" + id, null);

        assertThat(answer.statusCode()).isEqualTo(202);
        assertThat(HiveClient.JSON.readTree(answer.body()).get("state").textValue())
                .isEqualTo("stopping");
        JsonNode exit = hive.awaitExit(id);
        assertThat(exit.get("cause").textValue()).isEqualTo("requested");
        assertThat(exit.get("exit_code").intValue()).isZero();
        assertThat(exit.get("output").toString()).contains("received a shutdown request");
    }

    @Test
    void workerThatDoesNotStopIsKilledByForce() throws Exception {
        String id = hive.spawnIdle("demo:load-time=100ms,ignore-sigterm");

        assertThat(hive.send("DELETE", "/v1/workers/" + id + "?force=true", null)
                        .statusCode())
                .isEqualTo(202);

        JsonNode exit = hive.awaitExit(id);
        assertThat(exit.get("cause").textValue()).isEqualTo("forced");
        assertThat(exit.get("signal").intValue()).isEqualTo(9);
    }

    @Test
    void readyCallMustMatchTheWorker() throws Exception {
        String id = hive.spawn("demo:load-time=60s");
        String url = hive.worker(id).get("url").textValue();

        HttpResponse<String> stray = hive.send("POST", READY, ready(id, "http://127.0.0.1:1", "demo:load-time=60s"));
        HttpResponse<String> other = hive.send("POST", READY, ready(id, url, "another"));
        HttpResponse<String> unknown = hive.send("POST", READY, ready("nobody", url, "demo:load-time=60s"));
        HttpResponse<String> later =
                hive.send("POST", READY, ready(id, url, "demo:load-time=60s").replace("}", ", \"generation\": 2}"));
        String stateBefore = hive.worker(id).get("state").textValue();
        HttpResponse<String> itself =
                hive.send("POST", READY, ready(id, url, "demo:load-time=60s").replace("}", ", \"generation\": 1}"));

        assertThat(stray.statusCode()).isEqualTo(409);
        assertThat(other.statusCode()).isEqualTo(409);
        assertThat(unknown.statusCode()).isEqualTo(404);
        assertThat(later.statusCode()).isEqualTo(409);
        assertThat(stateBefore).isEqualTo("loading");
        assertThat(itself.statusCode()).isEqualTo(200);
        assertThat(hive.worker(id).get("state").textValue()).isEqualTo("idle");
    }

    @ParameterizedTest
    @MethodSource
    void badInputIsRejectedAndChangesNothing(String method, String path, String body, int status, String named)
            throws Exception {
        JsonNode registered = hive.get("/v1/health").get("workers");

        HttpResponse<String> answer = hive.send(method, path, body);

        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(status);
        assertThat(answer.headers().firstValue("Content-Type")).hasValue("application/json");
        JsonNode error = HiveClient.JSON.readTree(answer.body()).get("error");
        assertThat(error.get("code").textValue()).matches("[a-z_]+");
        assertThat(error.get("message").textValue()).contains(named).doesNotContain("Exception", "\tat ");
        assertThat(hive.get("/v1/health").get("workers").intValue()).isLessThanOrEqualTo(registered.intValue());
    }

    static Stream<Arguments> badInputIsRejectedAndChangesNothing() {
        String long257 = "x".repeat(257);
        String tooLarge = "{\"model_ref\": \"" + "x".repeat(RequestBody.LIMIT) + "\"}";
        return Stream.of(
                arguments("POST", SPAWN, "", 400, "JSON"),
                arguments("POST", SPAWN, "{", 400, "JSON"),
                arguments("POST", SPAWN, "[]", 400, "JSON object"),
                arguments("POST", SPAWN, "{} {}", 400, "JSON"),
                arguments("POST", SPAWN, "[".repeat(100_000), 400, "JSON"),
                arguments("POST", SPAWN, "{'model_ref': 'a'}", 400, "JSON"),
                arguments("POST", SPAWN, "{\"device\": 0, \"device\": 1}", 400, "device"),
                arguments("POST", SPAWN, "{\"backend\": \"cpu\", \"device\": 0}", 400, "model_ref is missing"),
                arguments("POST", SPAWN, "{\"model_ref\": \"a\", \"device\": 0}", 400, "backend is missing"),
                arguments("POST", SPAWN, spawn("\"a\"", "\"cpu\"", "null"), 400, "device is missing"),
                arguments("POST", SPAWN, spawn("1", "\"cpu\"", "0"), 400, "model_ref must be a string"),
                arguments("POST", SPAWN, spawn("\"a\"", "{}", "0"), 400, "backend must be a string"),
                arguments("POST", SPAWN, spawn("\"a\"", "\"cpu\"", "\"0\""), 400, "device must be a whole number"),
                arguments("POST", SPAWN, spawn("\"a\"", "\"cpu\"", "0.5"), 400, "device must be a whole number"),
                arguments("POST", SPAWN, spawn("\"a\"", "\"cpu\"", "-1"), 400, "device must be >= 0, was -1"),
                arguments("POST", SPAWN, spawn("\"a\"", "\"cpu\"", "1e99"), 400, "device"),
                arguments("POST", SPAWN, spawn("\"a\"", "\"cpu\"", "4294967296"), 400, "device"),
                arguments("POST", SPAWN, spawn("\"a\"", "\"cpu\"", "0, \"slots\": 0"), 400, "slots must be >= 1"),
                arguments(
                        "POST",
                        SPAWN,
                        spawn("\"a\"", "\"cpu\"", "0, \"slots\": 1000000000"),
                        400,
                        "slots must be >= 1"),
                arguments("POST", SPAWN, spawn("\"a\"", "\"cpu\"", "0, \"slots\": true"), 400, "slots must be a whole"),
                arguments("POST", SPAWN, spawn("\"a\"", "\"cpu\"", "0, \"slot\": 2"), 400, "slot is not a field"),
                arguments("POST", SPAWN, spawn("\"a\"", "\"cpu\"", "0, \"\\n\": 2"), 400, "\\u000a is not a field"),
                arguments(
                        "POST", SPAWN, spawn("\"a\"", "\"cpu\"", "{\"a\": []}"), 400, "device must be a whole number"),
                arguments("POST", SPAWN, spawn("\"a\"", "\"cpu\"", "0, \"model_path\": 5"), 400, "model_path"),
                arguments(
                        "POST", SPAWN, spawn("\"a\"", "\"cpu\"", "0, \"model_path\": \"\\u2028\""), 400, "model_path"),
                arguments("POST", SPAWN, "[".repeat(RequestBody.LIMIT - 1), 400, "JSON"),
                arguments("POST", SPAWN, "{\"a\":".repeat(50_000), 400, "JSON"),
                arguments("POST", SPAWN, "\ufeff{}", 400, "model_ref"),
                arguments("POST", SPAWN, spawn("\"\"", "\"cpu\"", "0"), 400, "model_ref"),
                arguments("POST", SPAWN, spawn("\"-c5000\"", "\"cpu\"", "0"), 400, "model_ref must not begin with -"),
                arguments(
                        "POST",
                        SPAWN,
                        spawn("\"a\"", "\"cpu\"", "0, \"model_path\": \"--help\""),
                        400,
                        "model_path must not begin with -"),
                arguments("POST", SPAWN, spawn("\"a\\nb\"", "\"cpu\"", "0"), 400, "model_ref"),
                arguments("POST", SPAWN, spawn("\"a\"", "\"c\\u0000\"", "0"), 400, "backend"),
                arguments("POST", SPAWN, spawn("\"\\ud800\"", "\"cpu\"", "0"), 400, "model_ref"),
                arguments("POST", SPAWN, spawn("\"" + long257 + "\"", "\"cpu\"", "0"), 400, "model_ref"),
                arguments("POST", SPAWN, tooLarge, 413, "1048576"),
                arguments("POST", READY, tooLarge, 413, "1048576"),
                arguments("POST", READY, "{}", 400, "worker_id is missing"),
                arguments("POST", READY, ready("w", "http://h", "m").replace("\"cpu\"", "7"), 400, "backend"),
                arguments(
                        "POST", READY, ready("w", "http://h", "m").replace(": 0", ": -1"), 400, "device must be >= 0"),
                arguments("POST", READY, ready("w\\r\\n", "http://h", "m"), 400, "worker_id"),
                arguments("POST", EXECUTE, "{\"model_ref\": [\"a\"]}", 400, "model_ref must be a string"),
                arguments("POST", EXECUTE, "[".repeat(100_000), 400, "JSON"),
                arguments("POST", EXECUTE, "{}", 400, "model_ref is missing"),
                arguments("POST", EXECUTE, "{\"model_ref\": \"nobody's\"}", 404, "model_ref"),
                arguments("POST", SPAWN, null, 415, "Content-Type"),
                arguments("GET", "/v1/workers/nobody", null, 404, "id"),
                arguments("DELETE", "/v1/workers/nobody", null, 404, "id"),
                arguments("DELETE", "/v1/workers/nobody?force=perhaps", null, 400, "force"),
                arguments("POST", "/v1/workers/nobody/restart", null, 404, "id"),
                arguments("POST", "/v1/workers/nobody/heartbeat", null, 404, "id"),
                arguments("GET", "/v1/workers/nobody/restart", null, 405, "method"),
                arguments("POST", "/v1/stats", null, 405, "method"),
                arguments("GET", SPAWN, null, 405, "method"),
                arguments("DELETE", "/v1/workers/list", null, 405, "method"),
                arguments("PUT", "/v1/workers/nobody", null, 405, "method"),
                arguments("BREW", "/v1/health", null, 405, "method"),
                arguments("GET", "/v1/workers/%00", null, 400, "HTTP"),
                arguments("GET", "/" + "x".repeat(10_000), null, 414, "URI"));
    }

    /** Regression: a page whose name was made to point to this machine started processes. */
    @ParameterizedTest
    @CsvSource({
        "Host: attacker.example, 421",
        "Host: localhost.attacker.example:80, 421",
        "Host: localhost\\r\\nOrigin: http://attacker.example, 403",
        "Host: localhost\\r\\nOrigin: null, 403",
        "Host: localhost\\r\\nX-HTTP-Method-Override: DELETE, 400",
        "Host: LOCALHOST:8081\\r\\nOrigin: http://localhost:8081, 200",
        "Host: 127.0.0.1, 200",
        "Host: [::1]:8081, 200",
    })
    void requestsThatAWebPageCouldSendAreRefused(String headers, int status) throws Exception {
        try (Socket client = new Socket(hive.at("/").getHost(), hive.at("/").getPort())) {
            client.getOutputStream()
                    .write(("GET /v1/health HTTP/1.1\r\n" + headers.replace("\\r\\n", "\r\n") + "\r\n\r\n")
                            .getBytes(StandardCharsets.US_ASCII));

            assertThat(firstLine(client)).contains(" " + status + " ");
        }
    }

    @Test
    void bodyThatIsAnnouncedAsTooLargeIsRefusedBeforeItIsSent() throws Exception {
        String head = """
                POST /v1/workers/spawn HTTP/1.1
                Host: localhost
                Content-Type: application/json
                Content-Length: 5000000
                Expect: 100-continue

                """;
        try (Socket client = new Socket(hive.at("/").getHost(), hive.at("/").getPort())) {
            client.getOutputStream().write(head.replace("\n", "\r\n").getBytes(StandardCharsets.US_ASCII));

            assertThat(firstLine(client)).contains(" 413 ");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"text/plain", "application/x-www-form-urlencoded", "application/jsonp", ";", "json"})
    void bodyOfAnotherTypeIsRejected(String type) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(hive.at(SPAWN))
                .header("Content-Type", type)
                .POST(BodyPublishers.ofString(spawn("\"a\"", "\"cpu\"", "0")))
                .build();

        HttpResponse<String> answer = HttpClient.newHttpClient().send(request, BodyHandlers.ofString());

        assertThat(answer.statusCode()).isEqualTo(415);
        assertThat(errorCode(answer)).isEqualTo("unsupported_media_type");
    }

    @Test
    void bodyWithoutALengthIsLimited() throws Exception {
        try (Socket client = new Socket(hive.at("/").getHost(), hive.at("/").getPort())) {
            String chunk = Integer.toHexString(RequestBody.LIMIT + 1) + "\r\n" + " ".repeat(RequestBody.LIMIT + 1)
                    + "\r\n0\r\n\r\n";
            client.getOutputStream()
                    .write(("POST /v1/workers/spawn HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                                    + "Transfer-Encoding: chunked\r\n\r\n" + chunk)
                            .getBytes(StandardCharsets.US_ASCII));

            assertThat(firstLine(client)).contains(" 413 ");
        }
    }

    @Test
    void invalidHttpIsRejectedInJson() throws Exception {
        try (Socket client = new Socket(hive.at("/").getHost(), hive.at("/").getPort())) {
            client.getOutputStream().write("nonsense\r\n\r\n".getBytes(StandardCharsets.US_ASCII));

            assertThat(new String(client.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                    .matches("(?s)HTTP/1[.][01] 400 .*")
                    .contains("{\"error\":{\"code\":\"bad_request\"");
        }
    }

    private static Socket post(String path, String body) throws IOException {
        return post(path, "HTTP/1.1", body);
    }

    private static Socket post(String path, String version, String body) throws IOException {
        Socket client = new Socket(hive.at("/").getHost(), hive.at("/").getPort());
        client.getOutputStream()
                .write(("POST " + path + " " + version
                                + "\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "
                                + body.length()
                                + "\r\n\r\n" + body)
                        .getBytes(StandardCharsets.US_ASCII));
        return client;
    }

    private static String firstLine(Socket client) throws IOException {
        return new BufferedReader(new InputStreamReader(client.getInputStream(), StandardCharsets.UTF_8)).readLine();
    }

    private static String spawn(String modelRef, String backend, String device) {
        return "{\"model_ref\": " + modelRef + ", \"backend\": " + backend + ", \"device\": " + device + "}";
    }

    private static String ready(String id, String url, String modelRef) {
        return "{\"worker_id\": \"" + id + "\", \"url\": \"" + url + "\", \"model_ref\": \"" + modelRef
                + "\", \"backend\": \"cpu\", \"device\": 0}";
    }

    private static String errorCode(HttpResponse<String> answer) throws IOException {
        return HiveClient.JSON.readTree(answer.body()).get("error").get("code").textValue();
    }
}
