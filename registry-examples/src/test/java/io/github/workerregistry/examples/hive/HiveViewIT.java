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
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What operators see of a hive: two models, and room for one. */
@ExpectWarnings("has ended: CRASHED")
class HiveViewIT {

    @TempDir
    private static Path directory;

    private static RunningHive running;
    private static HiveClient hive;

    @BeforeAll
    static void start() throws IOException {
        Path config = directory.resolve("hive.yaml");
        Files.writeString(config, """
                devices: {cpu: {0: 10}}
                models:
                  one: {command: %1$s, units: 10, slots: 2}
                  two: {command: %1$s, units: 10}
                """.formatted(HiveClient.JSON.writeValueAsString(DemoWorker.command())));
        running = new RunningHive(
                Options.parse("--port=0", "--config=" + config, "--ports=" + FreePorts.range(20), "--stop-grace=5s"));
        running.start();
        hive = new HiveClient(running.baseUrl());
    }

    @AfterAll
    static void stop() throws Exception {
        try (HiveStream open = new HiveStream(hive.at("/v1/events"))) {
            long start = System.nanoTime();
            running.close();
            assertThat(System.nanoTime() - start)
                    .as("an open stream does not hold up the end")
                    .isLessThan(4_000_000_000L);
            await().until(open::hasEnded);
        }
    }

    private static HiveStream events() throws Exception {
        return new HiveStream(hive.at("/v1/events"));
    }

    @Test
    void snapshotComesFirstThenEachEvent() throws Exception {
        String before = hive.spawnIdle("before");
        try (HiveStream events = events()) {
            await().until(() -> !events.events().isEmpty());
            String id = hive.spawnIdle("watched");
            hive.send("DELETE", "/v1/workers/" + id + "?force=true", null);
            await().until(() -> events.types("watched").contains("removed"));

            JsonNode snapshot = events.events().get(0);
            assertThat(snapshot.get("type").textValue()).isEqualTo("snapshot");
            assertThat(snapshot.get("workers").findValuesAsText("id")).contains(before);
            assertThat(snapshot.at("/usage/models").findValuesAsText("id")).contains("one", "two", "before");
            assertThat(events.types("watched"))
                    .containsExactly("registered", "became_ready", "stop_started", "removed");
        }
    }

    @Test
    void eventsOfThePoolAndUsageAreSent() throws Exception {
        try (HiveStream events = events()) {
            await().until(() -> !events.events().isEmpty());
            hive.send("POST", "/v1/execute", HiveClient.executeBody("one"));
            hive.send("POST", "/v1/execute", HiveClient.executeBody("two"));

            await().until(() -> events.types("two").contains("loaded"));
            assertThat(events.types("one")).contains("load_started", "loaded", "evicted", "removed");
            await().until(() -> events.events().stream()
                    .anyMatch(event -> event.get("type").textValue().equals("usage")
                            && event.at("/workers/0/resident_bytes").asLong() > 0));
        }
    }

    @Test
    void clientsThatLeaveLeaveNoListener() throws Exception {
        String id = hive.spawnIdle("left");
        for (int i = 0; i < 100; i++) {
            try (HiveStream events = events();
                    HiveStream log = new HiveStream(hive.at("/v1/workers/" + id + "/log?follow"))) {
                assertThat(log.hasEnded()).isEqualTo(events.hasEnded());
            }
        }

        await().until(() -> running.view().streams().count() == 0);
    }

    @Test
    void lastLinesOfAWorkerAreRead() throws Exception {
        String id = hive.spawnIdle("lines");

        HttpResponse<String> all = hive.send("GET", "/v1/workers/" + id + "/log", null);
        assertThat(all.body()).contains("demo worker: ").endsWith("\n");
        assertThat(all.headers().firstValue("Content-Type")).hasValue("text/plain; charset=utf-8");
        assertThat(hive.send("GET", "/v1/workers/" + id + "/log?lines=1", null).body())
                .hasLineCount(1);
        assertThat(hive.send("GET", "/v1/workers/" + id + "/log?lines=0", null).statusCode())
                .isEqualTo(400);
        assertThat(hive.send("GET", "/v1/workers/nobody/log", null).statusCode())
                .isEqualTo(404);
    }

    @Test
    void logIsFollowedToTheEndOfItsWorker() throws Exception {
        String id = hive.spawnIdle("demo:flood");
        try (HiveStream log = new HiveStream(hive.at("/v1/workers/" + id + "/log?follow=true"))) {
            await().until(() -> log.lines().size() > 2_000);
            hive.send("DELETE", "/v1/workers/" + id + "?force=true", null);

            await().until(log::hasEnded);
        }
    }
}
