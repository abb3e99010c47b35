package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.SLEEP;
import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static io.github.workerregistry.lifecycle.RealHive.isRunning;
import static io.github.workerregistry.lifecycle.RealHive.kill9;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.RawServer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Real processes whose health checks fail together. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class MassFailureGuardIT {

    private static final String HEALTHY = RawServer.status(200);
    private static final String UNHEALTHY = RawServer.status(500);

    @RegisterExtension
    final RealHive hive = new RealHive();

    @Test
    void workersThatFailTogetherAreSuspectedUntilTheyPassAndAnExitStillCounts() {
        UnexpectedWarnings.expect(Warnings.SUSPECTED, Warnings.CRASHED + ", signal 9");
        AtomicReference<String> answer = new AtomicReference<>(HEALTHY);
        WorkerSupervisor supervisor = hive.supervise(RealHive.config()
                .healthInterval(Duration.ofMillis(200))
                .failureThreshold(5)
                .suspicionTimeout(Duration.ofMinutes(5)));
        try (RawServer server = new RawServer((request, client) -> RawServer.say(client, answer.get()))) {
            List<WorkerInfo> workers = Stream.generate(() -> hive.spawnReady(supervisor, SLEEP, server.url()))
                    .limit(4)
                    .toList();

            answer.set(UNHEALTHY);
            eventually().until(() -> workers.stream().allMatch(worker -> hasHeard(worker, "Suspected")));
            assertThat(workers).allSatisfy(worker -> {
                assertThat(hive.state(worker)).isEqualTo(new Idle());
                assertThat(isRunning(worker)).isTrue();
            });

            WorkerInfo killed = workers.get(3);
            kill9(killed);
            hive.awaitRemoved(killed);
            assertThat(supervisor.recentExits())
                    .singleElement()
                    .extracting(Exit::cause)
                    .isEqualTo(Exit.Cause.CRASHED);

            List<WorkerInfo> others = workers.subList(0, 3);
            assertThat(others).noneMatch(worker -> hasHeard(worker, "SuspicionCleared"));
            answer.set(HEALTHY);
            eventually().until(() -> others.stream().allMatch(worker -> hasHeard(worker, "SuspicionCleared")));
            assertThat(others)
                    .allMatch(RealHive::isRunning)
                    .allSatisfy(worker -> assertThat(hive.heard.historyOf(worker.id()))
                            .containsOnlyOnce("Suspected", "SuspicionCleared")
                            .containsSubsequence("Suspected", "SuspicionCleared")
                            .doesNotContain("StopStarted", "Crashed"));
        }
    }

    private boolean hasHeard(WorkerInfo worker, String event) {
        return hive.heard.historyOf(worker.id()).contains(event);
    }
}
