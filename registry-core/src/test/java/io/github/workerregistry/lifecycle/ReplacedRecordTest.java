package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.OnePort.spawnCrashed;
import static io.github.workerregistry.lifecycle.OnePort.spawnReady;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** The hive removes a worker's record and registers another one with its id. */
@ExtendWith(UnexpectedWarnings.class)
class ReplacedRecordTest {

    private final OnePort onePort = new OnePort();
    private final VirtualHive hive = onePort.hive();

    @Test
    void aReplacedRecordOfAWorkerInBackoffIsNotChanged() {
        String id = spawnCrashed(hive);

        WorkerInfo own = hive.replaceRecord(id);
        hive.advanceSeconds(60);

        assertThat(hive.registry.get(id))
                .hasValueSatisfying(now -> assertThat(now.url()).isEqualTo(own.url()));
        assertThat(hive.processes.starts()).isEqualTo(1);
        onePort.assertPortIsFree();
    }

    @Test
    void aReplacedRecordIsRemovedAtTheIdleTimeout() {
        VirtualHive idling = onePort.hive(builder -> builder.lifecycle(LifecycleConfig.builder()
                .idleTimeout(Duration.ofSeconds(30))
                .idleCheckInterval(Duration.ofSeconds(1))
                .build()));
        String id = spawnCrashed(idling);

        idling.replaceRecord(id);
        idling.advanceSeconds(60);

        onePort.assertNothingLeft(idling, id);
        assertThat(idling.registry.stats().ended(Exit.Cause.IDLE_TIMEOUT)).isEqualTo(1);
    }

    @Test
    void aCrashDoesNotChangeAReplacedRecord() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = spawnReady(hive);
        WorkerInfo own = hive.replaceRecord(id);

        hive.processes.exit(id, 1);
        onePort.assertPortIsFree(); // at once
        hive.advanceSeconds(60);

        assertThat(hive.registry.get(id))
                .hasValueSatisfying(now -> assertThat(now.url()).isEqualTo(own.url()));
        assertThat(hive.processes.starts()).isEqualTo(1);
    }
}
