package io.github.workerregistry.examples.queen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.examples.Program;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The queen as a program: start and shutdown. */
class QueenProcessIT {

    private static final Pattern WELCOME =
            Pattern.compile("answers on (http://127.0.0.1:(\\d+)); hives join through ZooKeeper at 127.0.0.1:(\\d+)");

    @TempDir
    private Path directory;

    private Program queen;

    @BeforeEach
    void start() throws IOException {
        queen = Program.start(Queen.class, directory, "--port=0", "--zookeeper-port=0");
    }

    @AfterEach
    void end() {
        queen.process().destroyForcibly();
    }

    @Test
    void queenAnswersUntilSigtermAndExitsWithSuccessLeavingNothing() throws Exception {
        MatchResult welcome = queen.awaitPrinted(WELCOME);

        assertThat(get(welcome.group(1) + "/v1/health")).contains("\"zookeeper\":\"connected\"");
        assertThat(zooKeeperDirectories()).isEqualTo(1);
        terminate();

        for (int group : List.of(2, 3)) {
            int port = Integer.parseInt(welcome.group(group));
            try (ServerSocket free = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
                assertThat(free.isBound()).isTrue();
            }
        }
    }

    /** Regression: the hook found no queen to close, and left the directory behind. */
    @Test
    void signalDuringTheStartLeavesNothing() throws Exception {
        await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(1))
                .until(() -> zooKeeperDirectories() > 0);

        terminate();
    }

    private void terminate() throws Exception {
        queen.process().toHandle().destroy();

        assertThat(queen.process().waitFor(20, TimeUnit.SECONDS)).isTrue();
        assertThat(queen.process().exitValue()).isZero();
        assertThat(zooKeeperDirectories()).isZero();
        assertThat(queen.errors()).noneMatch(line -> line.contains(" WARN ") || line.contains(" ERROR "));
    }

    private long zooKeeperDirectories() throws IOException {
        try (Stream<Path> files = Files.list(directory.resolve("tmp"))) {
            return files.filter(file -> file.getFileName().toString().startsWith("worker-registry-queen-"))
                    .count();
        }
    }

    private static String get(String url) throws Exception {
        HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
        return HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body();
    }
}
