package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A hive without {@code --config} and {@code --worker-command}. */
class DemoModelsIT {

    private static RunningHive running;
    private static HiveClient hive;
    private static String welcome;

    @BeforeAll
    static void start() throws IOException {
        HiveOptions options = Options.parse("--port=0", "--ports=" + FreePorts.range(10), "--stop-grace=5s");
        running = new RunningHive(options);
        running.start();
        hive = new HiveClient(running.baseUrl());
        welcome = Welcome.text(running.baseUrl(), options);
    }

    @AfterAll
    static void stop() {
        running.close();
    }

    @Test
    void eachDemoModelEvictsTheOther() throws Exception {
        assertThat(chat("tiny").statusCode()).isEqualTo(200);
        assertThat(state("tiny")).isEqualTo("ready");

        HttpResponse<String> small = chat("small");

        assertThat(HiveClient.json(small.body())
                        .at("/choices/0/message/content")
                        .textValue())
                .startsWith("Hello you said");
        assertThat(state("tiny")).isEqualTo("unloaded");
    }

    @Test
    void firstWorkersRunBesideTheDemoModels() throws Exception {
        JsonNode workers = hive.get("/v1/workers/list").get("workers");

        assertThat(workers.findValuesAsText("model_ref")).contains("demo", "demo");
        assertThat(hive.send("POST", "/v1/execute", HiveClient.executeBody("demo"))
                        .statusCode())
                .isEqualTo(200);
    }

    @Test
    void welcomeTellsTheRequestsThatShowASwap() {
        assertThat(welcome)
                .containsPattern("# see a swap: .*\n +curl http.*/v1/chat/completions .*\"tiny\".*; curl .*\"small\"");
    }

    @Test
    void demoModelsHaveNoFileToReload() throws Exception {
        HttpResponse<String> answer = hive.send("POST", "/v1/config/reload", null);

        assertThat(answer.statusCode()).isEqualTo(409);
        assertThat(answer.body()).contains("no_config");
    }

    private static HttpResponse<String> chat(String model) throws Exception {
        String body = "{\"model\": \"%s\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello\"}]}";
        return hive.send("POST", "/v1/chat/completions", body.formatted(model));
    }

    private static String state(String model) {
        return hive.get("/v1/models/" + model).get("state").textValue();
    }
}
