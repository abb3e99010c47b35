package io.github.workerregistry.lifecycle;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.workerregistry.Exit;
import io.github.workerregistry.NoWorkerException;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotTimeoutException;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The messages of refused requests, over the life cycle of a worker. */
@ExtendWith(UnexpectedWarnings.class)
class SlotRefusalTest {

    private static final String LINE = "python3: can't open file 'serve.py'";

    private final VirtualHive hive = VirtualHive.restarting();

    private Throwable refused() {
        return requireNonNull(catchThrowable(() -> hive.registry.acquire("tiny", Duration.ZERO)));
    }

    /** Regression: of 1,000 refusals for a model whose program is missing, 867 did not name the reason. */
    @Test
    void everyRefusalDuringACrashLoopNamesTheLastLineOfOutput() {
        UnexpectedWarnings.expect(Warnings.CRASHED, Warnings.CRASH_LOOP);
        String id = hive.spawnLoading();
        List<Throwable> refusals = new ArrayList<>();
        while (!hive.isRemoved(id)) {
            if (hive.state(id) instanceof Loading) {
                hive.processes.print(id, LINE);
                hive.processes.exit(id, 2);
            }
            refusals.add(refused());
            hive.advance(Duration.ofMillis(100));
        }
        for (int minute = 0; minute < 9; minute++) {
            refusals.add(refused());
            hive.advance(Duration.ofMinutes(1));
        }

        assertThat(refusals)
                .hasSizeGreaterThan(100)
                .allSatisfy(
                        e -> assertThat(e).hasMessageContainingAll("last failure", "worker " + id, "exit code 2", LINE))
                .hasAtLeastOneElementOfType(SlotTimeoutException.class)
                .hasAtLeastOneElementOfType(NoWorkerException.class);
        assertThat(refused()).hasMessageContaining("CRASH_LOOP");
    }

    @Test
    void aRefusalNamesAFailedRestart() {
        UnexpectedWarnings.expect(Warnings.CRASHED, Warnings.START_FAILED);
        String id = hive.spawnReady();
        hive.processes.failNextStart("no such file");
        hive.processes.exit(id, 1);
        hive.advanceSeconds(2);

        assertThat(refused()).hasMessageContainingAll("START_FAILED", "no such file");
    }

    @Test
    void refusalsNameTheShutdownFromItsStartUntilAfterItsEnd() {
        String id = hive.spawnReady();
        SlotLease lease = hive.lease(id);

        hive.supervisor.shutdown(Duration.ofSeconds(20));
        NoWorkerException draining = requireNonNull(catchThrowableOfType(
                NoWorkerException.class, () -> hive.registry.acquire("tiny", Duration.ofSeconds(30))));
        lease.close();
        hive.advanceSeconds(1);
        NoWorkerException removed = requireNonNull(catchThrowableOfType(
                NoWorkerException.class, () -> hive.registry.acquire("tiny", Duration.ofSeconds(30))));

        assertThat(List.of(draining, removed))
                .allMatch(NoWorkerException::isShuttingDown)
                .allSatisfy(e -> assertThat(e).hasMessageContaining("the hive is shutting down"));
        assertThat(hive.isRemoved(id)).isTrue();
    }

    /** It has no process, so it is removed without a stop. */
    @Test
    void refusalsNameTheShutdownIfTheOnlyWorkerWasInBackoff() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);

        hive.supervisor.shutdown(Duration.ofSeconds(20));

        assertThat(refused())
                .isInstanceOf(NoWorkerException.class)
                .hasMessageContainingAll("the hive is shutting down", Exit.Cause.CRASHED.name());
    }
}
