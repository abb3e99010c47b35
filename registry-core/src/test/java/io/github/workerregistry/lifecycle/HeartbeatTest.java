package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class HeartbeatTest {

    private final VirtualHive hive = new VirtualHive();

    @Test
    void aWorkerThatNeverSentAHeartbeatIsNotEvaluated() {
        String id = hive.spawnReady();
        hive.advanceSeconds(600);
        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    @Test
    void aWorkerThatMissesThreeHeartbeatsIsStopped() {
        UnexpectedWarnings.expect(Warnings.NO_HEARTBEAT + " for PT15S");
        String id = hive.spawnReady();
        for (int i = 0; i < 10; i++) {
            hive.registry.heartbeat(id);
            hive.advanceSeconds(5);
        }

        hive.advanceSeconds(10);
        assertThat(hive.state(id)).isEqualTo(new Idle());
        hive.advance(Duration.ofMillis(300));

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.HEARTBEAT_MISSED);
    }

    @Test
    void aHeartbeatInTheTickOfItsDeadlineIsInTime() {
        String id = hive.spawnReady();
        hive.registry.heartbeat(id);
        hive.advance(Duration.ofMillis(15_100));

        hive.registry.heartbeat(id);
        hive.advance(Duration.ofSeconds(15));

        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    @Test
    void aBusyWorkerThatMissesHeartbeatsIsStopped() {
        UnexpectedWarnings.expect(Warnings.NO_HEARTBEAT);
        String id = hive.spawnReady();
        hive.registry.heartbeat(id);
        hive.lease(id);
        hive.advanceSeconds(16);
        assertThat(hive.isRemoved(id)).isTrue();
    }

    @Test
    void oneOfManyThatMissesHeartbeatsIsNotSuspected() {
        UnexpectedWarnings.expect(Warnings.NO_HEARTBEAT);
        List<String> ids = Stream.generate(hive::spawnReady).limit(4).toList();
        for (int second = 0; second < 20; second++) {
            ids.stream().skip(second == 0 ? 0 : 1).forEach(hive.registry::heartbeat);
            hive.advanceSeconds(1);
        }

        assertThat(hive.processes.running()).containsExactlyElementsOf(ids.subList(1, 4));
        assertThat(hive.heard.historyOf(ids.get(0))).doesNotContain("Suspected");
    }

    @Test
    void aHeartbeatWhileAnotherWorkerIsStoppedIsInTime() {
        UnexpectedWarnings.expect(Warnings.NO_HEARTBEAT);
        String first = hive.spawnReady();
        String second = hive.spawnReady();
        hive.registry.heartbeat(first);
        hive.registry.heartbeat(second);
        hive.registry.subscribe(
                event -> {
                    if (event instanceof WorkerEvent.StopStarted) {
                        hive.registry.heartbeat(second);
                    }
                },
                Runnable::run);

        hive.advanceSeconds(16);

        assertThat(hive.isRemoved(first)).isTrue();
        assertThat(hive.state(second)).isEqualTo(new Idle());
    }

    @Test
    void aWorkerRegisteredWithAnOldHeartbeatHasAFullDeadline() {
        UnexpectedWarnings.expect(Warnings.NO_HEARTBEAT);
        hive.registry.register(WorkerInfo.builder()
                .id("old")
                .url("http://elsewhere")
                .modelRef("m")
                .state(new Idle())
                .startedAt(hive.time.instant().minusSeconds(3600))
                .lastHeartbeat(hive.time.instant().minusSeconds(3600))
                .build());

        hive.advanceSeconds(15);
        assertThat(hive.state("old")).isEqualTo(new Idle());
        hive.advanceSeconds(1);

        assertThat(hive.isRemoved("old")).isTrue();
    }

    @Test
    void aStoppingWorkerIsNotEvaluated() {
        String id = hive.spawnReady();
        hive.registry.heartbeat(id);
        hive.lease(id);
        hive.supervisor.stop(id);

        hive.advanceSeconds(25);

        assertThat(hive.state(id).label()).isEqualTo("stopping");
        assertThat(hive.exitOf(id)).isEmpty();
    }

    @Test
    void aHeartbeatOrAProgressReportIsProgressOfALoad() {
        UnexpectedWarnings.expect(Warnings.NOT_READY, Warnings.NO_PROGRESS);
        VirtualHive hive = VirtualHive.with(config -> config.heartbeatInterval(Duration.ofSeconds(100)));
        String id = hive.spawnLoading();
        for (int i = 0; i < 5; i++) {
            hive.advanceSeconds(100);
            hive.registry.heartbeat(id);
            hive.advanceSeconds(100);
            assertThat(hive.supervisor.reportProgress(id)).isTrue();
        }
        assertThat(hive.state(id)).isInstanceOf(Loading.class);

        hive.advanceSeconds(125);

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.supervisor.reportProgress(id)).isFalse();
    }
}
