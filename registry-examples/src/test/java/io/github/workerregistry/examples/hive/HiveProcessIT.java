package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The hive as a program: start and shutdown. */
class HiveProcessIT {

    private static final Pattern CHILD = Pattern.compile("started a child, pid (\\d+)");

    @TempDir
    private Path directory;

    private final List<HiveProcess> hives = new ArrayList<>();
    private final List<ProcessHandle> started = new ArrayList<>();

    @AfterEach
    void killRemaining() throws IOException {
        hives.forEach(hive -> hive.process().destroyForcibly());
        started.forEach(ProcessHandle::destroyForcibly);
        for (HiveProcess hive : hives) {
            assertThat(hive.errors()).as("warnings").noneMatch(line -> line.matches("[0-9:.]+ (WARN |ERROR) .*"));
        }
    }

    @Test
    void sigtermStopsAllWorkersIncludingDeafAndForkedOnes() throws Exception {
        HiveProcess hive = start("one", "--port=0", "--workers=2", "--stop-grace=2s", "--ports=" + FreePorts.range(10));
        HiveClient client = hive.client();
        client.spawnIdle("demo:load-time=100ms,ignore-sigterm");
        String forked = client.spawnIdle("demo:load-time=100ms,fork");
        client.spawn("demo:load-time=60s");
        List<ProcessHandle> workers = new ArrayList<>(workersOf(client));
        workers.add(childOf("one", forked));
        assertThat(workers).hasSize(6).allMatch(ProcessHandle::isAlive);

        MachineTime time = new MachineTime();
        hive.process().toHandle().destroy();

        assertThat(exitCode(hive)).isZero();
        assertThat(time.elapsed().stream())
                .as("exits within grace + 2 s of CPU availability: %s", String.join("\n", hive.errors()))
                .allMatch(elapsed -> elapsed.compareTo(Duration.ofSeconds(4)) <= 0);
        awaitExit(workers);
    }

    /** Four workers, two of them with a child in the background, and another hive with the same id. */
    @Test
    void restartedHiveReapsOnlyItsOwnOrphans() throws Exception {
        String id = "--hive-id=" + directory; // unique
        HiveProcess killed = start("killed", id, "--port=0", "--workers=2", "--ports=" + FreePorts.range(4));
        HiveProcess other = start("other", id, "--port=0", "--workers=1", "--ports=" + FreePorts.range(2));
        HiveClient client = killed.client();
        List<ProcessHandle> left = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            left.add(childOf("killed", client.spawnIdle("demo:load-time=100ms,fork")));
        }
        left.addAll(workersOf(client));
        String othersForked = other.client().spawnIdle("demo:load-time=100ms,fork");
        List<ProcessHandle> others = new ArrayList<>(workersOf(other.client()));
        others.add(childOf("other", othersForked));
        assertThat(left).hasSize(6).allMatch(ProcessHandle::isAlive);

        killed.process().destroyForcibly().waitFor();
        assertThat(left).as("orphans still run").allMatch(ProcessHandle::isAlive);
        HiveProcess again = start("again", id, "--port=0", "--workers=0", "--ports=" + FreePorts.range(2));
        HiveClient restarted = again.client();

        awaitExit(left);
        assertThat(others).hasSize(3).allMatch(ProcessHandle::isAlive);
        assertThat(again.printed().lines().filter(line -> line.startsWith("Reaped process ")))
                .hasSize(6)
                .allMatch(line -> line.endsWith(
                        "left behind by hive process " + killed.process().pid() + "."));
        for (ProcessHandle orphan : left) {
            assertThat(again.printed()).contains("Reaped process " + orphan.pid() + " (");
        }
        assertThat(restarted.get("/v1/stats").at("/total/orphans_reaped").intValue())
                .isEqualTo(6);
    }

    @Test
    void reapedOrphansAreReportedEvenIfTheFirstWorkerCannotBeStarted() throws Exception {
        String id = "--hive-id=" + directory;
        HiveProcess killed = start("killed", id, "--port=0", "--workers=1", "--ports=" + FreePorts.range(2));
        List<ProcessHandle> left = workersOf(killed.client());

        killed.process().destroyForcibly().waitFor();
        HiveProcess again = start(
                "again",
                id,
                "--port=0",
                "--workers=1",
                "--worker-command=/no/such/program",
                "--ports=" + FreePorts.range(1));

        assertThat(exitCode(again)).isEqualTo(1);
        assertThat(left).hasSize(1);
        assertThat(again.printed()).contains("Reaped process " + left.get(0).pid() + " (");
        awaitExit(left);
    }

    @Test
    void usedPortIsReportedInOneLineAndStartsNoWorker() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            HiveProcess hive = start("one", "--port=" + taken.getLocalPort(), "--ports=" + FreePorts.range(10));

            assertThat(exitCode(hive)).isEqualTo(1);
            assertThat(hive.errors())
                    .singleElement()
                    .asString()
                    .contains("cannot listen on 127.0.0.1:" + taken.getLocalPort());
        }
    }

    @Test
    void invalidOptionIsExplainedAndEndsTheProgram() throws Exception {
        HiveProcess hive = start("one", "--idle-timeout=soon");

        assertThat(exitCode(hive)).isEqualTo(2);
        assertThat(hive.errors()).first().asString().contains("--idle-timeout").contains("'soon'");
    }

    @Test
    void commandThatCannotBeStartedEndsTheProgram() throws Exception {
        HiveProcess hive = start(
                "one",
                "--port=0",
                "--workers=1",
                "--worker-command=/no/such/program --api-key TOPSECRET --port {port}",
                "--ports=" + FreePorts.range(1));

        assertThat(exitCode(hive)).isEqualTo(1);
        assertThat(String.join("\n", hive.errors()))
                .contains("/no/such/program")
                .doesNotContain("\tat ")
                .doesNotContain("TOPSECRET");
    }

    /** It may contain prompts. */
    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void outputOfWorkersIsAccessibleToTheUserOfTheHiveOnly() throws Exception {
        Path logs = directory.resolve("made").resolve("logs");
        HiveProcess hive = HiveProcess.start(
                directory.resolve("one"),
                "--port=0",
                "--workers=1",
                "--ports=" + FreePorts.range(1),
                "--log-dir=" + logs);
        hives.add(hive);

        assertThat(workersOf(hive.client())).hasSize(1);

        assertThat(Files.getPosixFilePermissions(logs)).isEqualTo(PosixFilePermissions.fromString("rwx------"));
        try (Stream<Path> files = Files.list(logs)) {
            assertThat(files)
                    .singleElement()
                    .satisfies(log -> assertThat(Files.getPosixFilePermissions(log))
                            .isEqualTo(PosixFilePermissions.fromString("rw-------")));
        }
    }

    /** Any client that reaches the port can spawn a worker, but must not see its arguments. */
    @Test
    void spawnErrorNamesTheProgramButNotItsArguments() throws Exception {
        HiveProcess hive = start(
                "one",
                "--port=0",
                "--workers=0",
                "--worker-command=/no/such/program --api-key TOPSECRET --port {port}",
                "--ports=" + FreePorts.range(1));

        HttpResponse<String> answer = hive.client()
                .send("POST", "/v1/workers/spawn", "{\"model_ref\": \"m\", \"backend\": \"cpu\", \"device\": 0}");

        assertThat(answer.statusCode()).isEqualTo(500);
        assertThat(answer.body()).contains("spawn_failed", "/no/such/program").doesNotContain("TOPSECRET");
        assertThat(hive.printed()).doesNotContain("TOPSECRET");
    }

    /** The name is that of the directory for the output of the hive and its workers. */
    private HiveProcess start(String name, String... options) throws IOException {
        List<String> all = new ArrayList<>(List.of(options));
        all.add("--log-dir=" + directory.resolve(name));
        HiveProcess hive = HiveProcess.start(directory.resolve(name), all.toArray(String[]::new));
        hives.add(hive);
        return hive;
    }

    /** They were killed before; init may take a short time to reap them. */
    private static void awaitExit(List<ProcessHandle> killed) {
        await().atMost(20, TimeUnit.SECONDS)
                .untilAsserted(() -> assertThat(killed).noneMatch(ProcessHandle::isAlive));
    }

    private static int exitCode(HiveProcess hive) throws InterruptedException {
        assertThat(hive.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
        return hive.process().exitValue();
    }

    private List<ProcessHandle> workersOf(HiveClient client) {
        List<ProcessHandle> workers = client.get("/v1/workers/list").findValuesAsText("pid").stream()
                .map(pid -> ProcessHandle.of(Long.parseLong(pid)).orElseThrow())
                .toList();
        started.addAll(workers);
        return workers;
    }

    /** The background child that a worker has printed. */
    private ProcessHandle childOf(String hive, String worker) {
        Path output = directory.resolve(hive).resolve(worker + ".log");
        String pid = await().atMost(Duration.ofSeconds(20))
                .until(() -> HiveProcess.find(CHILD, output), found -> found.isPresent())
                .orElseThrow();
        ProcessHandle child = ProcessHandle.of(Long.parseLong(pid)).orElseThrow();
        started.add(child);
        return child;
    }
}
