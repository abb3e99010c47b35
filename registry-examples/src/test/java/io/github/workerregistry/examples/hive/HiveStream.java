package io.github.workerregistry.examples.hive;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** A stream of a hive, read by a thread of its own until it is closed. */
final class HiveStream implements AutoCloseable {

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    private final List<String> lines = new CopyOnWriteArrayList<>();
    private final InputStream body;
    private volatile boolean ended;

    HiveStream(URI uri) throws IOException, InterruptedException {
        HttpResponse<InputStream> answer = HTTP.send(HttpRequest.newBuilder(uri).build(), BodyHandlers.ofInputStream());
        if (answer.statusCode() != 200) {
            throw new AssertionError("status " + answer.statusCode());
        }
        body = answer.body();
        Thread reader = new Thread(this::read, "stream of a hive");
        reader.setDaemon(true);
        reader.start();
    }

    private void read() {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(body, StandardCharsets.UTF_8))) {
            reader.lines().forEach(lines::add);
        } catch (IOException | UncheckedIOException closed) {
            // by this side or the other
        }
        ended = true;
    }

    List<String> lines() {
        return List.copyOf(lines);
    }

    /** The events, of server-sent events. */
    List<JsonNode> events() {
        return lines.stream()
                .filter(line -> line.startsWith("data: "))
                .map(line -> HiveClient.json(line.substring("data: ".length())))
                .toList();
    }

    /** The types of the events of one worker or model, in order. */
    List<String> types(String workerOrModel) {
        return events().stream()
                .filter(event -> event.at("/worker/model_ref").asText().equals(workerOrModel)
                        || event.path("model_ref").asText().equals(workerOrModel))
                .map(event -> event.get("type").textValue())
                .toList();
    }

    boolean hasEnded() {
        return ended;
    }

    @Override
    public void close() throws IOException {
        body.close();
    }
}
