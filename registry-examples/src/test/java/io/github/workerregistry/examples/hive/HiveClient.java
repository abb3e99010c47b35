package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.stream.StreamSupport;

/** An HTTP client of a hive. */
final class HiveClient {

    static final ObjectMapper JSON = new ObjectMapper();

    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final HttpClient http = HttpClient.newHttpClient();
    private final String url;

    HiveClient(String url) {
        this.url = url;
    }

    URI at(String path) {
        return URI.create(url + path);
    }

    static JsonNode json(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new AssertionError(text, e);
        }
    }

    /** Sends a request with a JSON body, or without one if it is null. */
    HttpResponse<String> send(String method, String path, String body) throws IOException, InterruptedException {
        return http.send(request(method, path, body), BodyHandlers.ofString());
    }

    HttpResponse<InputStream> stream(String path, String body) throws IOException, InterruptedException {
        return http.send(request("POST", path, body), BodyHandlers.ofInputStream());
    }

    JsonNode get(String path) {
        try {
            return JSON.readTree(send("GET", path, null).body());
        } catch (IOException e) {
            throw new AssertionError(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    /** Starts a worker whose model selects its behaviour: see the demo worker. */
    String spawn(String modelRef) throws IOException, InterruptedException {
        HttpResponse<String> answer = send("POST", "/v1/workers/spawn", spawnBody(modelRef));
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        return JSON.readTree(answer.body()).get("worker_id").textValue();
    }

    String spawnIdle(String modelRef) throws IOException, InterruptedException {
        String id = spawn(modelRef);
        awaitState(id, "idle");
        return id;
    }

    static String spawnBody(String modelRef) throws JsonProcessingException {
        return JSON.writeValueAsString(Map.of("model_ref", modelRef, "backend", "cpu", "device", 0));
    }

    static String executeBody(String modelRef) throws JsonProcessingException {
        return JSON.writeValueAsString(Map.of("model_ref", modelRef, "prompt", "Hello"));
    }

    JsonNode worker(String id) {
        return get("/v1/workers/" + id);
    }

    void awaitState(String id, String state) {
        await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .untilAsserted(
                        () -> assertThat(worker(id).path("state").asText()).isEqualTo(state));
    }

    /** Waits for the exit of a worker's first process. */
    JsonNode awaitExit(String id) {
        return awaitExit(id, 1);
    }

    /** Waits for the exit of one generation of a worker. */
    JsonNode awaitExit(String id, int generation) {
        return await().atMost(PATIENCE)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> exit(id, generation), Optional::isPresent)
                .orElseThrow();
    }

    private Optional<JsonNode> exit(String id, int generation) {
        return StreamSupport.stream(get("/v1/exits").get("exits").spliterator(), false)
                .filter(exit -> exit.get("worker_id").textValue().equals(id)
                        && exit.get("generation").intValue() == generation)
                .findFirst();
    }

    private HttpRequest request(String method, String path, String body) {
        HttpRequest.Builder request = HttpRequest.newBuilder(at(path)).timeout(PATIENCE);
        return body == null
                ? request.method(method, BodyPublishers.noBody()).build()
                : request.header("Content-Type", "application/json")
                        .method(method, BodyPublishers.ofString(body))
                        .build();
    }
}
