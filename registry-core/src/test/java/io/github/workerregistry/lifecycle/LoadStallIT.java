package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.SLEEP;
import static io.github.workerregistry.lifecycle.RealHive.isRunning;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.RawServer;
import java.io.IOException;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Loads of real processes. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class LoadStallIT {

    @RegisterExtension
    final RealHive hive = new RealHive();

    /** Loads are evaluated once per {@link LoadLoop#PERIOD}, so a limit of two of them is short. */
    @Test
    void onlyALoadWithoutOutputOrReportsIsStopped() {
        UnexpectedWarnings.expect(Warnings.STOPPED + "LOAD_STALL, its load made no progress for PT2S");
        WorkerSupervisor supervisor =
                hive.supervise(RealHive.config().loadStallTimeout(LoadLoop.PERIOD.multipliedBy(2)));
        WorkerInfo printing = hive.spawn(supervisor, "while :; do printf .; sleep 0.1; done");
        WorkerInfo spokenFor = hive.spawn(supervisor, SLEEP);
        var word = hive.scheduler.scheduleWithFixedDelay(
                () -> supervisor.reportProgress(spokenFor.id()), 0, 100, TimeUnit.MILLISECONDS);

        WorkerInfo silent = hive.spawn(supervisor, SLEEP); // the last one, and yet the first to go
        hive.awaitRemoved(silent);
        word.cancel(false);

        assertThat(isRunning(silent)).isFalse();
        assertThat(supervisor.recentExits()).singleElement().satisfies(exit -> {
            assertThat(exit.workerId()).isEqualTo(silent.id());
            assertThat(exit.cause()).isEqualTo(Exit.Cause.LOAD_STALL);
            assertThat(exit.output()).isEmpty();
        });
        assertThat(List.of(printing, spokenFor)).allSatisfy(worker -> {
            assertThat(hive.state(worker)).isInstanceOf(Loading.class);
            assertThat(isRunning(worker)).isTrue();
        });
        assertThat(Duration.between(
                        printing.startedAt(), supervisor.recentExits().get(0).at()))
                .isGreaterThanOrEqualTo(Duration.ofSeconds(2));
    }

    /** Most servers log a request for an unknown path. Regression: such a worker was Loading without end. */
    @Test
    void aServerThatLogsOnlyProbesIsStopped() {
        UnexpectedWarnings.expect(Warnings.STOPPED + "LOAD_STALL, its load made no progress for PT2S");
        WorkerSupervisor supervisor = hive.supervise(RealHive.config().loadStallTimeout(Duration.ofSeconds(2)));
        try (LoggingServer stuckServer = new LoggingServer(hive.directory.resolve("stuck"));
                LoggingServer movingServer = new LoggingServer(hive.directory.resolve("moving"))) {
            WorkerInfo moving = movingServer.spawn(hive, supervisor, "while :; do echo loaded; sleep 0.3; done &");
            WorkerInfo stuck = stuckServer.spawn(hive, supervisor, "");

            hive.awaitRemoved(stuck);

            assertThat(supervisor.recentExits()).singleElement().satisfies(exit -> {
                assertThat(exit.workerId()).isEqualTo(stuck.id());
                assertThat(exit.cause()).isEqualTo(Exit.Cause.LOAD_STALL);
                assertThat(exit.output()).hasSizeGreaterThan(1).containsOnly("GET /v1/health HTTP/1.1");
            });
            assertThat(hive.state(moving)).isInstanceOf(Loading.class);
            assertThat(movingServer.requests()).isGreaterThan(1);
        }
    }

    /** A server whose worker logs each request before it is answered with "not found". */
    private static final class LoggingServer implements AutoCloseable {
        private final RawServer server = new RawServer(this::answer);
        private final Path pipe;
        private final Path written;
        private final AtomicInteger lines = new AtomicInteger();

        LoggingServer(Path base) {
            pipe = base.resolveSibling(base.getFileName() + ".pipe");
            written = base.resolveSibling(base.getFileName() + ".written");
        }

        /** The worker copies lines from the pipe to its output, and counts the lines written. */
        WorkerInfo spawn(RealHive hive, WorkerSupervisor supervisor, String alsoDoes) {
            String script = """
                    mkfifo '%s'
                    exec 3<>'%s'
                    %s
                    while read line <&3; do echo "$line"; echo x >>'%s'; done
                    """.formatted(pipe, pipe, alsoDoes, written);
            return hive.spawn(supervisor, script, server.url());
        }

        private void answer(String request, Socket client) throws IOException {
            RealHive.eventually().until(() -> Files.exists(pipe));
            Files.writeString(pipe, request + "\n", StandardOpenOption.APPEND);
            int sent = lines.incrementAndGet();
            RealHive.eventually().until(() -> RealHive.wholeLinesOf(written).size() >= sent);
            RawServer.say(client, RawServer.status(404));
        }

        int requests() {
            return lines.get();
        }

        @Override
        public void close() {
            server.close();
        }
    }
}
