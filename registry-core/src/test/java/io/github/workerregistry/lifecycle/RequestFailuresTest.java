package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerState;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Stopping;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A worker that passes its health checks, but fails its requests: {@code requestFailureThreshold}. */
@ExtendWith(UnexpectedWarnings.class)
class RequestFailuresTest {

    private final IOException garbage = new IOException("CUDA error");

    /** The request fails, and the check that follows finds the worker alive. */
    private void failOne(VirtualHive hive, String id) {
        hive.lease(id).fail(garbage);
        hive.advance(Duration.ofMillis(200));
    }

    private static VirtualHive hive() {
        return VirtualHive.restarting();
    }

    @Test
    void thirdFailureInARowStopsTheWorkerAndARestartFollows() {
        UnexpectedWarnings.expect(Warnings.STOPPED + StopReason.REQUESTS_FAILED);
        VirtualHive hive = hive();
        String id = hive.spawnReady();
        failOne(hive, id);
        failOne(hive, id);
        assertThat(hive.state(id)).isEqualTo(new Idle());

        failOne(hive, id);

        assertThat(hive.state(id))
                .isInstanceOfSatisfying(
                        BackingOff.class,
                        backingOff -> assertThat(backingOff.exit().cause()).isEqualTo(Exit.Cause.REQUESTS_FAILED));
        hive.advance(Duration.ofSeconds(10));
        assertThat(hive.worker(id).restarts()).isEqualTo(1);
    }

    @Test
    void openLeasesAreDrainedFirst() {
        UnexpectedWarnings.expect(Warnings.STOPPED + StopReason.REQUESTS_FAILED);
        VirtualHive hive = hive();
        String id = hive.supervisor
                .spawn(VirtualHive.SPEC.toBuilder().slots(2).build())
                .id();
        hive.supervisor.reportReady(id);
        SlotLease open = hive.lease(id);
        for (int i = 0; i < 3; i++) {
            failOne(hive, id);
        }
        assertThat(hive.state(id)).isEqualTo(new Stopping(StopReason.REQUESTS_FAILED));
        assertThat(open.isValid()).isTrue();

        open.close();
        hive.advance(Duration.ofMillis(200));

        assertThat(hive.state(id)).isInstanceOf(BackingOff.class);
    }

    @Test
    void leaseThatIsClosedNormallyResetsTheCount() {
        VirtualHive hive = hive();
        String id = hive.spawnReady();
        for (int i = 0; i < 5; i++) {
            failOne(hive, id);
            failOne(hive, id);
            hive.lease(id).close();
        }

        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    @Test
    void failuresBeforeOneCheckCountAsOne() {
        VirtualHive hive = hive();
        String id = hive.supervisor
                .spawn(VirtualHive.SPEC.toBuilder().slots(8).build())
                .id();
        hive.supervisor.reportReady(id);
        SlotLease[] leases = new SlotLease[8];
        for (int i = 0; i < 8; i++) {
            leases[i] = hive.lease(id);
        }
        for (SlotLease lease : leases) {
            lease.fail(garbage);
        }
        hive.advance(Duration.ofMillis(200));

        assertThat(hive.state(id)).isEqualTo(new Idle());
        assertThat(hive.canLease(id)).isTrue();
    }

    @Test
    void nextGenerationBeginsAtZero() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        VirtualHive hive = hive();
        String id = hive.spawnReady();
        failOne(hive, id);
        failOne(hive, id);
        hive.processes.exit(id, 1);
        hive.advance(Duration.ofSeconds(10));
        assertThat(hive.state(id)).isEqualTo(new Idle());

        failOne(hive, id);

        assertThat(hive.state(id)).isEqualTo(new Idle());
    }

    @Test
    void thresholdIsASetting() {
        UnexpectedWarnings.expect(Warnings.STOPPED + StopReason.REQUESTS_FAILED);
        VirtualHive hive = VirtualHive.with(config -> config.requestFailureThreshold(1));
        String id = hive.spawnReady();

        failOne(hive, id);

        assertThat(hive.supervisor.recentExits()).extracting(Exit::cause).containsExactly(Exit.Cause.REQUESTS_FAILED);
    }

    @Test
    void workerRegisteredByTheHiveIsRemoved() {
        UnexpectedWarnings.expect(Warnings.STOPPED + StopReason.REQUESTS_FAILED);
        VirtualHive hive = hive();
        hive.register("own", new Idle());
        WorkerState before = hive.state("own");
        failOne(hive, "own");
        failOne(hive, "own");
        assertThat(hive.state("own")).isEqualTo(before);

        failOne(hive, "own");

        assertThat(hive.isRemoved("own")).isTrue();
    }
}
