package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.ForwardingProcess;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Processes that survive SIGKILL. Regression: they were never signalled again, and later stops failed at once. */
@ExtendWith(UnexpectedWarnings.class)
class UnkillableTest {

    private final AtomicInteger kills = new AtomicInteger();
    private boolean canBeSeen = true;
    private final FakeProcessController processes = new FakeProcessController();
    private final VirtualHive hive = new VirtualHive(builder -> builder.processController(this::start));
    private final String id = hive.spawnReady();

    private WorkerProcess start(ProcessSpec spec) {
        return new ForwardingProcess(processes.start(spec)) {
            @Override
            public void kill() {
                kills.incrementAndGet();
                super.kill();
            }

            @Override
            public boolean survivesKill() {
                return canBeSeen && super.survivesKill();
            }
        };
    }

    private void findUnkillable() {
        UnexpectedWarnings.expect(Warnings.UNKILLABLE);
        processes.ignoreKill(id);
        CompletionStage<ExitStatus> killed = hive.supervisor.forceKill(id);
        hive.advanceSeconds(6);
        assertThat(killed.toCompletableFuture()).isCompletedExceptionally();
        kills.set(0);
    }

    enum End {
        STOP,
        FORCE_KILL,
        SHUTDOWN;

        CompletionStage<?> of(String id, WorkerSupervisor supervisor) {
            return switch (this) {
                case STOP -> supervisor.stop(id);
                case FORCE_KILL -> supervisor.forceKill(id);
                case SHUTDOWN -> supervisor.shutdown(Duration.ofSeconds(5));
            };
        }
    }

    @ParameterizedTest
    @EnumSource
    void anUnkillableProcessIsKilledAgainByTheNextStop(End end) {
        findUnkillable();

        CompletableFuture<?> ended = end.of(id, hive.supervisor).toCompletableFuture();

        assertThat(kills).hasValue(1);
        assertThat(ended).as("pending again").isNotDone();
        processes.exit(id, 137);
        assertThat(ended).isCompleted();
        assertThat(hive.isRemoved(id)).isTrue();
    }

    @Test
    void anUnkillableProcessCanBeReportedAgain() {
        findUnkillable();

        CompletionStage<ExitStatus> killed = hive.supervisor.forceKill(id);
        hive.advance(Duration.ofMillis(4_900));
        assertThat(killed.toCompletableFuture()).isNotDone();
        hive.advance(Duration.ofMillis(200));

        assertThat(killed.toCompletableFuture()).isCompletedExceptionally();
        assertThat(kills).as("once a second").hasValue(5);
    }

    @Test
    void aRestartOfAnUnkillableProcessFailsAtItsExit() {
        findUnkillable();

        CompletableFuture<WorkerInfo> restarted = hive.restart(id);
        assertThat(restarted).isNotDone();
        processes.exit(id, 137);

        assertThat(restarted).as("the stop before it is final").isCompletedExceptionally();
        assertThat(hive.isRemoved(id)).isTrue();
    }

    /** For example, no file descriptor is free: the kill was not sent, or its effect cannot be read. */
    @Test
    void aProcessWhoseStateIsUnreadableIsKilledUntilItIsReadable() {
        UnexpectedWarnings.expect(Warnings.UNKILLABLE);
        processes.ignoreKill(id);
        canBeSeen = false;
        CompletionStage<ExitStatus> killed = hive.supervisor.forceKill(id);

        hive.advance(Duration.ofMinutes(1));
        assertThat(killed.toCompletableFuture()).isNotDone();
        assertThat(kills).hasValueGreaterThan(50);
        canBeSeen = true;
        hive.advance(Duration.ofMillis(4_800));
        assertThat(killed.toCompletableFuture())
                .as("the whole kill timeout from then on")
                .isNotDone();
        hive.advance(Duration.ofMillis(300));

        assertThat(killed.toCompletableFuture()).isCompletedExceptionally();
    }

    @Test
    void aLateExitOfAnUnkillableProcessIsDetected() {
        findUnkillable();

        hive.advance(Duration.ofHours(1));
        processes.exitUnnoticed(id, 137);
        hive.advance(Duration.ofMillis(100));

        assertThat(hive.isRemoved(id)).isTrue();
    }

    @Test
    void aSecondShutdownKillsAnUnkillableProcessAgainAndKeepsTheReport() {
        UnexpectedWarnings.expect(Warnings.UNKILLABLE);
        processes.ignoreKill(id);
        CompletableFuture<ShutdownReport> report = hive.shutdown(Duration.ofSeconds(5));
        hive.advanceSeconds(11);
        assertThat(report).isCompletedWithValue(new ShutdownReport(1, 0, 0, 0, 1));
        kills.set(0);

        CompletableFuture<ShutdownReport> again = hive.shutdown(Duration.ofSeconds(5));

        assertThat(kills).hasValue(1);
        assertThat(again).isCompletedWithValue(report.join());
        assertThat(hive.forceKill(id)).isCompletedExceptionally();
    }
}
