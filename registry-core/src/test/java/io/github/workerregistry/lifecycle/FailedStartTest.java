package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.FailedStage.assertFailedWith;
import static io.github.workerregistry.lifecycle.FailedStage.failureOf;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessIdentity;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.ForwardingProcess;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Starts that fail: a controller that fails or gives an incomplete process, an executor that refuses, a stop meanwhile.
 */
@ExtendWith(UnexpectedWarnings.class)
class FailedStartTest {

    private final OnePort onePort = new OnePort();

    /** Starts the processes, in place of the fake controller of the hive. */
    private ProcessController controller = spec -> this.hive.processes.start(spec);

    private final VirtualHive hive = onePort.hive(builder -> builder.processController(spec -> controller.start(spec)));

    enum Fault {
        IDENTITY_THROWS,
        NO_IDENTITY,
        ON_EXIT_THROWS,
        NO_ON_EXIT
    }

    /** A process without an identity or an exit stage. */
    private static class IncompleteProcess extends ForwardingProcess {
        private final Fault fault;

        IncompleteProcess(WorkerProcess process, Fault fault) {
            super(process);
            this.fault = fault;
        }

        @Override
        public ProcessIdentity identity() {
            return switch (fault) {
                case IDENTITY_THROWS -> throw new IllegalStateException("broken");
                case NO_IDENTITY -> null;
                case ON_EXIT_THROWS, NO_ON_EXIT -> super.identity();
            };
        }

        @Override
        public CompletionStage<ExitStatus> onExit() {
            return switch (fault) {
                case ON_EXIT_THROWS -> throw new IllegalStateException("broken");
                case NO_ON_EXIT -> null;
                case IDENTITY_THROWS, NO_IDENTITY -> super.onExit();
            };
        }
    }

    private void startIncompleteProcesses(Fault fault) {
        controller = spec -> new IncompleteProcess(hive.processes.start(spec), fault);
    }

    private void startCompleteProcesses() {
        controller = spec -> hive.processes.start(spec);
    }

    @ParameterizedTest
    @EnumSource
    void aSpawnWithAnIncompleteProcessFailsAndLeavesNothing(Fault fault) {
        startIncompleteProcesses(fault);

        assertThatThrownBy(() -> hive.supervisor.spawn(OnePort.SPEC))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("controller failed");

        assertThat(hive.registry.list()).isEmpty();
        assertThat(hive.processes.starts()).isEqualTo(1);
        onePort.assertNoProcessAndNoPort(hive);
    }

    private static String nameOf(ProcessSpec spec) {
        return "worker " + new WorkerName(spec.workerId(), OnePort.SPEC.modelRef(), 1);
    }

    /** Regression: the warning named neither the worker nor the process. */
    @Test
    void aProcessThatCannotBeKilledAfterAFailedStartIsNamed() {
        controller = spec -> {
            WorkerProcess process = hive.processes.start(spec);
            UnexpectedWarnings.expect(nameOf(spec) + ": process "
                    + process.identity().pid() + " could not be killed after a failed start");
            return unkillable(process, Fault.NO_ON_EXIT);
        };

        assertThatThrownBy(() -> hive.supervisor.spawn(OnePort.SPEC)).isInstanceOf(SpawnException.class);
    }

    @ParameterizedTest
    @EnumSource(names = {"IDENTITY_THROWS", "NO_IDENTITY"})
    void aProcessWithoutAnIdentityThatCannotBeKilledIsReported(Fault fault) {
        controller = spec -> {
            UnexpectedWarnings.expect(nameOf(spec) + ": process without a known pid could not be killed");
            return unkillable(hive.processes.start(spec), fault);
        };

        assertThatThrownBy(() -> hive.supervisor.spawn(OnePort.SPEC)).isInstanceOf(SpawnException.class);
    }

    private static WorkerProcess unkillable(WorkerProcess process, Fault fault) {
        return new IncompleteProcess(process, fault) {
            @Override
            public void kill() {
                throw new IllegalStateException("broken");
            }
        };
    }

    @ParameterizedTest
    @EnumSource
    void aRestartWithAnIncompleteProcessIsAFailedStartAndRetried(Fault fault) {
        UnexpectedWarnings.expect(Warnings.START_FAILED);
        String id = OnePort.spawnCrashed(hive);
        startIncompleteProcesses(fault);

        hive.advanceSeconds(1);

        assertThat(hive.lastExit().cause()).isEqualTo(Exit.Cause.START_FAILED);
        assertThat(hive.attempt(id)).isEqualTo(2);
        assertThat(hive.processes.running()).isEmpty();
        startCompleteProcesses();
        hive.advanceSeconds(3);
        assertThat(hive.processes.running()).containsExactly(id);
    }

    @ParameterizedTest
    @EnumSource
    void anOperatorsRestartWithAnIncompleteProcessFailsItsStage(Fault fault) {
        UnexpectedWarnings.expect(Warnings.START_FAILED);
        String id = OnePort.spawnCrashed(hive);
        startIncompleteProcesses(fault);

        CompletableFuture<WorkerInfo> restarted = hive.restart(id);
        hive.time.runDueTasks();

        assertFailedWith(SpawnException.class, restarted);
    }

    @Test
    void aWorkerWhoseRestartsAllFailCanBeStopped() {
        UnexpectedWarnings.expect(Warnings.START_FAILED);
        String id = OnePort.spawnCrashed(hive);
        startIncompleteProcesses(Fault.IDENTITY_THROWS);
        hive.advanceSeconds(1);

        CompletableFuture<ExitStatus> stopped = hive.stop(id);

        assertThat(stopped).isCompleted();
        assertThat(hive.isRemoved(id)).isTrue();
        onePort.assertNoProcessAndNoPort(hive);
    }

    @Test
    void anIncompleteProcessThatCannotBeKilledIsLoggedAndTheSpawnFails() {
        UnexpectedWarnings.expect("could not be killed after a failed start");
        controller = spec -> new IncompleteProcess(hive.processes.start(spec), Fault.IDENTITY_THROWS) {
            @Override
            public void kill() {
                throw new AssertionError("broken");
            }
        };

        assertThatThrownBy(() -> hive.supervisor.spawn(OnePort.SPEC)).isInstanceOf(SpawnException.class);

        assertThat(hive.registry.list()).isEmpty();
        onePort.assertPortIsFree();
    }

    @Test
    void aControllerThatReturnsNullIsAFailedSpawn() {
        controller = spec -> null;

        assertThatThrownBy(() -> hive.supervisor.spawn(OnePort.SPEC)).isInstanceOf(SpawnException.class);

        assertThat(hive.registry.list()).isEmpty();
        onePort.assertNoProcessAndNoPort(hive);
    }

    @Test
    void aControllerThatThrowsAnErrorIsAFailedSpawn() {
        controller = spec -> {
            throw new AssertionError("broken");
        };

        assertThatThrownBy(() -> hive.supervisor.spawn(OnePort.SPEC))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("broken");

        assertThat(hive.registry.list()).isEmpty();
        onePort.assertNoProcessAndNoPort(hive);
    }

    @Test
    void aRestartRejectedByTheExecutorIsAFailedStartAndRetried() {
        assertARefusalIsAFailedStart(new RejectedExecutionException("queue full"));
    }

    @Test
    void aRestartForWhichTheExecutorThrowsIsAFailedStartAndRetried() {
        assertARefusalIsAFailedStart(new IllegalStateException("broken"));
    }

    private void assertARefusalIsAFailedStart(RuntimeException why) {
        UnexpectedWarnings.expect(Warnings.START_FAILED);
        AtomicReference<RuntimeException> refusal = new AtomicReference<>();
        VirtualHive hive = onePort.hive(builder -> builder.blockingExecutor(task -> {
            if (refusal.get() != null) {
                throw refusal.get();
            }
            task.run();
        }));
        String id = OnePort.spawnCrashed(hive);
        refusal.set(why);

        hive.advanceSeconds(1);

        assertThat(hive.lastExit().cause()).isEqualTo(Exit.Cause.START_FAILED);
        assertThat(hive.lastExit().output()).singleElement().asString().contains(why.getMessage());
        assertThat(hive.attempt(id)).isEqualTo(2);
        refusal.set(null);
        hive.advanceSeconds(3);
        assertThat(hive.processes.running()).containsExactly(id);
    }

    @Test
    void aStopDuringAFailingRestartCompletesAndCancelsFurtherRestarts() {
        UnexpectedWarnings.expect(Warnings.START_FAILED);
        String id = OnePort.spawnCrashed(hive);
        List<CompletableFuture<ExitStatus>> stopped = new ArrayList<>();
        controller = spec -> {
            stopped.add(hive.stop(id));
            throw new SpawnException(spec.command(), "no memory", null);
        };

        hive.advanceSeconds(60);

        assertThat(stopped)
                .singleElement()
                .satisfies(stage -> assertThat(stage).isCompleted().isNotCompletedExceptionally());
        assertThat(hive.isRemoved(id)).isTrue();
        onePort.assertNoProcessAndNoPort(hive);
    }

    @Test
    void aRestartDuringAFailingSpawnFailsWithTheSameException() {
        List<CompletableFuture<WorkerInfo>> restarted = new ArrayList<>();
        controller = spec -> {
            restarted.add(hive.restart(spec.workerId()));
            throw new SpawnException(spec.command(), "no memory", null);
        };

        Throwable failure = catchThrowable(() -> hive.supervisor.spawn(OnePort.SPEC));

        assertThat(restarted)
                .singleElement()
                .satisfies(next -> assertThat(failureOf(next)).isSameAs(failure));
    }

    @Test
    void aRestartDuringASpawnCompletesWithTheSpawn() {
        List<CompletableFuture<WorkerInfo>> restarted = new ArrayList<>();
        controller = spec -> {
            restarted.add(hive.restart(spec.workerId()));
            return hive.processes.start(spec);
        };

        WorkerInfo spawned = hive.supervisor.spawn(OnePort.SPEC);

        assertThat(restarted).singleElement().satisfies(next -> assertThat(next).isCompletedWithValue(spawned));
        assertThat(hive.processes.starts()).isEqualTo(1);
    }
}
