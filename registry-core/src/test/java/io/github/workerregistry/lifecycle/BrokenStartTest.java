package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.awaitility.Awaitility.await;

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
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterEach;
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
    private final ExecutorService starts = Executors.newSingleThreadExecutor();
    private final CountDownLatch begun = new CountDownLatch(1);
    private final CountDownLatch go = new CountDownLatch(1);
    private final AtomicInteger released = new AtomicInteger();
    private UnaryOperator<WorkerProcess> late = UnaryOperator.identity();
    private LifecycleConfig config = VirtualHive.config().build();

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
                .config(config)
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

    private static final String GIVEN_UP = "was stopped while it was being started";

    /** Nothing was ever heard of it again, and its id and its port were taken for ever. */
    @Test
    void aForceKillOfAStartThatNeverReturnsGivesItUpAfterTheKillWait() {
        UnexpectedWarnings.expect(GIVEN_UP);
        String id = startingForEver();

        CompletableFuture<ExitStatus> killed = hive().supervisor.forceKill(id).toCompletableFuture();
        hive().advance(Duration.ofMillis(4_900));
        assertThat(killed).isNotDone();
        assertThat(hive().state(id).label()).isEqualTo("stopping");
        hive().advance(Duration.ofMillis(200));

        assertThat(killed).isCompletedWithValue(ExitStatus.requested(127));
        assertThat(hive().isGone(id)).isTrue();
        assertThat(lastExit().cause()).isEqualTo(Exit.Cause.START_FAILED);
        assertThat(lastExit().generation()).isEqualTo(2);
        assertNoProcessAndNoPort();
    }

    @Test
    void whoeverWaitsForAStartThatNeverReturnsIsToldToo() {
        UnexpectedWarnings.expect(GIVEN_UP);
        String id = startingForEver();
        CompletableFuture<WorkerInfo> restarted = hive().supervisor.restart(id).toCompletableFuture();
        CompletableFuture<WorkerInfo> ready = hive().supervisor.whenReady(id).toCompletableFuture();

        hive().supervisor.forceKill(id);
        hive().advanceSeconds(6);

        assertThat(failureOf(restarted)).isInstanceOf(WorkerEndedException.class);
        assertThat(failureOf(ready)).isInstanceOf(WorkerEndedException.class);
    }

    @Test
    void aShutdownDoesNotWaitForeverForAStartThatNeverReturnsAndCountsNoProcess() {
        UnexpectedWarnings.expect(GIVEN_UP);
        String id = startingForEver();

        CompletableFuture<ShutdownReport> report =
                hive().supervisor.shutdown(Duration.ofSeconds(5)).toCompletableFuture();
        hive().advanceSeconds(9);
        assertThat(report).isNotDone();
        hive().advanceSeconds(2);

        assertThat(report).isCompletedWithValue(new ShutdownReport(0, 0, 0, 0, 0));
        assertThat(hive().isGone(id)).isTrue();
    }

    @Test
    void aProcessThatComesAfterItsStartWasGivenUpIsKilledAndLeavesNothing() throws Exception {
        UnexpectedWarnings.expect(GIVEN_UP);
        String id = startingForEver();
        hive().supervisor.forceKill(id);
        hive().advanceSeconds(60);

        letItCome();

        assertThat(hive().processes.starts()).isEqualTo(2);
        assertThat(hive().processes.exitOf(id)).hasValue(ExitStatus.requested(137));
        assertThat(released).hasValue(2);
        assertThat(hive().isGone(id)).isTrue();
        assertNoProcessAndNoPort();
    }

    @Test
    void aProcessThatComesAfterTheShutdownIsKilledAndLeavesNothing() throws Exception {
        UnexpectedWarnings.expect(GIVEN_UP);
        String id = startingForEver();
        hive().supervisor.shutdown(Duration.ofSeconds(5));
        hive().advanceSeconds(60);

        letItCome();

        assertThat(hive().processes.starts()).isEqualTo(2);
        assertThat(released).hasValue(2);
        assertThat(hive().isGone(id)).isTrue();
        assertNoProcessAndNoPort();
    }

    @Test
    void aProcessThatComesAfterTheSupervisorWasClosedIsKilledAndLeavesNothing() throws Exception {
        String id = startingForEver();
        hive().supervisor.close();

        letItCome();

        assertThat(hive().processes.starts()).isEqualTo(2);
        assertThat(released).hasValue(2);
        assertThat(hive().isGone(id)).isTrue();
        assertNoProcessAndNoPort();
    }

    /** The pid of the process was written into the record of whoever had the id by then. */
    @Test
    void aProcessThatComesTooLateIsNotTakenForThatOfAWorkerThatHasItsIdByThen() throws Exception {
        UnexpectedWarnings.expect(GIVEN_UP);
        String id = startingForEver();
        hive().supervisor.forceKill(id);
        hive().advanceSeconds(60);
        controller = spec -> hive().processes.start(spec);
        WorkerInfo other = hive().supervisor.spawn(withId(id));
        long pid = other.pid().orElseThrow();

        letItCome();

        assertThat(hive().worker(id).pid()).hasValue(pid);
        assertThat(hive().worker(id).state().label()).isEqualTo("loading");
    }

    /** Its load has stalled before it has begun: the next generation is started, and the old start is forgotten. */
    @Test
    void aStartThatTakesLongerThanALoadMayIsTriedAgain() throws Exception {
        UnexpectedWarnings.expect("is not ready after PT10S");
        UnexpectedWarnings.expect(GIVEN_UP, "its load made no progress");
        String id = startingForEver();

        hive().advance(Duration.ofMinutes(2).plusSeconds(16));

        assertThat(lastExit().cause()).isEqualTo(Exit.Cause.START_FAILED);
        assertThat(attempt(id)).isEqualTo(2);
        letItCome();
        assertThat(hive().processes.running()).isEmpty();
        assertThat(hive().worker(id).pid()).isEmpty();
    }

    /** The start is given up while it is still under way, on this very thread. */
    @Test
    void aSpawnThatTakesLongerThanItsKillFailsAndLeavesNothingWhenItsProcessComes() {
        UnexpectedWarnings.expect(GIVEN_UP);
        List<CompletableFuture<ExitStatus>> killed = new ArrayList<>();
        controller = spec -> {
            killed.add(hive().supervisor.forceKill(spec.workerId()).toCompletableFuture());
            hive().advanceSeconds(60);
            assertThat(hive().isGone(spec.workerId())).isTrue();
            return counted(hive().processes.start(spec));
        };

        assertThatThrownBy(() -> hive().supervisor.spawn(WITH_PORT))
                .isInstanceOf(SpawnException.class)
                .hasMessageContaining("stopped before its process was there");

        assertThat(killed)
                .singleElement()
                .satisfies(gone -> assertThat(gone).isCompletedWithValue(ExitStatus.requested(127)));
        assertThat(hive().processes.starts()).isEqualTo(1);
        hive().time.runDueTasks();
        assertThat(released).hasValue(1);
        assertThat(hive().registry.list()).isEmpty();
        assertNoProcessAndNoPort();
    }

    @Test
    void aSpawnThatFailsWhenItHasBeenGivenUpLeavesWhoHasItsIdByThenAlone() {
        UnexpectedWarnings.expect(GIVEN_UP);
        List<WorkerInfo> others = new ArrayList<>();
        controller = spec -> {
            controller = next -> hive().processes.start(next);
            hive().supervisor.forceKill("w1");
            hive().advanceSeconds(60);
            others.add(hive().supervisor.spawn(withId("w1")));
            throw new SpawnException(spec.command(), "at last", null);
        };

        assertThatThrownBy(() -> hive().supervisor.spawn(withId("w1"))).isInstanceOf(SpawnException.class);

        assertThat(hive().registry.list()).isEqualTo(others);
        assertThat(hive().processes.running()).containsExactly("w1");
        assertThatThrownBy(port::take).isInstanceOf(PortsExhaustedException.class);
    }

    @Test
    void aCloseInTheMiddleOfASpawnEndsItsProcess() {
        controller = spec -> {
            hive().supervisor.close();
            return counted(hive().processes.start(spec));
        };

        hive().supervisor.spawn(WITH_PORT);

        assertThat(hive().registry.list()).isEmpty();
        assertNoProcessAndNoPort();
    }

    /** A worker that is late and deaf: in real time, because the loops may have ended. */
    @Test
    void aProcessThatComesTooLateAndSurvivesItsKillIsKilledAgain() throws Exception {
        UnexpectedWarnings.expect(GIVEN_UP);
        String id = startingForEver();
        hive().supervisor.forceKill(id);
        hive().advanceSeconds(60);
        AtomicInteger kills = new AtomicInteger();
        late = process -> new ForwardedKill(process, () -> {
            if (kills.incrementAndGet() == 2) {
                process.kill();
            }
        });

        letItCome();

        assertThat(hive().processes.running()).containsExactly(id);
        await().until(() -> hive().processes.running().isEmpty());
        await().until(() -> released.get() == 2);
        assertThat(kills).hasValue(2);
    }

    @Test
    void aProcessThatComesTooLateAndSurvivesEveryKillIsWarned() throws Exception {
        UnexpectedWarnings.expect(GIVEN_UP, "which came too late, is still there after SIGKILL");
        config = VirtualHive.config().killWait(Duration.ofMillis(50)).build(); // over at the first look
        String id = startingForEver();
        hive().supervisor.forceKill(id);
        hive().advanceSeconds(60);
        AtomicBoolean deaf = new AtomicBoolean(true);
        late = process -> new ForwardedKill(process, () -> {
            if (!deaf.get()) {
                process.kill();
            }
        });

        letItCome();

        assertThat(hive().processes.running()).containsExactly(id);
        assertThat(released).as("files that it may still write to").hasValue(1);
        deaf.set(false);
        await().until(() -> released.get() == 2);
        assertThat(hive().processes.running()).isEmpty();
    }

    /** It was given up for good, though no signal had come through: it ran on, and its files stayed. */
    @Test
    void aProcessThatComesTooLateIsKilledUntilAKillComesThrough() throws Exception {
        UnexpectedWarnings.expect(GIVEN_UP);
        config = VirtualHive.config().killWait(Duration.ofMillis(50)).build(); // over at the first look
        String id = startingForEver();
        hive().supervisor.forceKill(id);
        hive().advanceSeconds(60);
        Set<Thread> killers = ConcurrentHashMap.newKeySet();
        AtomicBoolean shortage = new AtomicBoolean(true);
        late = process ->
                new ForwardedKill(process, () -> {
                    killers.add(Thread.currentThread());
                    if (shortage.get()) {
                        throw new IllegalStateException("no file descriptor is free");
                    }
                    process.kill();
                }) {
                    @Override
                    public boolean survivesKill() {
                        return false;
                    }
                };
        letItCome();
        assertThat(killers).hasSize(1);

        hive().supervisor.shutdown(Duration.ofSeconds(5));
        assertThat(killers).as("the shutdown kills it, too").contains(Thread.currentThread());
        assertThat(hive().processes.running()).containsExactly(id);

        shortage.set(false);
        await().until(() -> released.get() == 2);
        assertThat(hive().processes.running()).isEmpty();
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

    /** A worker whose restart is under way on another thread, and comes when it is let. */
    private String startingForEver() {
        hive(builder -> builder.blocking(starts));
        controller = spec -> counted(hive().processes.start(spec));
        String id = crashed();
        controller = spec -> {
            begun.countDown();
            awaitUninterruptibly(go);
            return late.apply(counted(hive().processes.start(spec)));
        };
        hive().advanceSeconds(1);
        awaitUninterruptibly(begun);
        assertThat(hive().state(id).label()).isEqualTo("loading");
        return id;
    }

    private void letItCome() throws InterruptedException {
        go.countDown();
        starts.shutdown();
        assertThat(starts.awaitTermination(20, TimeUnit.SECONDS)).isTrue();
    }

    @AfterEach
    void endStarts() throws InterruptedException {
        letItCome();
    }

    private static void awaitUninterruptibly(CountDownLatch latch) {
        try {
            assertThat(latch.await(20, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static WorkerSpec withId(String id) {
        return WorkerSpec.builder()
                .id(id)
                .modelRef("tiny")
                .command("serve", "{port}")
                .build();
    }

    /** The same process, whose releases are counted. */
    private WorkerProcess counted(WorkerProcess process) {
        return new ForwardedKill(process, process::kill) {
            @Override
            public void release() {
                released.incrementAndGet();
            }
        };
    }

    /** A process that is killed in another way. */
    private static class ForwardedKill extends HalfProcess {
        private final Runnable kill;

        ForwardedKill(WorkerProcess process, Runnable kill) {
            super(process, null);
            this.kill = kill;
        }

        @Override
        public ProcessIdentity identity() {
            return whole.identity();
        }

        @Override
        public CompletionStage<ExitStatus> onExit() {
            return whole.onExit();
        }

        @Override
        public void kill() {
            kill.run();
        }
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
        final WorkerProcess whole;
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
