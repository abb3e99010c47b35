package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class IdleTimeoutTest {

    private final VirtualHive hive = VirtualHive.with(config -> config.idleTimeout(Duration.ofMinutes(5)));

    @Test
    void aWorkerIdleForFiveMinutesIsStoppedThoughItsHealthChecksPass() {
        String id = hive.spawnReady();

        hive.advance(Duration.ofMinutes(4));
        assertThat(hive.state(id)).isEqualTo(new Idle());
        assertThat(hive.probe.probes(id)).isPositive();
        hive.advance(Duration.ofMinutes(1));

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.exitOf(id)).hasValue(ExitStatus.requested(0));
        assertThat(hive.heard.historyOf(id))
                .containsExactly("Registered", "BecameReady", "IdleTimedOut", "StopStarted", "Removed");
        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.IDLE_TIMEOUT);
    }

    @Test
    void idleTimeIsCountedFromTheLastRelease() {
        String id = hive.spawnReady();
        hive.advance(Duration.ofMinutes(4));
        SlotLease lease = hive.lease(id);
        hive.advance(Duration.ofMinutes(30));
        assertThat(hive.state(id)).isEqualTo(new Busy());
        lease.close();

        hive.advance(Duration.ofMinutes(4));
        assertThat(hive.state(id)).isEqualTo(new Idle());
        hive.advance(Duration.ofMinutes(2).plusSeconds(1));

        assertThat(hive.isRemoved(id)).isTrue();
    }

    @Test
    void idleTimeIsCountedFromReadyAndNotFromTheStartOfTheLoad() {
        UnexpectedWarnings.expect(Warnings.NOT_READY + ": last health check: loading");
        String id = hive.spawnLoading();
        for (int minute = 0; minute < 10; minute++) {
            hive.processes.print(id, "loading");
            hive.advance(Duration.ofMinutes(1));
        }
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
        hive.probe.answerAll(io.github.workerregistry.health.HealthStatus.healthy());
        hive.advance(Duration.ofMinutes(4));

        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    @Test
    void aWorkerMayBeIdleWithoutLimitWithoutAnIdleTimeout() {
        VirtualHive hive = new VirtualHive();
        String id = hive.spawnReady();

        hive.advance(Duration.ofHours(5));

        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    @Test
    void aShortIdleTimeoutIsCheckedOftenEnough() {
        VirtualHive hive = VirtualHive.with(
                config -> config.idleTimeout(Duration.ofSeconds(2)).healthInterval(Duration.ofMillis(200)));
        String id = hive.spawnReady();

        hive.advance(Duration.ofMillis(1900));
        assertThat(hive.state(id)).isEqualTo(new Idle());
        hive.advance(Duration.ofMillis(600));

        assertThat(hive.isRemoved(id)).isTrue();
    }
}
