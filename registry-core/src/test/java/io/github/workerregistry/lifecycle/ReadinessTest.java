package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.health.HealthStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Loading workers: when they are probed, and what makes them ready. */
@ExtendWith(UnexpectedWarnings.class)
class ReadinessTest {

    private final VirtualHive hive = new VirtualHive();

    @Test
    void theFirstHealthyProbeMakesALoadingWorkerReady() {
        UnexpectedWarnings.expect(Warnings.NOT_READY + ": last health check: loading");
        String id = hive.spawnLoading();
        hive.advanceSeconds(10);
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
        assertThat(hive.worker(id).failedHealthChecks()).isZero();

        hive.probe.answerAll(HealthStatus.healthy());
        hive.advance(Duration.ofMillis(1100));

        assertThat(hive.state(id)).isEqualTo(new Idle());
        assertThat(hive.heard.historyOf(id)).containsExactly("Registered", "BecameReady");
    }

    @Test
    void readinessIsProbedAfter250MillisThenAtDoublingIntervalsUpToASecond() {
        String id = hive.spawnLoading();
        List<Integer> probes = new ArrayList<>();
        for (int tick = 1; tick <= 50; tick++) {
            hive.advance(Duration.ofMillis(100));
            while (probes.size() < hive.probe.probes(id)) {
                probes.add(tick * 100);
            }
        }
        assertThat(probes).as("rounded up to ticks").containsExactly(300, 800, 1800, 2800, 3800, 4800);
    }

    @Test
    void reportReadyMakesALoadingWorkerReadyBeforeAnyProbe() {
        String id = hive.spawnLoading();

        assertThat(hive.supervisor.reportReady(id)).isTrue();

        assertThat(hive.state(id)).isEqualTo(new Idle());
        assertThat(hive.supervisor.reportReady(id))
                .as("a second call-back changes nothing")
                .isTrue();
        assertThat(hive.heard.historyOf(id)).containsExactly("Registered", "BecameReady");
    }

    @Test
    void reportReadyOfABusyWorkerDoesNotChangeItsLeases() {
        String id = hive.spawnReady();
        SlotLease lease = hive.lease(id);

        assertThat(hive.supervisor.reportReady(id)).isTrue();

        assertThat(hive.state(id)).isEqualTo(new Busy());
        assertThat(lease.isValid()).isTrue();
    }

    @Test
    void reportReadyFailsForUnknownAndStoppingWorkers() {
        String id = hive.spawnReady();
        hive.processes.ignoreTerminate(id);
        hive.supervisor.stop(id);

        assertThat(hive.supervisor.reportReady(id)).isFalse();
        assertThat(hive.supervisor.reportReady("unknown")).isFalse();
    }

    @Test
    void aSlowLoadWithProgressIsNotStoppedAndASilentOneIs() {
        UnexpectedWarnings.expect(Warnings.NOT_READY, Warnings.NO_PROGRESS + " for PT2M");
        String id = hive.spawnLoading();
        for (int minute = 0; minute < 30; minute++) {
            hive.advanceSeconds(60);
            hive.processes.print(id, "loaded " + minute + " of 30");
        }
        assertThat(hive.state(id)).isInstanceOf(Loading.class);

        hive.advanceSeconds(120); // from when the output was read
        assertThat(hive.state(id)).isInstanceOf(Loading.class);
        hive.advanceSeconds(1);

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.supervisor.recentExits()).singleElement().satisfies(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.LOAD_STALL);
            assertThat(exit.output()).last().isEqualTo("loaded 29 of 30");
        });
    }
}
