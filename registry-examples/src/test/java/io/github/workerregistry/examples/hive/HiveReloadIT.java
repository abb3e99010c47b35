package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.workerregistry.examples.ExpectWarnings;
import io.github.workerregistry.examples.demo.DemoWorker;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The configuration of a hive changes while it runs. */
@ExpectWarnings("is not applied: ")
class HiveReloadIT {

    @TempDir
    private Path directory;

    private Path config;
    private RunningHive running;
    private HiveClient hive;

    @BeforeEach
    void write() throws IOException {
        config = directory.resolve("hive.yaml");
        write("one: {command: %s, slots: 4}");
    }

    private void start(String... more) throws IOException {
        List<String> options = new ArrayList<>(
                List.of("--port=0", "--config=" + config, "--ports=" + FreePorts.range(20), "--stop-grace=5s"));
        options.addAll(List.of(more));
        running = new RunningHive(Options.parse(options.toArray(String[]::new)));
        running.start();
        hive = new HiveClient(running.baseUrl());
    }

    @AfterEach
    void stop() {
        running.close();
    }

    /** The models, with the command of the demo worker in place of %s. */
    private void write(String models) throws IOException {
        Path next = directory.resolve("next");
        String command = HiveClient.JSON.writeValueAsString(DemoWorker.command());
        Files.writeString(next, "models:\n  " + models.replace("%s", command) + "\n");
        Files.move(next, config, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    }

    private static List<String> texts(JsonNode list) {
        List<String> texts = new ArrayList<>();
        list.forEach(text -> texts.add(text.textValue()));
        return texts;
    }

    private List<String> models() {
        return hive.get("/v1/models").get("data").findValuesAsText("id");
    }

    @Test
    void reloadAnswersWhatHappensToEachModel() throws Exception {
        start();
        write("two: {command: %s}");

        HttpResponse<String> answer = hive.send("POST", "/v1/config/reload", null);

        JsonNode report = HiveClient.json(answer.body());
        assertThat(answer.statusCode()).isEqualTo(200);
        assertThat(texts(report.get("added"))).containsExactly("two");
        assertThat(texts(report.get("removed"))).containsExactly("one");
        assertThat(models()).containsExactly("two");
        assertThat(HiveClient.json(hive.send("POST", "/v1/config/reload", null).body())
                        .get("unchanged"))
                .isNotEmpty();
    }

    @Test
    void invalidConfigurationChangesNothingAndNamesLineAndField() throws Exception {
        start();
        write("one: {command: %s}\n  two: {command: %s, slots: none}");

        HttpResponse<String> answer = hive.send("POST", "/v1/config/reload", null);

        JsonNode error = HiveClient.json(answer.body()).get("error");
        assertThat(answer.statusCode()).isEqualTo(422);
        assertThat(error.get("code").textValue()).isEqualTo("invalid_config");
        assertThat(error.get("message").textValue()).contains("hive.yaml:3: models.two.slots must be a whole number");
        assertThat(models()).containsExactly("one");
    }

    @Test
    void watchedEditLosesNoRequest() throws Exception {
        start("--watch");
        hive.send("POST", "/v1/models/one/load", null);
        await().until(() -> hive.get("/v1/models/one").get("state").textValue().equals("ready"));
        AtomicBoolean done = new AtomicBoolean();
        AtomicInteger answered = new AtomicInteger();
        List<CompletableFuture<Void>> clients = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            clients.add(CompletableFuture.runAsync(() -> execute(done, answered), task -> new Thread(task).start()));
        }
        await().until(() -> answered.get() > 10);

        write("one: {command: %s, slots: 4, environment: {NEW: \"1\"}}");
        write("one: {command: %s, slots: 3, environment: {NEW: \"2\"}}");

        await().until(() ->
                hive.get("/v1/workers/list").at("/workers/0/slots_total").intValue() == 3
                        && hive.get("/v1/workers/list").get("workers").size() == 1);
        int before = answered.get();
        await().until(() -> answered.get() > before + 10);
        done.set(true);
        clients.forEach(CompletableFuture::join);
    }

    private void execute(AtomicBoolean done, AtomicInteger answered) {
        while (!done.get()) {
            try {
                HttpResponse<String> answer = hive.send("POST", "/v1/execute", HiveClient.executeBody("one"));
                assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
                assertThat(answer.body()).contains("\"done\":true");
                answered.incrementAndGet();
            } catch (IOException | InterruptedException e) {
                throw new AssertionError(e);
            }
        }
    }

    @Test
    void modelIsLoadedAndUnloaded() throws Exception {
        start();
        HttpResponse<String> load = hive.send("POST", "/v1/models/one/load", null);
        await().until(() -> hive.get("/v1/models/one").get("state").textValue().equals("ready"));
        HttpResponse<String> unload = hive.send("POST", "/v1/models/one/unload", null);
        await().until(() -> hive.get("/v1/models/one").get("state").textValue().equals("unloaded"));

        assertThat(load.statusCode()).isEqualTo(202);
        assertThat(load.body()).isEqualTo("{\"model\":\"one\",\"state\":\"loading\"}");
        assertThat(unload.statusCode()).isEqualTo(202);
        assertThat(hive.send("POST", "/v1/models/nobody/load", null).statusCode())
                .isEqualTo(404);
    }
}
