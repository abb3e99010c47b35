package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.PATIENCE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.health.RawServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A whole hive that is suspended, as a laptop or a container is: {@link PauseTest} with real processes. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class SuspendedHiveIT {

    private static final Duration SUSPENDED =
            SupervisingMain.LONGEST_LIMIT.multipliedBy(5).dividedBy(2);

    @RegisterExtension
    final ChildHive hive;

    SuspendedHiveIT(@TempDir Path directory) {
        hive = new ChildHive(directory);
    }

    @Test
    void aPauseLongerThanAnyLimitStopsNoWorkerAndExitsAreDetected() {
        try (RawServer server = RawServer.saying(RawServer.status(200))) {
            hive.start(server.url());
            long doomed = hive.pid("doomed");
            List<Long> others = Stream.of("idle", "beating", "busy", "loading")
                    .map(hive::pid)
                    .toList();
            int asked = server.requests().size();
            await().atMost(PATIENCE).until(() -> server.requests().size() > asked + 3); // all loops have run

            hive.suspend();
            assertThat(ProcessHandle.of(doomed).orElseThrow().destroyForcibly()).isTrue();
            // The pause must take real time.
            await().pollDelay(SUSPENDED).atMost(PATIENCE).until(() -> true);
            int before = hive.printed().size();
            assertThat(hive.printed()).doesNotContain("Crashed doomed");
            hive.resume();

            await().atMost(PATIENCE).until(() -> hive.printed().contains("Crashed doomed"));
            List<String> since = hive.printed().subList(before, hive.printed().indexOf("Crashed doomed"));
            assertThat(since)
                    .as("a tick takes 100 ms, and the hive reports every 400 ms")
                    .filteredOn(SupervisingMain.SIGNS_OF_LIFE::equals)
                    .hasSizeLessThan(6);
            // Every limit must have passed, in real time.
            await().pollDelay(SupervisingMain.LONGEST_LIMIT.plus(LoadLoop.PERIOD))
                    .atMost(PATIENCE)
                    .until(() -> true);
            assertThat(hive.printed())
                    .noneMatch(line -> line.startsWith("StopStarted"))
                    .filteredOn(line -> line.startsWith("Crashed") || line.startsWith("Removed"))
                    .containsExactly("Crashed doomed", "Removed doomed");
            assertThat(others).allMatch(RealHive::isRunning);
        }
    }
}
