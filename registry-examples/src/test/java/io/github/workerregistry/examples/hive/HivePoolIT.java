package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.workerregistry.examples.ExpectWarnings;
import io.github.workerregistry.examples.demo.DemoWorker;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A hive with a configuration: three models, and room for one of the first two. */
@ExpectWarnings("has ended: CRASHED")
class HivePoolIT {

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    @TempDir
    private static Path directory;

    private static RunningHive running;
    private static HiveClient hive;

    @BeforeAll
    static void start() throws IOException {
        ObjectMapper json = new ObjectMapper();
        String command = json.writeValueAsString(DemoWorker.command());
        List<String> slow = new ArrayList<>(DemoWorker.command());
        slow.addAll(List.of("--token-delay=3s", "--tokens=1"));
        Path config = directory.resolve("hive.yaml");
        Files.writeString(config, """
                devices:
                  cpu: {0: 10}
                  gpu: {0: 10}
                models:
                  one: {command: %1$s, aliases: [uno], units: 10, slots: 2}
                  two: {command: %1$s, units: 10}
                  pair: {command: %2$s, backend: gpu, units: 5, min_workers: 2, max_workers: 2}
                  "demo:crash-while-loading": {command: %1$s, backend: gpu, units: 0}
                """.formatted(command, json.writeValueAsString(slow)));
        running = new RunningHive(
                Options.parse("--port=0", "--config=" + config, "--ports=" + FreePorts.range(20), "--stop-grace=5s"));
        running.start();
        hive = new HiveClient(running.baseUrl());
    }

    @AfterAll
    static void stop() {
        running.close();
    }

    @Test
    void requestLoadsItsModelAndEvictsTheOther() throws Exception {
        assertThat(execute("one").statusCode()).isEqualTo(200);
        assertThat(state("one")).isEqualTo("ready");

        HttpResponse<String> two = execute("two");

        assertThat(two.statusCode()).as(two.body()).isEqualTo(200);
        assertThat(two.body()).contains("\"done\":true");
        assertThat(state("one")).isEqualTo("unloaded");
        assertThat(execute("uno").statusCode()).as("by its alias").isEqualTo(200);
    }

    @Test
    void requestsWaitForASlot() {
        List<CompletableFuture<HttpResponse<String>>> requests = Stream.generate(
                        () -> HTTP.sendAsync(request("/v1/execute", "{\"model\": \"one\"}"), BodyHandlers.ofString()))
                .limit(6)
                .toList();

        assertThat(requests)
                .allSatisfy(answer -> assertThat(answer.join().statusCode())
                        .as(answer.join().body())
                        .isEqualTo(200));
    }

    @Test
    void anyPathReachesTheWorkerAsItStands() throws Exception {
        HttpRequest request = HttpRequest.newBuilder(hive.at("/v1/rerank?a=%20b"))
                .header("Content-Type", "application/json; charset=utf-8")
                .header("Authorization", "Bearer of-the-client")
                .header("X-Request-Id", "42")
                .POST(BodyPublishers.ofString("{\"messages\": [], \"model\": \"one\"}"))
                .build();
        JsonNode echo = HiveClient.JSON.readTree(
                HTTP.send(request, BodyHandlers.ofString()).body());
        JsonNode upstream = HiveClient.JSON.readTree(HTTP.send(
                        HttpRequest.newBuilder(hive.at("/upstream/one/props?x=1"))
                                .build(),
                        BodyHandlers.ofString())
                .body());

        assertThat(echo.get("uri").textValue()).isEqualTo("/v1/rerank?a=%20b");
        assertThat(echo.at("/headers/X-request-id/0").textValue()).isEqualTo("42");
        assertThat(echo.at("/headers/Authorization/0").textValue()).isEqualTo("Bearer of-the-client");
        assertThat(echo.at("/headers/Via/0").textValue()).contains("worker-registry");
        assertThat(upstream.get("uri").textValue()).isEqualTo("/props?x=1");
        assertThat(upstream.get("method").textValue()).isEqualTo("GET");
    }

    /** The model comes first: of a body over 1 MiB, only the first part is read before it is forwarded. */
    @Test
    void longBodyIsStreamedToTheWorker() throws Exception {
        String body = "{\"model\": \"one\", \"image\": \"" + "x".repeat(5 << 20) + "\"}";

        HttpResponse<String> sized = HTTP.send(request("/v1/long", body), BodyHandlers.ofString());
        HttpResponse<String> late = HTTP.send(
                request("/v1/long", "{\"image\": \"" + "x".repeat(5 << 20) + "\", \"model\": \"one\"}"),
                BodyHandlers.ofString());
        HttpResponse<String> tooLong =
                HTTP.send(request("/v1/long", body + " ".repeat(28 << 20)), BodyHandlers.ofString());

        assertThat(HiveClient.JSON.readTree(sized.body()).get("body_bytes").intValue())
                .isEqualTo(body.length());
        assertThat(late.statusCode()).isEqualTo(413);
        assertThat(late.body()).contains("first 1048576 bytes");
        assertThat(tooLong.statusCode()).isEqualTo(413);
    }

    @Test
    void requestIsForwardedOnceMoreIfItsWorkerIsLostBeforeItAnswers() throws Exception {
        await().until(() -> in("pair", "idle").size() == 2);
        CompletableFuture<HttpResponse<String>> request =
                HTTP.sendAsync(request("/v1/execute", "{\"model\": \"pair\"}"), BodyHandlers.ofString());
        await().until(() -> in("pair", "busy").size() == 1);
        JsonNode first = in("pair", "busy").get(0);

        ProcessHandle.of(first.get("pid").longValue()).orElseThrow().destroyForcibly();

        HttpResponse<String> answer = request.get();
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(answer.headers().firstValue("X-Worker"))
                .isPresent()
                .get()
                .isNotEqualTo(first.get("id").textValue());
    }

    @Test
    void failedLoadIsTold() throws Exception {
        HttpResponse<String> answer = execute("demo:crash-while-loading");

        assertThat(answer.statusCode()).isEqualTo(503);
        assertThat(answer.headers().firstValue("Retry-After")).isPresent();
        assertThat(HiveClient.JSON.readTree(answer.body()).at("/error/code").textValue())
                .isEqualTo("load_failed");
    }

    @Test
    void workerThatWasStartedByHandServesBesideThePool() throws Exception {
        String id = hive.spawnIdle("by-hand");

        assertThat(execute("by-hand").headers().firstValue("X-Worker")).hasValue(id);
        assertThat(state("by-hand")).isEqualTo("ready");
    }

    @Test
    void unknownModelIsToldAsOpenAiDoes() throws Exception {
        HttpResponse<String> answer =
                HTTP.send(request("/v1/chat/completions", "{\"model\": \"nobody's\"}"), BodyHandlers.ofString());

        JsonNode error = HiveClient.JSON.readTree(answer.body()).get("error");
        assertThat(answer.statusCode()).isEqualTo(404);
        assertThat(error.get("type").textValue()).isEqualTo("invalid_request_error");
        assertThat(error.get("code").textValue()).isEqualTo("no_such_model");
        assertThat(error.has("param")).isTrue();
    }

    private static HttpResponse<String> execute(String model) throws Exception {
        return HTTP.send(request("/v1/execute", "{\"model_ref\": \"" + model + "\"}"), BodyHandlers.ofString());
    }

    private static HttpRequest request(String path, String body) {
        return HttpRequest.newBuilder(hive.at(path))
                .header("Content-Type", "application/json")
                .POST(BodyPublishers.ofString(body))
                .build();
    }

    @Test
    void metricsAreInPrometheusTextFormat() throws Exception {
        execute("one");
        HttpResponse<String> metrics =
                HTTP.send(HttpRequest.newBuilder(hive.at("/metrics")).build(), BodyHandlers.ofString());

        assertThat(metrics.headers().firstValue("Content-Type")).hasValue(HiveMetrics.PROMETHEUS);
        assertThat(PrometheusText.read(metrics.body()))
                .containsKeys("hive_slots{model=\"one\"}", "hive_loads_total{model=\"two\",outcome=\"ready\"}");
    }

    private static String state(String model) {
        return hive.get("/v1/models/" + model).get("state").textValue();
    }

    private static List<JsonNode> in(String model, String state) {
        return StreamSupport.stream(hive.get("/v1/workers/list").get("workers").spliterator(), false)
                .filter(worker -> worker.get("model_ref").textValue().equals(model)
                        && worker.get("state").textValue().equals(state))
                .toList();
    }
}
