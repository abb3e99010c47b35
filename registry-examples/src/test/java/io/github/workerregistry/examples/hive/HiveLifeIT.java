package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import io.github.workerregistry.examples.ExpectWarnings;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.time.Duration;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A hive restarts and stops real workers, over HTTP. */
@ExpectWarnings({
    "has ended: CRASHED",
    "has ended: CRASH_LOOP",
    "no heartbeat for",
    "its load made no progress",
    "is not ready after"
})
class HiveLifeIT {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static RunningHive running;
    private static HiveClient hive;

    @BeforeAll
    static void start() throws IOException {
        running = new RunningHive(Options.parse(
                "--port=0",
                "--workers=0",
                "--ports=" + FreePorts.range(20),
                "--stop-grace=1s",
                "--restart-initial=100ms",
                "--restart-limit=2",
                "--heartbeat-interval=1s",
                "--load-stall=8s",
                "--hive-id=HiveLifeIT"));
        running.start();
        hive = new HiveClient(running.baseUrl());
    }

    @AfterAll
    static void stop() {
        running.close();
    }

    @Test
    void killedWorkerIsRestartedUnderItsIdUntilACrashLoop() throws Exception {
        String id = hive.spawnIdle("demo:load-time=100ms,tokens=11");
        JsonNode first = hive.worker(id);

        for (int generation = 2; generation <= 3; generation++) {
            kill9(id);
            awaitIdleIn(id, generation);
        }
        JsonNode last = hive.worker(id);
        kill9(id);
        JsonNode exit = hive.awaitExit(id, 3);

        assertThat(last.get("url")).isEqualTo(first.get("url"));
        assertThat(last.get("pid")).isNotEqualTo(first.get("pid"));
        assertThat(last.get("restarts").intValue()).isEqualTo(2);
        assertThat(exit.get("cause").textValue()).isEqualTo("crash_loop");
        assertThat(exit.get("signal").intValue()).isEqualTo(9);
        assertThat(exit.get("output").toString()).contains("ready");
        await().atMost(PATIENCE).until(() -> isRemoved(id));
    }

    @Test
    void operatorsRestartKeepsTheIdAndIsNotCounted() throws Exception {
        String id = hive.spawnIdle("demo:load-time=100ms,tokens=12");

        for (int generation = 2; generation <= 4; generation++) {
            HttpResponse<String> answer = hive.send("POST", "/v1/workers/" + id + "/restart", null);
            assertThat(answer.statusCode()).isEqualTo(202);
            assertThat(HiveClient.JSON.readTree(answer.body()).get("state").textValue())
                    .isEqualTo("restarting");
            awaitIdleIn(id, generation);
        }

        assertThat(hive.awaitExit(id, 3).get("cause").textValue()).isEqualTo("restart");
    }

    @Test
    void workerWithoutHeartbeatsIsRestarted() throws Exception {
        String id = hive.spawnIdle("demo:load-time=100ms,mute-after=1s");
        await().atMost(PATIENCE)
                .until(() -> hive.worker(id).get("last_heartbeat").isTextual());

        JsonNode exit = hive.awaitExit(id);

        assertThat(exit.get("cause").textValue()).isEqualTo("heartbeat_missed");
        assertThat(exit.get("output").toString()).contains("stops sending heartbeats");
        awaitIdleIn(id, 2);
    }

    @Test
    void hangingLoadEndsAsALoadStall() throws Exception {
        String id = hive.spawn("demo:load-time=200ms,hang-while-loading");

        JsonNode exit = hive.awaitExit(id);

        assertThat(exit.get("cause").textValue()).isEqualTo("load_stall");
        assertThat(exit.get("output").toString()).contains("stops loading");
    }

    @Test
    void statsHaveCurrentCountsAndTotals() throws Exception {
        String id = hive.spawnIdle("demo:load-time=100ms,tokens=13");
        JsonNode before = hive.get("/v1/stats");

        kill9(id);
        awaitIdleIn(id, 2);
        JsonNode stats = hive.get("/v1/stats");

        for (String count : new String[] {"crashed", "restarted", "became_ready"}) {
            assertThat(stats.at("/total/" + count).longValue())
                    .as(count)
                    .isGreaterThan(before.at("/total/" + count).longValue());
        }
        assertThat(stats.at("/workers/idle").intValue()).isPositive();
        assertThat(stats.at("/slots/total").intValue()).isPositive();
        assertThat(stats.at("/ended_by/crashed").intValue()).isPositive();
        assertThat(stats.at("/ended_by/unhealthy").isIntegralNumber())
                .as("causes with zero exits are included")
                .isTrue();
        assertThat(stats.at("/worker_uptime_s/" + id).isIntegralNumber()).isTrue();
        assertThat(stats.get("uptime_s").isIntegralNumber()).isTrue();
    }

    private static void kill9(String id) {
        ProcessHandle.of(hive.worker(id).get("pid").longValue()).orElseThrow().destroyForcibly();
    }

    private static boolean isRemoved(String id) {
        return hive.worker(id).has("error");
    }

    private static void awaitIdleIn(String id, int generation) {
        await().atMost(PATIENCE).pollInterval(Duration.ofMillis(20)).untilAsserted(() -> {
            JsonNode worker = hive.worker(id);
            assertThat(worker.path("generation").asInt()).isEqualTo(generation);
            assertThat(worker.path("state").asText()).isEqualTo("idle");
        });
    }
}
