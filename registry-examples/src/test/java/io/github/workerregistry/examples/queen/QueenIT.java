package io.github.workerregistry.examples.queen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.github.workerregistry.examples.hive.FreePorts;
import io.github.workerregistry.examples.hive.HiveProcess;
import io.github.workerregistry.examples.hive.MachineTime;
import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.ParameterException;

/** The queen with its embedded ZooKeeper, and hives and workers as real processes. */
class QueenIT {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpClient http = HttpClient.newHttpClient();
    private final List<HiveProcess> hives = new ArrayList<>();
    private final List<ProcessHandle> workers = new ArrayList<>();
    private RunningQueen queen;

    @TempDir
    private Path directory;

    @AfterEach
    void end() {
        hives.forEach(hive -> hive.process().destroyForcibly());
        workers.forEach(ProcessHandle::destroyForcibly);
        if (queen != null) {
            queen.close();
        }
    }

    @Test
    void requestsGoToAllHivesAndToTheOtherWhenOneIsKilled() throws Exception {
        long before = ZooKeeperDirectories.count();
        queen = new RunningQueen(options("--port=0", "--zookeeper-port=0"));
        queen.start();
        HiveProcess a = hive("a");
        HiveProcess b = hive("b");
        soon().untilAsserted(() -> assertThat(idleNodes()).containsExactly("a", "b"));
        rememberWorkers(a);
        rememberWorkers(b);

        Set<String> tried = new HashSet<>();
        soon().until(() -> {
            tried.add(execute());
            return tried.containsAll(Set.of("a 200", "b 200"));
        });

        MachineTime sinceKill = new MachineTime();
        b.process().destroyForcibly().waitFor();
        soon().untilAsserted(() -> {
            assertThat(execute())
                    .as("no error, whatever the state of the queen")
                    .endsWith("a 200");
            assertThat(nodes()).containsExactly("a");
        });
        assertThat(sinceKill.elapsed().stream())
                .as("the session of 2 s, on a loaded machine")
                .allMatch(elapsed -> elapsed.compareTo(Duration.ofSeconds(12)) < 0);

        queen.close();
        assertThat(ZooKeeperDirectories.count()).as("no directory is left").isEqualTo(before);
        assertThat(a.process().isAlive()).as("the hive keeps running").isTrue();
    }

    @Test
    void usedPortIsReportedAndNothingIsLeft() throws IOException {
        long before = ZooKeeperDirectories.count();
        try (ServerSocket taken = new ServerSocket(0)) {
            String port = Integer.toString(taken.getLocalPort());

            assertThatThrownBy(() -> new RunningQueen(options("--port=" + port, "--zookeeper-port=0")))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining(port);
            assertThatThrownBy(() -> new RunningQueen(options("--port=0", "--zookeeper-port=" + port)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("ZooKeeper cannot listen")
                    .hasMessageContaining(port);
        }
        assertThat(ZooKeeperDirectories.count()).isEqualTo(before);
    }

    @Test
    void invalidOptionIsNamed() {
        for (String wrong : List.of(
                "--port=65536",
                "--zookeeper-port=-1",
                "--zookeeper=localhost",
                "--zookeeper=a:1, b:2",
                "--session-timeout=1ms")) {
            assertThatThrownBy(() -> new RunningQueen(options("--port=0", "--zookeeper-port=0", wrong)))
                    .isInstanceOf(ParameterException.class)
                    .hasMessageContaining(wrong.substring(0, wrong.indexOf('=')));
        }
    }

    private HiveProcess hive(String node) throws IOException {
        HiveProcess hive = HiveProcess.start(
                QueenHive.class,
                directory.resolve(node),
                "--queen=" + queen.zookeeper(),
                "--node=" + node,
                "--hive-id=QueenIT-" + node,
                "--session-timeout=2s",
                "--port=0",
                "--workers=1",
                "--stop-grace=1s",
                "--ports=" + FreePorts.range(4));
        hives.add(hive);
        return hive;
    }

    /** The workers of a killed hive keep running, and it is not restarted here. */
    private void rememberWorkers(HiveProcess hive) throws Exception {
        for (String pid : get(hive.url() + "/v1/workers/list").findValuesAsText("pid")) {
            ProcessHandle.of(Long.parseLong(pid)).ifPresent(workers::add);
        }
    }

    private List<String> nodes() throws Exception {
        return get(queen.baseUrl() + "/v1/workers/list").findValuesAsText("node");
    }

    private List<String> idleNodes() throws Exception {
        JsonNode list = get(queen.baseUrl() + "/v1/workers/list");
        assertThat(list.findValuesAsText("state")).containsOnly("idle");
        return list.findValuesAsText("node");
    }

    private String execute() throws Exception {
        HttpResponse<String> answer = http.send(
                HttpRequest.newBuilder(URI.create(queen.baseUrl() + "/v1/execute"))
                        .header("Content-Type", "application/json")
                        .POST(BodyPublishers.ofString("{\"model_ref\": \"demo\", \"prompt\": \"Hello\"}"))
                        .build(),
                BodyHandlers.ofString());
        assertThat(answer.statusCode()).as(answer.body()).isEqualTo(200);
        assertThat(answer.body()).contains("\"done\":true");
        return answer.headers().firstValue("X-Tried").orElseThrow();
    }

    private JsonNode get(String url) throws Exception {
        return JSON.readTree(http.send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.ofString())
                .body());
    }

    private static ConditionFactory soon() {
        return await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(50));
    }

    private static QueenOptions options(String... args) {
        Options parsed = new Options();
        new CommandLine(parsed).parseArgs(args);
        return parsed.options;
    }

    @Command
    private static final class Options {
        @Mixin
        private QueenOptions options;
    }

    /** The directories that a queen with an embedded ZooKeeper creates and must remove. */
    private static final class ZooKeeperDirectories {
        static long count() throws IOException {
            try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
                return files.filter(file -> file.getFileName().toString().startsWith("worker-registry-queen-"))
                        .count();
            }
        }
    }
}
