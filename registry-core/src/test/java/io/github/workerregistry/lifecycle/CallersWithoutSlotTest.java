package io.github.workerregistry.lifecycle;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.github.workerregistry.Exit;
import io.github.workerregistry.NoSuchModelException;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotTimeoutException;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What callers are told that get no slot, over a whole life of a worker. */
@ExtendWith(UnexpectedWarnings.class)
class CallersWithoutSlotTest {

    private static final String LINE = "python3: can't open file 'serve.py'";

    private final VirtualHive hive = VirtualHive.restarting();

    private Throwable refused() {
        return requireNonNull(catchThrowable(() -> hive.registry.acquire("tiny", Duration.ZERO)));
    }

    /** Of 1,000 callers of a model whose program is missing, 867 were not told why. */
    @Test
    void everyCallerOfAModelInACrashLoopIsToldTheLastLineOfItsOutput() {
        UnexpectedWarnings.expect("is gone: CRASHED", "is gone: CRASH_LOOP");
        String id = hive.spawnLoading();
        List<Throwable> told = new ArrayList<>();
        while (!hive.isGone(id)) {
            if (hive.state(id) instanceof Loading) {
                hive.processes.print(id, LINE);
                hive.processes.exit(id, 2);
            }
            told.add(refused());
            hive.advance(Duration.ofMillis(100));
        }
        for (int minute = 0; minute < 9; minute++) {
            told.add(refused());
            hive.advance(Duration.ofMinutes(1));
        }

        assertThat(told)
                .hasSizeGreaterThan(100)
                .allSatisfy(
                        e -> assertThat(e).hasMessageContainingAll("last failure", "worker " + id, "exit code 2", LINE))
                .hasAtLeastOneElementOfType(SlotTimeoutException.class)
                .hasAtLeastOneElementOfType(NoSuchModelException.class);
        assertThat(refused()).hasMessageContaining("CRASH_LOOP");
    }

    @Test
    void aStartThatFailsAgainIsTold() {
        UnexpectedWarnings.expect("is gone: CRASHED", "is gone: START_FAILED");
        String id = hive.spawnReady();
        hive.processes.failNextStart("no such file");
        hive.processes.exit(id, 1);
        hive.advanceSeconds(2);

        assertThat(refused()).hasMessageContainingAll("START_FAILED", "no such file");
    }

    @Test
    void callersOfAHiveThatShutsDownAreToldSoFromTheBeginningToLongAfterItsEnd() {
        String id = hive.spawnReady();
        SlotLease lease = hive.lease(id);

        hive.supervisor.shutdown(Duration.ofSeconds(20));
        NoSuchModelException draining = requireNonNull(catchThrowableOfType(
                NoSuchModelException.class, () -> hive.registry.acquire("tiny", Duration.ofSeconds(30))));
        lease.close();
        hive.advanceSeconds(1);
        NoSuchModelException gone = requireNonNull(catchThrowableOfType(
                NoSuchModelException.class, () -> hive.registry.acquire("tiny", Duration.ofSeconds(30))));

        assertThat(List.of(draining, gone))
                .allMatch(NoSuchModelException::isShuttingDown)
                .allSatisfy(e -> assertThat(e).hasMessageContaining("the hive is shutting down"));
        assertThat(hive.isGone(id)).isTrue();
    }

    /** It has no process, so it is removed without a stop. */
    @Test
    void callersAreToldSoTooIfTheOnlyWorkerBackedOff() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive.spawnReady();
        hive.processes.exit(id, 1);

        hive.supervisor.shutdown(Duration.ofSeconds(20));

        assertThat(refused())
                .isInstanceOf(NoSuchModelException.class)
                .hasMessageContainingAll("the hive is shutting down", Exit.Cause.CRASHED.name());
    }
}
