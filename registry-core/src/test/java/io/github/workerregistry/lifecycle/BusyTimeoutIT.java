package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.SLEEP;
import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static io.github.workerregistry.lifecycle.RealHive.isRunning;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.RawServer;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Busy timeouts of real processes. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class BusyTimeoutIT {

    @RegisterExtension
    final RealHive hive = new RealHive();

    @Test
    void aWorkerIsStoppedAtItsBusyTimeout() {
        UnexpectedWarnings.expect(Warnings.NO_LEASE_ACTIVITY + " for PT1S");
        WorkerSupervisor supervisor = hive.supervise(RealHive.config().busyTimeout(Duration.ofSeconds(1)));
        WorkerInfo hung = hive.spawnReady(supervisor, SLEEP);
        WorkerInfo idle = hive.spawnReady(supervisor, SLEEP);
        SlotLease lease = hive.registry.tryAcquireFrom(hung.id()).orElseThrow();

        hive.awaitRemoved(hung);

        assertThat(isRunning(hung)).isFalse();
        assertThat(lease.isValid()).isFalse();
        assertThat(supervisor.recentExits())
                .singleElement()
                .extracting(Exit::cause)
                .isEqualTo(Exit.Cause.BUSY_TIMEOUT);
        assertThat(hive.state(idle)).isEqualTo(new Idle());
    }

    /** The same answers stop it once the lease is released, so they do count. */
    @Test
    void failedHealthChecksDoNotStopABusyWorker() {
        UnexpectedWarnings.expect("2 health checks failed in a row");
        WorkerSupervisor supervisor = hive.supervise(
                RealHive.config().healthInterval(Duration.ofMillis(100)).failureThreshold(2));
        try (RawServer unhealthy = RawServer.saying(RawServer.status(500))) {
            WorkerInfo worker = hive.spawnReady(supervisor, SLEEP, unhealthy.url());
            SlotLease lease = hive.registry.tryAcquireFrom(worker.id()).orElseThrow();
            int before = unhealthy.requests().size();

            eventually().until(() -> unhealthy.requests().size() >= before + 6);
            assertThat(hive.state(worker)).isEqualTo(new Busy());
            assertThat(isRunning(worker)).isTrue();
            assertThat(lease.isValid()).isTrue();
            lease.close();
            hive.awaitRemoved(worker);

            assertThat(supervisor.recentExits())
                    .singleElement()
                    .extracting(Exit::cause)
                    .isEqualTo(Exit.Cause.UNHEALTHY);
        }
    }
}
