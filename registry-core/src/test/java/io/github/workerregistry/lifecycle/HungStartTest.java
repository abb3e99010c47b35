package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.FailedStage.assertFailedWith;
import static io.github.workerregistry.lifecycle.OnePort.withId;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.process.SpawnException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Starts that do not return, or not in time: whether the worker can still be stopped, and what is left of it. */
@ExtendWith(UnexpectedWarnings.class)
class HungStartTest {

    private static final String STOPPED = "was stopped during its start";

    @RegisterExtension
    private final BlockedStart blocked = new BlockedStart();

    private final OnePort onePort = blocked.onePort;

    /** Regression: its stage never completed, and its id and port stayed in use. */
    @Test
    void aForceKillAbandonsAHungStartAtTheKillTimeout() {
        UnexpectedWarnings.expect(STOPPED);
        String id = blocked.begin();
        VirtualHive hive = blocked.hive;

        CompletableFuture<ExitStatus> killed = hive.forceKill(id);
        hive.advance(Duration.ofMillis(4_900));
        assertThat(killed).isNotDone();
        assertThat(hive.state(id).label()).isEqualTo("stopping");
        hive.advance(Duration.ofMillis(200));

        assertThat(killed).isCompletedWithValue(ExitStatus.requested(127));
        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.lastExit().cause()).isEqualTo(Exit.Cause.START_FAILED);
        assertThat(hive.lastExit().generation()).isEqualTo(2);
        blocked.onePort.assertNoProcessAndNoPort(hive);
    }

    @Test
    void stagesOfAHungStartFailWhenItIsAbandoned() {
        UnexpectedWarnings.expect(STOPPED);
        String id = blocked.begin();
        VirtualHive hive = blocked.hive;
        CompletableFuture<WorkerInfo> restarted = hive.restart(id);
        CompletableFuture<WorkerInfo> ready = hive.whenReady(id);

        hive.supervisor.forceKill(id);
        hive.advanceSeconds(6);

        assertFailedWith(WorkerEndedException.class, restarted);
        assertFailedWith(WorkerEndedException.class, ready);
    }

    @Test
    void aShutdownAbandonsAHungStartAndCountsNoProcess() {
        UnexpectedWarnings.expect(STOPPED);
        String id = blocked.begin();
        VirtualHive hive = blocked.hive;

        CompletableFuture<ShutdownReport> report = hive.shutdown(Duration.ofSeconds(5));
        hive.advanceSeconds(9);
        assertThat(report).isNotDone();
        hive.advanceSeconds(2);

        assertThat(report).isCompletedWithValue(new ShutdownReport(0, 0, 0, 0, 0));
        assertThat(hive.isRemoved(id)).isTrue();
    }

    /** The load stalls before its start returns: the next generation is started, and the old start is abandoned. */
    @Test
    void aStartLongerThanTheLoadStallTimeoutIsRetried() throws Exception {
        UnexpectedWarnings.expect(Warnings.NOT_READY);
        UnexpectedWarnings.expect(STOPPED, Warnings.NO_PROGRESS);
        String id = blocked.begin();
        VirtualHive hive = blocked.hive;

        hive.advance(Duration.ofMinutes(2).plusSeconds(16));

        assertThat(hive.lastExit().cause()).isEqualTo(Exit.Cause.START_FAILED);
        assertThat(hive.attempt(id)).isEqualTo(2);
        blocked.finish();
        assertThat(hive.processes.running()).isEmpty();
        assertThat(hive.worker(id).pid()).isEmpty();
    }

    /** The start is abandoned while it is still in progress, on the same thread. */
    @Test
    void aSpawnAbandonedDuringItsStartFailsAndLeavesNothing() {
        UnexpectedWarnings.expect(STOPPED);
        List<CompletableFuture<ExitStatus>> killed = new ArrayList<>();
        VirtualHive hive = onePort.hive((self, builder) -> builder.processController(spec -> {
            killed.add(self.forceKill(spec.workerId()));
            self.advanceSeconds(60);
            assertThat(self.isRemoved(spec.workerId())).isTrue();
            return blocked.counted(self.processes.start(spec));
        }));

        assertThatThrownBy(() -> hive.supervisor.spawn(OnePort.SPEC))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("stopped before its process was started");

        assertThat(killed)
                .singleElement()
                .satisfies(stage -> assertThat(stage).isCompletedWithValue(ExitStatus.requested(127)));
        assertThat(hive.processes.starts()).isEqualTo(1);
        hive.time.runDueTasks();
        assertThat(blocked.released).hasValue(1);
        assertThat(hive.registry.list()).isEmpty();
        onePort.assertNoProcessAndNoPort(hive);
    }

    @Test
    void anAbandonedSpawnThatFailsLeavesTheNextWorkerWithItsIdAlone() {
        UnexpectedWarnings.expect(STOPPED);
        AtomicBoolean nested = new AtomicBoolean();
        List<WorkerInfo> others = new ArrayList<>();
        VirtualHive hive = onePort.hive((self, builder) -> builder.processController(spec -> {
            if (nested.getAndSet(true)) {
                return self.processes.start(spec);
            }
            self.supervisor.forceKill("w1");
            self.advanceSeconds(60);
            others.add(self.supervisor.spawn(withId("w1")));
            throw new SpawnException(spec.command(), "at last", null);
        }));

        assertThatThrownBy(() -> hive.supervisor.spawn(withId("w1"))).isInstanceOf(SpawnException.class);

        assertThat(hive.registry.list()).isEqualTo(others);
        assertThat(hive.processes.running()).containsExactly("w1");
        assertThatThrownBy(onePort.ports::acquire).isInstanceOf(PortsExhaustedException.class);
    }

    @Test
    void aCloseDuringASpawnKillsItsProcess() {
        VirtualHive hive = onePort.hive((self, builder) -> builder.processController(spec -> {
            self.supervisor.closeNow();
            return self.processes.start(spec);
        }));

        hive.supervisor.spawn(OnePort.SPEC);

        assertThat(hive.registry.list()).isEmpty();
        onePort.assertNoProcessAndNoPort(hive);
    }
}
