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
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Real processes that are at work for long. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class BusyLimitIT {

    @RegisterExtension
    final RealHive hive;

    BusyLimitIT(@TempDir Path directory) {
        hive = new RealHive(directory);
    }

    @Test
    void aWorkerInWhichNothingMovesIsEndedAtItsBusyLimit() {
        UnexpectedWarnings.expect("nothing moved for PT1S");
        WorkerSupervisor supervisor = hive.supervise(RealHive.config().busyLimit(Duration.ofSeconds(1)));
        WorkerInfo hung = hive.spawnReady(supervisor, SLEEP);
        WorkerInfo idle = hive.spawnReady(supervisor, SLEEP);
        SlotLease lease = hive.registry.tryAcquireFrom(hung.id()).orElseThrow();

        hive.awaitGone(hung);

        assertThat(isRunning(hung)).isFalse();
        assertThat(lease.isValid()).isFalse();
        assertThat(supervisor.recentExits())
                .singleElement()
                .extracting(Exit::cause)
                .isEqualTo(Exit.Cause.BUSY_LIMIT);
        assertThat(hive.state(idle)).isEqualTo(new Idle());
    }

    /** The same answers end it as soon as the lease is given back, so they were bad enough. */
    @Test
    void withoutALimitFailedProbesDoNotEndAWorkerWhileALeaseIsOpen() {
        UnexpectedWarnings.expect("is given up after 2 failed health checks");
        WorkerSupervisor supervisor = hive.supervise(
                RealHive.config().healthInterval(Duration.ofMillis(100)).failureThreshold(2));
        try (RawServer ill = RawServer.saying(RawServer.status(500))) {
            WorkerInfo worker = hive.spawnReady(supervisor, SLEEP, ill.url());
            SlotLease lease = hive.registry.tryAcquireFrom(worker.id()).orElseThrow();
            int before = ill.requests().size();

            eventually().until(() -> ill.requests().size() >= before + 6);
            assertThat(hive.state(worker)).isEqualTo(new Busy());
            assertThat(isRunning(worker)).isTrue();
            assertThat(lease.isValid()).isTrue();
            lease.close();
            hive.awaitGone(worker);

            assertThat(supervisor.recentExits())
                    .singleElement()
                    .extracting(Exit::cause)
                    .isEqualTo(Exit.Cause.UNHEALTHY);
        }
    }
}
