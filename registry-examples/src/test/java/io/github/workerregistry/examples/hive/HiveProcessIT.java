package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The hive as a program: how it starts and how it ends. */
class HiveProcessIT {

    private static final Pattern URL = Pattern.compile("listens on (http://\\S+:\\d+)");
    private static final Pattern CHILD = Pattern.compile("started a child, pid (\\d+)");

    @TempDir
    private Path directory;

    private Process hive;
    private final List<ProcessHandle> workers = new ArrayList<>();

    @AfterEach
    void endWhatIsLeft() {
        workers.forEach(ProcessHandle::destroyForcibly);
        if (hive != null) {
            hive.destroyForcibly();
        }
    }

    @Test
    void sigtermEndsAllWorkersAlsoOneThatIgnoresItAndOneThatForked() throws Exception {
        start("--port=0", "--workers=2", "--stop-grace=2s", "--log-dir=" + directory, "--ports=" + FreePorts.range(10));
        HiveClient client =
                new HiveClient(await().until(this::url, Optional::isPresent).orElseThrow());
        client.spawnIdle("demo:load-time=100ms,ignore-sigterm");
        String forked = client.spawnIdle("demo:load-time=100ms,fork");
        client.spawn("demo:load-time=60s");
        for (String pid : client.get("/v1/workers/list").findValuesAsText("pid")) {
            workers.add(ProcessHandle.of(Long.parseLong(pid)).orElseThrow());
        }
        long child =
                Long.parseLong(find(CHILD, directory.resolve(forked + ".log")).orElseThrow());
        workers.add(ProcessHandle.of(child).orElseThrow());
        assertThat(workers).hasSize(6).allMatch(ProcessHandle::isAlive);

        hive.toHandle().destroy();

        assertThat(hive.waitFor(4, TimeUnit.SECONDS))
                .as("ends within grace + 2 s")
                .isTrue();
        assertThat(hive.exitValue()).isZero();
        // The child was killed before the hive ended; init, which inherited it, may take a moment to reap it.
        await().atMost(2, TimeUnit.SECONDS)
                .untilAsserted(() -> assertThat(workers).noneMatch(ProcessHandle::isAlive));
    }

    @Test
    void aPortThatIsTakenIsOneLineAndNoWorker() throws Exception {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            start("--port=" + taken.getLocalPort(), "--ports=" + FreePorts.range(10));

            assertThat(hive.waitFor(20, TimeUnit.SECONDS)).isTrue();
            assertThat(hive.exitValue()).isEqualTo(1);
            assertThat(Files.readAllLines(output("err")))
                    .singleElement()
                    .asString()
                    .contains("cannot listen on 127.0.0.1:" + taken.getLocalPort());
        }
    }

    @Test
    void aWrongOptionIsExplainedAndEndsTheProgram() throws Exception {
        start("--idle-timeout=soon");

        assertThat(hive.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(hive.exitValue()).isEqualTo(2);
        assertThat(Files.readString(output("err"))).contains("--idle-timeout").contains("'soon'");
    }

    @Test
    void aCommandThatCannotBeStartedEndsTheProgram() throws Exception {
        start(
                "--port=0",
                "--workers=1",
                "--worker-command=/no/such/program --port {port}",
                "--ports=" + FreePorts.range(1));

        assertThat(hive.waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(hive.exitValue()).isEqualTo(1);
        assertThat(Files.readString(output("err"))).contains("/no/such/program").doesNotContain("\tat ");
    }

    private void start(String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Hive.class.getName()));
        command.addAll(List.of(options));
        hive = new ProcessBuilder(command)
                .redirectOutput(output("out").toFile())
                .redirectError(output("err").toFile())
                .start();
    }

    private Path output(String name) {
        return directory.resolve("hive." + name);
    }

    private Optional<String> url() throws IOException {
        return find(URL, output("out"));
    }

    private static Optional<String> find(Pattern pattern, Path file) throws IOException {
        return pattern.matcher(Files.readString(file))
                .results()
                .map(found -> found.group(1))
                .findFirst();
    }
}
