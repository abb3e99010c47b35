package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessIdentity;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Starts of processes that fail in every way in which the host's code can: a controller that gives half a process, an
 * executor that refuses, a start that is stopped, or that never comes to its end.
 */
@ExtendWith(UnexpectedWarnings.class)
class BrokenStartTest {

    private static final WorkerSpec WITH_PORT =
            WorkerSpec.builder().modelRef("tiny").command("serve", "{port}").build();

    private final PortRange port = FreePorts.range(1);
    private final List<Runnable> held = new ArrayList<>();

    /** What the controller does in place of a start; the fake starts otherwise. */
    private ProcessController controller = spec -> hive().processes.start(spec);

    private RuntimeException refusal;
    private VirtualHive hive;

    /** Made by the first who asks: its settings may be the test's. */
    private VirtualHive hive() {
        if (hive == null) {
            hive = hive(builder -> builder);
        }
        return hive;
    }

    private VirtualHive hive(UnaryOperator<WorkerSupervisor.Builder> settings) {
        hive = new VirtualHive(builder -> settings.apply(builder.processes(spec -> controller.start(spec))
                .restart(RestartPolicy.builder().jitter(0).build())
                .ports(port)));
        return hive;
    }

    // --- half a process

    enum Fault {
        IDENTITY_THROWS,
        NO_IDENTITY,
        ON_EXIT_THROWS,
        NO_ON_EXIT
    }

    @ParameterizedTest
    @EnumSource
    void aSpawnThatGivesHalfAProcessFailsAndLeavesNothing(Fault fault) {
        breakProcesses(fault);

        assertThatThrownBy(() -> hive().supervisor.spawn(WITH_PORT))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("controller failed");

        assertThat(hive().registry.list()).isEmpty();
        assertThat(hive().processes.starts()).isEqualTo(1);
        assertNoProcessAndNoPort();
    }

    @ParameterizedTest
    @EnumSource
    void aRestartThatGivesHalfAProcessIsAFailedStartAndTriedAgain(Fault fault) {
        UnexpectedWarnings.expect("is gone: START_FAILED");
        String id = crashed();
        breakProcesses(fault);

        hive().advanceSeconds(1);

        assertThat(lastExit().cause()).isEqualTo(Exit.Cause.START_FAILED);
        assertThat(attempt(id)).isEqualTo(2);
        assertThat(hive().processes.running()).isEmpty();
        mendProcesses();
        hive().advanceSeconds(3);
        assertThat(hive().processes.running()).containsExactly(id);
    }

    @ParameterizedTest
    @EnumSource
    void aRestartByAnOperatorThatGivesHalfAProcessFailsForWhoeverWaits(Fault fault) {
        UnexpectedWarnings.expect("is gone: START_FAILED");
        String id = crashed();
        breakProcesses(fault);

        CompletableFuture<WorkerInfo> restarted = hive().supervisor.restart(id).toCompletableFuture();
        hive().time.runDueTasks();

        assertThat(failureOf(restarted)).isInstanceOf(SpawnException.class);
    }

    @Test
    void aWorkerWhoseRestartsAllGiveHalfAProcessCanBeStopped() {
        UnexpectedWarnings.expect("is gone: START_FAILED");
        String id = crashed();
        breakProcesses(Fault.IDENTITY_THROWS);
        hive().advanceSeconds(1);

        CompletableFuture<ExitStatus> stopped = hive().supervisor.stop(id).toCompletableFuture();

        assertThat(stopped).isCompleted();
        assertThat(hive().isGone(id)).isTrue();
        assertNoProcessAndNoPort();
    }

    @Test
    void halfAProcessThatCannotBeKilledIsWarnedAndTheSpawnFailsAsWell() {
        UnexpectedWarnings.expect("cannot be killed either");
        controller = spec -> new HalfProcess(hive().processes.start(spec), Fault.IDENTITY_THROWS) {
            @Override
            public void kill() {
                throw new AssertionError("broken");
            }
        };

        assertThatThrownBy(() -> hive().supervisor.spawn(WITH_PORT)).isInstanceOf(SpawnException.class);

        assertThat(hive().registry.list()).isEmpty();
        assertThat(port.take()).isPositive();
    }

    @Test
    void aControllerThatGivesNoProcessAtAllHasFailedToStartOne() {
        controller = spec -> null;

        assertThatThrownBy(() -> hive().supervisor.spawn(WITH_PORT)).isInstanceOf(SpawnException.class);

        assertThat(hive().registry.list()).isEmpty();
        assertNoProcessAndNoPort();
    }

    @Test
    void aControllerThatThrowsWhateverItLikesHasFailedToStartAProcess() {
        controller = spec -> {
            throw new AssertionError("broken");
        };

        assertThatThrownBy(() -> hive().supervisor.spawn(WITH_PORT))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("broken");

        assertThat(hive().registry.list()).isEmpty();
        assertNoProcessAndNoPort();
    }

    // --- an executor that refuses

    @Test
    void aRestartThatTheExecutorRejectsIsAFailedStartAndTriedAgain() {
        assertARefusalIsAFailedStart(new RejectedExecutionException("queue full"));
    }

    @Test
    void soIsOneForWhichTheExecutorThrowsAnythingElse() {
        assertARefusalIsAFailedStart(new IllegalStateException("broken"));
    }

    private void assertARefusalIsAFailedStart(RuntimeException why) {
        UnexpectedWarnings.expect("is gone: START_FAILED");
        hive(builder -> builder.blocking(task -> {
            if (refusal != null) {
                throw refusal;
            }
            task.run();
        }));
        String id = crashed();
        refusal = why;

        hive().advanceSeconds(1);

        assertThat(lastExit().cause()).isEqualTo(Exit.Cause.START_FAILED);
        assertThat(lastExit().output()).singleElement().asString().contains(why.getMessage());
        assertThat(attempt(id)).isEqualTo(2);
        refusal = null;
        hive().advanceSeconds(3);
        assertThat(hive().processes.running()).containsExactly(id);
    }

    // --- in the middle of a start

    @Test
    void aStopInTheMiddleOfARestartThatFailsCompletesAndThereIsNoFurtherRestart() {
        UnexpectedWarnings.expect("is gone: START_FAILED");
        String id = crashed();
        List<CompletableFuture<ExitStatus>> stopped = new ArrayList<>();
        controller = spec -> {
            stopped.add(hive().supervisor.stop(id).toCompletableFuture());
            throw new SpawnException(spec.command(), "no memory", null);
        };

        hive().advanceSeconds(60);

        assertThat(stopped)
                .singleElement()
                .satisfies(gone -> assertThat(gone).isCompleted().isNotCompletedExceptionally());
        assertThat(hive().isGone(id)).isTrue();
        assertNoProcessAndNoPort();
    }

    @Test
    void aRestartInTheMiddleOfASpawnThatFailsFailsAsTheSpawn() {
        List<CompletableFuture<WorkerInfo>> restarted = new ArrayList<>();
        controller = spec -> {
            restarted.add(hive().supervisor.restart(spec.workerId()).toCompletableFuture());
            throw new SpawnException(spec.command(), "no memory", null);
        };

        Throwable failure = catchThrowable(() -> hive().supervisor.spawn(WITH_PORT));

        assertThat(restarted)
                .singleElement()
                .satisfies(next -> assertThat(failureOf(next)).isSameAs(failure));
    }

    @Test
    void aRestartInTheMiddleOfASpawnIsThatSpawn() {
        List<CompletableFuture<WorkerInfo>> restarted = new ArrayList<>();
        controller = spec -> {
            restarted.add(hive().supervisor.restart(spec.workerId()).toCompletableFuture());
            return hive().processes.start(spec);
        };

        WorkerInfo spawned = hive().supervisor.spawn(WITH_PORT);

        assertThat(restarted).singleElement().satisfies(next -> assertThat(next).isCompletedWithValue(spawned));
        assertThat(hive().processes.starts()).isEqualTo(1);
    }

    // --- a start that does not come to its end

    @Test
    void aForceKillOfAStartThatNeverReturnsGivesUpAfterTheKillWait() {
        UnexpectedWarnings.expect("was stopped while it was being started");
        String id = startingForEver();

        CompletableFuture<ExitStatus> killed = hive().supervisor.forceKill(id).toCompletableFuture();
        hive().advance(Duration.ofMillis(4_900));
        assertThat(killed).isNotDone();
        hive().advance(Duration.ofMillis(200));

        assertThat(failureOf(killed)).isInstanceOf(UnkillableException.class);
    }

    @Test
    void whoeverWaitsForAStartThatNeverReturnsIsToldToo() {
        UnexpectedWarnings.expect("was stopped while it was being started");
        String id = startingForEver();
        CompletableFuture<WorkerInfo> restarted = hive().supervisor.restart(id).toCompletableFuture();
        CompletableFuture<WorkerInfo> ready = hive().supervisor.whenReady(id).toCompletableFuture();

        hive().supervisor.forceKill(id);
        hive().advanceSeconds(6);

        assertThat(failureOf(restarted)).isInstanceOf(UnkillableException.class);
        assertThat(failureOf(ready)).isInstanceOf(UnkillableException.class);
    }

    @Test
    void theReportOfAShutdownCountsAStartThatNeverReturnsAsUnkillable() {
        UnexpectedWarnings.expect("was stopped while it was being started");
        startingForEver();

        CompletableFuture<ShutdownReport> report =
                hive().supervisor.shutdown(Duration.ofSeconds(5)).toCompletableFuture();
        hive().advanceSeconds(60);

        assertThat(report).isCompletedWithValue(new ShutdownReport(1, 0, 0, 0, 1));
    }

    @Test
    void aProcessThatComesAfterItsStartWasGivenUpIsKilledAndLeavesNothing() {
        UnexpectedWarnings.expect("was stopped while it was being started");
        String id = startingForEver();
        hive().supervisor.forceKill(id);
        hive().advanceSeconds(60);

        List.copyOf(held).forEach(Runnable::run);

        assertThat(hive().processes.starts()).isEqualTo(2);
        assertThat(hive().isGone(id)).isTrue();
        assertNoProcessAndNoPort();
    }

    @Test
    void aProcessThatComesAfterTheShutdownIsKilledAndLeavesNothing() {
        UnexpectedWarnings.expect("was stopped while it was being started");
        String id = startingForEver();
        hive().supervisor.shutdown(Duration.ofSeconds(5));
        hive().advanceSeconds(60);

        List.copyOf(held).forEach(Runnable::run);

        assertThat(hive().processes.starts()).isEqualTo(2);
        assertThat(hive().isGone(id)).isTrue();
        assertNoProcessAndNoPort();
    }

    @Test
    void aProcessThatComesAfterTheSupervisorWasClosedIsKilledAndLeavesNothing() {
        String id = startingForEver();
        hive().supervisor.close();

        List.copyOf(held).forEach(Runnable::run);

        assertThat(hive().processes.starts()).isEqualTo(2);
        assertThat(hive().isGone(id)).isTrue();
        assertNoProcessAndNoPort();
    }

    /** The start is given up while it is still under way, on this very thread. */
    @Test
    void aSpawnThatTakesLongerThanItsKillLeavesNothingWhenItComes() {
        UnexpectedWarnings.expect("was stopped while it was being started");
        List<CompletableFuture<ExitStatus>> killed = new ArrayList<>();
        controller = spec -> {
            killed.add(hive().supervisor.forceKill(spec.workerId()).toCompletableFuture());
            hive().advanceSeconds(60);
            return hive().processes.start(spec);
        };

        String id = hive().supervisor.spawn(WITH_PORT).id();

        assertThat(killed)
                .singleElement()
                .satisfies(gone -> assertThat(failureOf(gone)).isInstanceOf(UnkillableException.class));
        assertThat(hive().isGone(id)).isTrue();
        assertNoProcessAndNoPort();
    }

    // ---

    /** A worker that backs off for a second. */
    private String crashed() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        String id = hive().supervisor.spawn(WITH_PORT).id();
        hive().supervisor.ready(id);
        hive().processes.exit(id, 1);
        return id;
    }

    /** A worker whose restart has begun, and is held by the executor. */
    private String startingForEver() {
        hive(builder -> builder.blocking(held::add));
        String id = crashed();
        hive().advanceSeconds(1);
        assertThat(hive().state(id).label()).isEqualTo("loading");
        return id;
    }

    private void breakProcesses(Fault fault) {
        controller = spec -> new HalfProcess(hive().processes.start(spec), fault);
    }

    private void mendProcesses() {
        controller = spec -> hive().processes.start(spec);
    }

    private int attempt(String id) {
        return ((BackingOff) hive().state(id)).attempt();
    }

    private Exit lastExit() {
        List<Exit> exits = hive().supervisor.recentExits();
        return exits.get(exits.size() - 1);
    }

    private static Throwable failureOf(CompletableFuture<?> stage) {
        assertThat(stage).isCompletedExceptionally();
        return stage.handle((value, failure) -> failure).join();
    }

    private void assertNoProcessAndNoPort() {
        assertThat(hive().processes.running()).as("no process").isEmpty();
        assertThat(port.take()).as("the port is free").isPositive();
    }

    /** Lacks what a supervisor cannot do without. */
    private static class HalfProcess implements WorkerProcess {
        private final WorkerProcess whole;
        private final Fault fault;

        HalfProcess(WorkerProcess whole, Fault fault) {
            this.whole = whole;
            this.fault = fault;
        }

        @Override
        public ProcessIdentity identity() {
            return switch (fault) {
                case IDENTITY_THROWS -> throw new IllegalStateException("broken");
                case NO_IDENTITY -> null;
                case ON_EXIT_THROWS, NO_ON_EXIT -> whole.identity();
            };
        }

        @Override
        public CompletionStage<ExitStatus> onExit() {
            return switch (fault) {
                case ON_EXIT_THROWS -> throw new IllegalStateException("broken");
                case NO_ON_EXIT -> null;
                case IDENTITY_THROWS, NO_IDENTITY -> whole.onExit();
            };
        }

        @Override
        public Optional<ExitStatus> exitStatus() {
            return whole.exitStatus();
        }

        @Override
        public void terminate() {
            whole.terminate();
        }

        @Override
        public void kill() {
            whole.kill();
        }

        @Override
        public long outputBytes() {
            return whole.outputBytes();
        }

        @Override
        public List<String> outputTail(int maxLines) {
            return whole.outputTail(maxLines);
        }

        @Override
        public void release() {
            whole.release();
        }
    }
}
