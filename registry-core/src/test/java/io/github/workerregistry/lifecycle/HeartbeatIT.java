package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.SLEEP;
import static io.github.workerregistry.lifecycle.RealHive.isRunning;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Idle;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Heartbeats of real processes. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class HeartbeatIT {

    @RegisterExtension
    final RealHive hive = new RealHive();

    @Test
    void onlyAWorkerThatMissesHeartbeatsIsStopped() {
        UnexpectedWarnings.expect(Warnings.STOPPED + "HEARTBEAT_MISSED, no heartbeat for PT1S");
        WorkerSupervisor supervisor = hive.supervise(
                RealHive.config().heartbeatInterval(Duration.ofMillis(250)).heartbeatMisses(4));
        WorkerInfo silent = hive.spawnReady(supervisor, SLEEP);
        WorkerInfo beating = hive.spawnReady(supervisor, SLEEP);
        WorkerInfo never = hive.spawnReady(supervisor, SLEEP);
        var beats = hive.scheduler.scheduleWithFixedDelay(
                () -> hive.registry.heartbeat(beating.id()), 0, 50, TimeUnit.MILLISECONDS);

        assertThat(hive.registry.heartbeat(silent.id())).isTrue();
        hive.awaitRemoved(silent);
        beats.cancel(false);

        assertThat(isRunning(silent)).isFalse();
        assertThat(supervisor.recentExits()).singleElement().satisfies(exit -> {
            assertThat(exit.workerId()).isEqualTo(silent.id());
            assertThat(exit.cause()).isEqualTo(Exit.Cause.HEARTBEAT_MISSED);
            assertThat(exit.status().requested()).isTrue();
        });
        assertThat(hive.state(beating)).isEqualTo(new Idle());
        assertThat(hive.state(never)).isEqualTo(new Idle());
        assertThat(isRunning(beating)).isTrue();
        assertThat(isRunning(never)).isTrue();
    }
}
