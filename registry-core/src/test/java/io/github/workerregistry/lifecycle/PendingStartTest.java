package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.health.HealthStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A worker whose restart is queued in an executor that does not run it: it is slow, is shut down, or drops it. There is
 * no process, so nothing makes the worker ready, and a stop completes at once.
 */
@ExtendWith(UnexpectedWarnings.class)
class PendingStartTest {

    private static final WorkerSpec SPEC = OnePort.withId("w1");

    private final OnePort onePort = new OnePort();
    private final List<Runnable> held = new ArrayList<>();
    private boolean holding;

    private VirtualHive hive(BiFunction<VirtualHive, WorkerSupervisor.Builder, WorkerSupervisor.Builder> settings) {
        return onePort.hive((self, builder) -> settings.apply(self, builder.blockingExecutor(this::holdOrRun)));
    }

    private void holdOrRun(Runnable task) {
        if (holding) {
            held.add(task);
        } else {
            task.run();
        }
    }

    /** A hive with a worker that is Loading and whose start is held. */
    private VirtualHive unstarted(
            BiFunction<VirtualHive, WorkerSupervisor.Builder, WorkerSupervisor.Builder> settings) {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        VirtualHive hive = hive(settings);
        hive.supervisor.spawn(SPEC);
        hive.supervisor.reportReady("w1");
        hive.processes.exit("w1", 1);
        holding = true;
        hive.advanceSeconds(1);
        assertThat(hive.state("w1").label()).isEqualTo("loading");
        assertThat(held).hasSize(1);
        return hive;
    }

    private VirtualHive unstarted() {
        return unstarted((self, builder) -> builder);
    }

    private void runHeld() {
        List.copyOf(held).forEach(Runnable::run);
    }

    // --- nothing makes it ready

    /** Regression: a foreign server answered the probe, and callers acquired slots of a worker without a process. */
    @Test
    void aWorkerIsNotProbedBeforeItsStart() {
        UnexpectedWarnings.expect(Warnings.NOT_READY);
        VirtualHive hive = unstarted();
        int probes = hive.probe.probes("w1");

        hive.advanceSeconds(60);

        assertThat(hive.probe.probes("w1")).isEqualTo(probes);
        assertThat(hive.state("w1").label()).isEqualTo("loading");
        assertThat(hive.registry.tryAcquire("tiny")).isEmpty();
        runHeld();
        hive.advanceSeconds(2);
        assertThat(hive.state("w1")).isEqualTo(new Idle());
    }

    /** It can only come from the process before. */
    @Test
    void aCallBackBeforeTheStartIsRejected() {
        UnexpectedWarnings.expect(Warnings.NOT_READY);
        VirtualHive hive = unstarted();
        hive.probe.answerAll(HealthStatus.unhealthy("loading"));

        assertThat(hive.supervisor.reportReady("w1")).isFalse();

        runHeld();
        hive.advanceSeconds(10);
        assertThat(hive.state("w1").label()).isEqualTo("loading");
        assertThat(hive.supervisor.reportReady("w1")).isTrue();
        assertThat(hive.state("w1")).isEqualTo(new Idle());
    }

    @Test
    void aCallBackDuringTheStartCountsOnceTheProcessIsStarted() {
        List<String> states = new ArrayList<>();
        VirtualHive hive = unstarted((self, builder) -> builder.processController(spec -> {
            if (self.processes.starts() > 0) {
                assertThat(self.supervisor.reportReady("w1")).isTrue();
                states.add(self.state("w1").label());
            }
            return self.processes.start(spec);
        }));

        runHeld();

        assertThat(states).as("not before the process is started").containsExactly("loading");
        assertThat(hive.state("w1")).isEqualTo(new Idle());
        assertThat(hive.whenReady("w1")).isCompleted();
    }

    // --- which generation it is

    /** Regression: it made the next generation ready, while that still loaded. */
    @Test
    void aLateCallBackOfTheLastGenerationIsRejected() {
        VirtualHive hive = unstarted();
        hive.probe.answerAll(HealthStatus.unhealthy("loading"));
        assertThat(hive.supervisor.reportReady("w1", 2))
                .as("the start is pending")
                .isFalse();
        runHeld();

        assertThat(hive.supervisor.reportReady("w1", 1)).isFalse();
        assertThat(hive.supervisor.reportReady("w1", 3)).isFalse();
        assertThat(hive.state("w1").label()).isEqualTo("loading");

        assertThat(hive.supervisor.reportReady("w1", 2)).isTrue();
        assertThat(hive.state("w1")).isEqualTo(new Idle());
        assertThat(hive.supervisor.reportReady("w1", 2)).as("again").isTrue();
        assertThat(hive.supervisor.reportReady("w1", 1)).isFalse();
        assertThat(hive.supervisor.reportReady("unknown", 1)).isFalse();
    }

    /** Regression: the next generation then had to send heartbeats, and was stopped while it loaded. */
    @Test
    void aLateHeartbeatOfTheLastGenerationIsRejected() {
        VirtualHive hive = unstarted();
        runHeld();
        hive.advanceSeconds(1);

        assertThat(hive.registry.heartbeat("w1", 1)).isFalse();

        assertThat(hive.worker("w1").lastHeartbeat()).isEmpty();
        hive.advance(Duration.ofMinutes(1));
        assertThat(hive.worker("w1").generation()).isEqualTo(2);
        assertThat(hive.registry.heartbeat("w1", 2)).isTrue();
        assertThat(hive.worker("w1").lastHeartbeat()).hasValue(hive.time.instant());
    }

    @Test
    void lateProgressOfTheLastGenerationIsRejected() {
        UnexpectedWarnings.expect(Warnings.NOT_READY, Warnings.NO_PROGRESS);
        VirtualHive hive = unstarted();
        hive.probe.answerAll(HealthStatus.unhealthy("loading"));
        runHeld();
        hive.advance(Duration.ofSeconds(110));

        assertThat(hive.supervisor.reportProgress("w1", 1)).isFalse();
        assertThat(hive.supervisor.reportProgress("unknown", 1)).isFalse();
        hive.advanceSeconds(15);

        assertThat(hive.supervisor.recentExits())
                .extracting(Exit::cause)
                .containsExactly(Exit.Cause.CRASHED, Exit.Cause.LOAD_STALL);
        assertThat(hive.worker("w1").generation()).isEqualTo(3);
        assertThat(hive.supervisor.reportProgress("w1", 3)).isTrue();
    }

    // --- to stop it is done at once

    enum End {
        STOP,
        FORCE_KILL,
        SHUTDOWN,
        CLOSE;

        CompletableFuture<?> of(VirtualHive hive) {
            WorkerSupervisor supervisor = hive.supervisor;
            if (this == CLOSE) {
                supervisor.closeNow();
            }
            return switch (this) {
                case STOP -> supervisor.stop("w1").toCompletableFuture();
                case FORCE_KILL -> supervisor.forceKill("w1").toCompletableFuture();
                case SHUTDOWN, CLOSE ->
                    supervisor.shutdown(Duration.ofMinutes(1)).toCompletableFuture();
            };
        }
    }

    /** Regression: its record and port were left, even after a complete shutdown. */
    @ParameterizedTest
    @EnumSource
    void aStopBeforeTheStartIsAFailedStartAndStartsNoProcess(End end) {
        VirtualHive hive = unstarted();
        CompletableFuture<WorkerInfo> restarted = hive.restart("w1");
        CompletableFuture<WorkerInfo> ready = hive.whenReady("w1");

        CompletableFuture<?> ended = end.of(hive);

        assertThat(ended)
                .isCompletedWithValueMatching(value ->
                        value.equals(ExitStatus.requested(127)) || value.equals(new ShutdownReport(0, 0, 0, 0, 0)));
        assertThat(hive.isRemoved("w1")).isTrue();
        onePort.assertPortIsFree();
        assertThat(hive.supervisor.recentExits()).last().satisfies(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.START_FAILED);
            assertThat(exit.generation()).isEqualTo(2);
            assertThat(exit.status()).isEqualTo(ExitStatus.requested(127));
            assertThat(exit.output()).containsExactly("it was stopped before its process was started");
        });
        assertThat(hive.heard.historyOf("w1")).endsWith("Restarted", "StopStarted", "Removed");
        assertThat(hive.registry.stats().ended(Exit.Cause.START_FAILED)).isEqualTo(1);
        assertThat(restarted).isCompletedExceptionally();
        assertThat(ready).isCompletedExceptionally();
        assertThatThrownBy(restarted::join).hasCauseInstanceOf(WorkerEndedException.class);
        assertThatThrownBy(ready::join).hasCauseInstanceOf(WorkerEndedException.class);
        runHeld();
        hive.advanceSeconds(60);
        assertThat(hive.processes.starts()).isEqualTo(1);
    }

    @Test
    void aRemovalBeforeTheStartCancelsIt() {
        VirtualHive hive = unstarted();

        hive.registry.remove("w1");
        hive.advanceSeconds(1);

        onePort.assertPortIsFree();
        runHeld();
        hive.advanceSeconds(1);
        assertThat(hive.processes.starts()).isEqualTo(1);
    }

    @Test
    void aStartThatIsRunTwiceStartsOneProcess() {
        VirtualHive hive = unstarted();

        runHeld();
        runHeld();

        assertThat(hive.processes.starts()).isEqualTo(2);
        assertThat(hive.processes.running()).containsExactly("w1");
    }

    // --- an executor that will not run it

    /** An executor that drops tasks does not report it. */
    @Test
    void aStartPendingForTheLoadStallTimeoutIsRetried() {
        UnexpectedWarnings.expect(Warnings.NOT_READY);
        UnexpectedWarnings.expect(Warnings.NO_PROGRESS);
        VirtualHive hive = unstarted();

        hive.advance(Duration.ofMinutes(2));

        assertThat(hive.supervisor.recentExits())
                .last()
                .satisfies(exit -> assertThat(exit.cause()).isEqualTo(Exit.Cause.START_FAILED));
        assertThat(hive.state("w1"))
                .isInstanceOfSatisfying(
                        BackingOff.class, next -> assertThat(next.attempt()).isEqualTo(2));
        holding = false;
        hive.advanceSeconds(3);
        assertThat(hive.processes.running()).containsExactly("w1");
        assertThat(hive.worker("w1").generation()).isEqualTo(3);
        runHeld();
        assertThat(hive.processes.starts())
                .as("the dropped start runs and starts nothing")
                .isEqualTo(2);
    }

    /** Regression: the restart never completed. */
    @Test
    void aRestartDuringAStartThatIsAbandonedCompletesWithTheNextStart() {
        UnexpectedWarnings.expect(Warnings.NOT_READY);
        UnexpectedWarnings.expect(Warnings.NO_PROGRESS);
        VirtualHive hive = unstarted();
        CompletableFuture<WorkerInfo> restarted = hive.supervisor.restart("w1").toCompletableFuture();

        hive.advance(Duration.ofMinutes(2));
        assertThat(restarted).as("backing off").isNotDone();
        holding = false;
        hive.advanceSeconds(3);

        assertThat(restarted).isCompletedWithValueMatching(next -> next.generation() == 3);
    }

    @Test
    void aStartQueuedInAnExecutorThatIsShutDownFails() throws Exception {
        UnexpectedWarnings.expect(Warnings.CRASHED, Warnings.START_FAILED, Warnings.CRASH_LOOP);
        ExecutorService executor = Executors.newSingleThreadExecutor();
        CountDownLatch busy = new CountDownLatch(1);
        VirtualHive hive = onePort.hive(builder -> builder.blockingExecutor(executor));
        hive.supervisor.spawn(SPEC);
        executor.execute(() -> awaitUninterruptibly(busy));
        hive.processes.exit("w1", 1);
        hive.advanceSeconds(1);
        assertThat(executor.shutdownNow()).as("the release and the start").hasSize(2);
        hive.advanceSeconds(1);
        assertThat(hive.state("w1").label()).as("it may still run").isEqualTo("loading");
        busy.countDown();
        assertThat(executor.awaitTermination(20, TimeUnit.SECONDS)).isTrue();

        hive.advance(Duration.ofMillis(100));

        assertThat(hive.supervisor.recentExits()).last().satisfies(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.START_FAILED);
            assertThat(exit.output()).singleElement().asString().contains("the executor for it has ended");
        });
        assertThat(hive.state("w1")).isInstanceOf(BackingOff.class);
        hive.advance(Duration.ofMinutes(5));
        assertThat(hive.isRemoved("w1")).isTrue();
        onePort.assertPortIsFree();
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        boolean open = false;
        while (!open) {
            try {
                open = latch.await(20, TimeUnit.SECONDS);
            } catch (InterruptedException shutDown) {
                // it waits on
            }
        }
    }

    // --- an executor that runs it on the thread that hands it over

    /** Regression: the start ran inside the serial executor of the worker, and every other task waited for it. */
    @Test
    void aStopIsDecidedWhileTheStartRunsOnTheSubmittingThread() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        List<String> states = new ArrayList<>();
        VirtualHive hive = hive((self, builder) -> builder.processController(spec -> {
            if (self.processes.starts() > 0) {
                self.supervisor.stop("w1");
                states.add(self.state("w1").label());
            }
            return self.processes.start(spec);
        }));
        hive.supervisor.spawn(SPEC);
        hive.processes.exit("w1", 1);

        hive.advanceSeconds(1);

        assertThat(states).containsExactly("stopping");
        assertThat(hive.isRemoved("w1")).isTrue();
    }
}
