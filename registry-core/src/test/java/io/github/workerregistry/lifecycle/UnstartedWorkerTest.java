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
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * A worker whose restart has been handed to the executor for it, which does not run it: it takes long, is shut down
 * with the task in its queue, or drops it. There is no process, so nothing can make the worker ready, and to stop it is
 * done at once.
 */
@ExtendWith(UnexpectedWarnings.class)
class UnstartedWorkerTest {

    private static final WorkerSpec WITH_PORT = WorkerSpec.builder()
            .id("w1")
            .modelRef("tiny")
            .command("serve", "{port}")
            .build();

    private final PortRange port = FreePorts.range(1);
    private final List<Runnable> held = new ArrayList<>();
    private boolean holding;
    private VirtualHive made;

    private VirtualHive hive(UnaryOperator<WorkerSupervisor.Builder> settings) {
        made = new VirtualHive(builder -> settings.apply(builder.blocking(this::holdOrRun)
                .restart(RestartPolicy.builder().jitter(0).build())
                .ports(port)));
        return made;
    }

    private void holdOrRun(Runnable task) {
        if (holding) {
            held.add(task);
        } else {
            task.run();
        }
    }

    /** A worker that loads, as its record says, and whose start is held. */
    private VirtualHive unstarted(UnaryOperator<WorkerSupervisor.Builder> settings) {
        UnexpectedWarnings.expect("is gone: CRASHED");
        VirtualHive hive = hive(settings);
        hive.supervisor.spawn(WITH_PORT);
        hive.supervisor.ready("w1");
        hive.processes.exit("w1", 1);
        holding = true;
        hive.advanceSeconds(1);
        assertThat(hive.state("w1").label()).isEqualTo("loading");
        assertThat(held).hasSize(1);
        return hive;
    }

    private VirtualHive unstarted() {
        return unstarted(UnaryOperator.identity());
    }

    private void runHeld() {
        List.copyOf(held).forEach(Runnable::run);
    }

    // --- nothing makes it ready

    /** A stranger answered the probe, and callers were given slots of a worker without a process. */
    @Test
    void aWorkerIsNotProbedBeforeItsProcessIsThere() {
        UnexpectedWarnings.expect("is not ready after PT10S");
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

    /** It can only be that of the process before. */
    @Test
    void aCallBackBeforeTheStartHasBegunIsRefusedAndCountsForNothingLater() {
        UnexpectedWarnings.expect("is not ready after PT10S");
        VirtualHive hive = unstarted();
        hive.probe.answerAll(HealthStatus.unhealthy("loading"));

        assertThat(hive.supervisor.ready("w1")).isFalse();

        runHeld();
        hive.advanceSeconds(10);
        assertThat(hive.state("w1").label()).isEqualTo("loading");
        assertThat(hive.supervisor.ready("w1")).isTrue();
        assertThat(hive.state("w1")).isEqualTo(new Idle());
    }

    @Test
    void aCallBackInTheMiddleOfTheStartCountsWhenTheProcessIsThere() {
        List<String> states = new ArrayList<>();
        VirtualHive hive = unstarted(builder -> builder.processes(spec -> {
            if (made.processes.starts() > 0) {
                assertThat(made.supervisor.ready("w1")).isTrue();
                states.add(made.state("w1").label());
            }
            return made.processes.start(spec);
        }));

        runHeld();

        assertThat(states).as("not before the process is there").containsExactly("loading");
        assertThat(hive.state("w1")).isEqualTo(new Idle());
        assertThat(hive.supervisor.whenReady("w1").toCompletableFuture()).isCompleted();
    }

    // --- which generation it is

    /** The next one was made ready, while it still loaded. */
    @Test
    void aLateCallBackOfTheLastGenerationIsRefused() {
        VirtualHive hive = unstarted();
        hive.probe.answerAll(HealthStatus.unhealthy("loading"));
        assertThat(hive.supervisor.ready("w1", 2)).as("it has not begun").isFalse();
        runHeld();

        assertThat(hive.supervisor.ready("w1", 1)).isFalse();
        assertThat(hive.supervisor.ready("w1", 3)).isFalse();
        assertThat(hive.state("w1").label()).isEqualTo("loading");

        assertThat(hive.supervisor.ready("w1", 2)).isTrue();
        assertThat(hive.state("w1")).isEqualTo(new Idle());
        assertThat(hive.supervisor.ready("w1", 2)).as("again").isTrue();
        assertThat(hive.supervisor.ready("w1", 1)).isFalse();
        assertThat(hive.supervisor.ready("nobody", 1)).isFalse();
    }

    /** The next one had to go on sending some, and was ended for it while it loaded. */
    @Test
    void aLateHeartbeatOfTheLastGenerationIsNotNoted() {
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
    void lateProgressOfTheLastGenerationIsNoneOfTheNextOne() {
        UnexpectedWarnings.expect("is not ready after PT10S", "its load made no progress");
        VirtualHive hive = unstarted();
        hive.probe.answerAll(HealthStatus.unhealthy("loading"));
        runHeld();
        hive.advance(Duration.ofSeconds(110));

        assertThat(hive.supervisor.progress("w1", 1)).isFalse();
        assertThat(hive.supervisor.progress("nobody", 1)).isFalse();
        hive.advanceSeconds(15);

        assertThat(hive.supervisor.recentExits())
                .extracting(Exit::cause)
                .containsExactly(Exit.Cause.CRASHED, Exit.Cause.LOAD_STALL);
        assertThat(hive.worker("w1").generation()).isEqualTo(3);
        assertThat(hive.supervisor.progress("w1", 3)).isTrue();
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
                supervisor.close();
            }
            return switch (this) {
                case STOP -> supervisor.stop("w1").toCompletableFuture();
                case FORCE_KILL -> supervisor.forceKill("w1").toCompletableFuture();
                case SHUTDOWN, CLOSE ->
                    supervisor.shutdown(Duration.ofMinutes(1)).toCompletableFuture();
            };
        }
    }

    /** Its record stayed for ever, also after a shutdown that was complete, and its port with it. */
    @ParameterizedTest
    @EnumSource
    void anEndOfAWorkerWhoseStartHasNotBegunIsAFailedStartAtOnceAndNoProcessIsStarted(End end) {
        VirtualHive hive = unstarted();
        CompletableFuture<WorkerInfo> restarted = hive.supervisor.restart("w1").toCompletableFuture();
        CompletableFuture<WorkerInfo> ready = hive.supervisor.whenReady("w1").toCompletableFuture();

        CompletableFuture<?> ended = end.of(hive);

        assertThat(ended)
                .isCompletedWithValueMatching(value ->
                        value.equals(ExitStatus.requested(127)) || value.equals(new ShutdownReport(0, 0, 0, 0, 0)));
        assertThat(hive.isGone("w1")).isTrue();
        assertThat(port.take()).as("the port is free").isPositive();
        assertThat(hive.supervisor.recentExits()).last().satisfies(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.START_FAILED);
            assertThat(exit.generation()).isEqualTo(2);
            assertThat(exit.status()).isEqualTo(ExitStatus.requested(127));
            assertThat(exit.output()).containsExactly("it was stopped before its process was started");
        });
        assertThat(hive.heard.historyOf("w1")).endsWith("Restarted", "Stopping", "Removed");
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
    void aRecordThatTheHostRemovesBeforeTheStartHasBegunMeansThatThereIsNone() {
        VirtualHive hive = unstarted();

        hive.registry.remove("w1");
        hive.advanceSeconds(1);

        assertThat(port.take()).as("the port is free").isPositive();
        runHeld();
        hive.advanceSeconds(1);
        assertThat(hive.processes.starts()).isEqualTo(1);
    }

    @Test
    void aStartThatIsRunTwiceIsOne() {
        VirtualHive hive = unstarted();

        runHeld();
        runHeld();

        assertThat(hive.processes.starts()).isEqualTo(2);
        assertThat(hive.processes.running()).containsExactly("w1");
    }

    // --- an executor that will not run it

    /** One that drops tasks does not say so. */
    @Test
    void aStartThatIsNotBegunForAsLongAsALoadMayTakeIsTriedAgain() {
        UnexpectedWarnings.expect("is not ready after PT10S");
        UnexpectedWarnings.expect("its load made no progress");
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
                .as("what was dropped comes, and is none")
                .isEqualTo(2);
    }

    @Test
    void aStartInTheQueueOfAnExecutorThatIsShutDownHasFailed() throws Exception {
        UnexpectedWarnings.expect("is gone: CRASHED", "is gone: START_FAILED", "is gone: CRASH_LOOP");
        ExecutorService executor = Executors.newSingleThreadExecutor();
        CountDownLatch busy = new CountDownLatch(1);
        VirtualHive hive = new VirtualHive(builder -> builder.blocking(executor)
                .restart(RestartPolicy.builder().jitter(0).build())
                .ports(port));
        hive.supervisor.spawn(WITH_PORT);
        executor.execute(() -> awaitUninterruptibly(busy));
        hive.processes.exit("w1", 1);
        hive.advanceSeconds(1);
        assertThat(executor.shutdownNow())
                .as("what the exit has left to remove, and the start")
                .hasSize(2);
        hive.advanceSeconds(1);
        assertThat(hive.state("w1").label()).as("it may still come").isEqualTo("loading");
        busy.countDown();
        assertThat(executor.awaitTermination(20, TimeUnit.SECONDS)).isTrue();

        hive.advance(Duration.ofMillis(100));

        assertThat(hive.supervisor.recentExits()).last().satisfies(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.START_FAILED);
            assertThat(exit.output()).singleElement().asString().contains("the executor for it has ended");
        });
        assertThat(hive.state("w1")).isInstanceOf(BackingOff.class);
        hive.advance(Duration.ofMinutes(5));
        assertThat(hive.isGone("w1")).isTrue();
        assertThat(port.take()).isPositive();
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

    /** The start was a decision about the worker, and every other one waited for it. */
    @Test
    void aStopIsDecidedThoughTheStartTakesLongOnTheThreadThatWasToHandItOver() {
        UnexpectedWarnings.expect("is gone: CRASHED");
        List<String> states = new ArrayList<>();
        VirtualHive hive = hive(builder -> builder.processes(spec -> {
            if (made.processes.starts() > 0) {
                made.supervisor.stop("w1");
                states.add(made.state("w1").label());
            }
            return made.processes.start(spec);
        }));
        hive.supervisor.spawn(WITH_PORT);
        hive.processes.exit("w1", 1);

        hive.advanceSeconds(1);

        assertThat(states).containsExactly("stopping");
        assertThat(hive.isGone("w1")).isTrue();
    }
}
