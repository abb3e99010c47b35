package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import java.io.FileInputStream;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

/** Each kind of leak is found and named, and is no longer reported once it has ended. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class LeftoversTest {

    private final Path directory;
    private final Leftovers leftovers = new Leftovers(Duration.ofMillis(10));

    LeftoversTest(@TempDir Path directory) {
        this.directory = directory;
    }

    /** Each test ends its own leak. */
    @AfterEach
    void nothingIsLeftAfterwards() {
        await().pollInSameThread().until(leftovers::found, List::isEmpty);
        assertThatCode(leftovers::close).doesNotThrowAnyException();
    }

    private void assertLeft(String what) {
        assertThatThrownBy(leftovers::close)
                .isInstanceOf(AssertionError.class)
                .hasMessageStartingWith("left behind by the tests:")
                .hasMessageContaining(what);
    }

    @Test
    void childIsFound() throws IOException {
        Process child = new ProcessBuilder("sleep", "600").start();
        try {
            assertLeft("process " + child.pid() + ": sleep 600");
        } finally {
            child.destroyForcibly();
        }
    }

    /** Its parent, a child of this process, does not reap it. */
    @Test
    void zombieIsFound() throws IOException {
        Process parent = new ProcessBuilder("sh", "-c", "sleep 0 & exec sleep 600").start();
        try {
            await().pollInSameThread().untilAsserted(() -> assertLeft("zombie of sleep"));
        } finally {
            parent.destroyForcibly();
        }
    }

    /** It runs in a session of its own, and its parent has exited: only its environment identifies the run. */
    @Test
    void adoptedProcessIsFound() throws Exception {
        Assumptions.assumeTrue(System.getenv("WORKER_REGISTRY_TEST_RUN") != null, "only the build marks its runs");
        Path pid = directory.resolve("pid");
        Process parent = new ProcessBuilder("sh", "-c", "setsid sleep 600 & echo $! > " + pid).start();
        assertThat(parent.waitFor()).isZero();
        ProcessHandle orphan =
                ProcessHandle.of(Long.parseLong(Files.readString(pid).strip())).orElseThrow();
        try {
            await().pollInSameThread().untilAsserted(() -> assertLeft("process " + orphan.pid() + ": sleep 600"));
            assertThat(ProcessHandle.current().descendants()).doesNotContain(orphan);
        } finally {
            orphan.destroyForcibly();
        }
    }

    @Test
    void threadIsFound() {
        CountDownLatch end = new CountDownLatch(1);
        Thread thread = new Thread(() -> awaitQuietly(end), "one too many");
        thread.setDaemon(true);
        thread.start();
        try {
            assertLeft(": one too many");
        } finally {
            end.countDown();
        }
    }

    @Test
    void openFileIsFound() throws IOException {
        Path file = Files.createFile(directory.resolve("open"));
        try (FileInputStream open = new FileInputStream(file.toFile())) {
            assertThat(open.available()).isZero();
            assertLeft(": " + file);
        }
    }

    @Test
    void openSocketIsFound() throws IOException {
        try (ServerSocket socket = new ServerSocket(0)) {
            assertThat(socket.isBound()).isTrue();
            assertLeft(": socket:[");
        }
    }

    @Test
    void temporaryFileIsFound() throws IOException {
        Assumptions.assumeTrue(
                System.getenv("WORKER_REGISTRY_TEST_RUN") != null, "only the build has its own directory");
        Path file = Files.createTempFile("left", null);
        try {
            assertLeft("temporary file " + file);
        } finally {
            Files.delete(file);
        }
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
