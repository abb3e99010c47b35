package io.github.workerregistry.examples.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Tests the judge: simulated errors of the library must be detected. */
class JudgeTest {

    private static final Duration KILL_BOUND = Duration.ofMillis(250);
    private static final ExitStatus SIGKILL = ExitStatus.unrequested(137);
    private static final ExitStatus SIGTERM = ExitStatus.requested(143);
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");
    private static final Instant RESTART_AT = START.plusMillis(100);

    private final AtomicLong now = new AtomicLong();
    private final AtomicLong heldUp = new AtomicLong();
    private final Bounds bounds = new Bounds(
            LifecycleConfig.builder()
                    .healthInterval(Duration.ofSeconds(1))
                    .idleTimeout(Duration.ofSeconds(10))
                    .build(),
            RestartPolicy.builder()
                    .initial(Duration.ofMillis(100))
                    .max(Duration.ofMillis(400))
                    .limit(2)
                    .build(),
            KILL_BOUND,
            Duration.ofSeconds(10),
            Duration.ofSeconds(1));
    private final WorkerRegistry registry = WorkerRegistry.create();
    private final Remarks remarks = new Remarks();
    private final LeaseBook leases = new LeaseBook(registry, now::get, remarks);
    private final Ledger ledger = new Ledger(bounds, now::get, heldUp::get, remarks);
    private final Judge judge = new Judge(ledger, leases, bounds, now::get);

    private WorkerInfo worker = WorkerInfo.builder()
            .id("w")
            .url("http://127.0.0.1:9")
            .modelRef(Purpose.CALM.model())
            .slotsTotal(2)
            .state(new Loading(START))
            .startedAt(START)
            .build();

    // ---- faults that must be detected ----

    @Test
    void killDetectedInTimeIsAsExpected() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.KILL, worker);
        pass(KILL_BOUND);
        crashAndBackOff(Cause.CRASHED, SIGKILL);

        assertCounts(FaultKind.KILL, 1, 1, 0, 0);
        assertThat(ledger.unexplained()).isZero();
    }

    @Test
    void killDetectedTooLateIsMissed() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.KILL, worker);
        pass(KILL_BOUND.plusMillis(1));
        crashAndBackOff(Cause.CRASHED, SIGKILL);

        assertCounts(FaultKind.KILL, 1, 0, 0, 1);
    }

    @Test
    void pauseDuringAFaultIsAddedToItsBound() {
        heldUp.set(Duration.ofMinutes(1).toNanos()); // before
        startReady(Purpose.CALM);
        ledger.open(FaultKind.KILL, worker);
        heldUp.addAndGet(Duration.ofMillis(100).toNanos());
        pass(KILL_BOUND.plusMillis(100));
        crashAndBackOff(Cause.CRASHED, SIGKILL);
        assertCounts(FaultKind.KILL, 1, 1, 0, 0);

        startReady(Purpose.CALM);
        ledger.open(FaultKind.KILL, worker);
        pass(KILL_BOUND.plusMillis(1));
        crashAndBackOff(Cause.CRASHED, SIGKILL);
        assertCounts(FaultKind.KILL, 2, 1, 0, 1);
    }

    @Test
    void killNeverDetectedIsMissed() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.KILL, worker);
        pass(Duration.ofMinutes(1));
        ledger.countOverdue();

        assertCounts(FaultKind.KILL, 1, 0, 0, 1);
    }

    @Test
    void killReportedAsAnOrdinaryExitIsUnexplained() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.KILL, worker);
        crashAndBackOff(Cause.CRASHED, ExitStatus.unrequested(1));

        assertThat(ledger.unexplained()).isEqualTo(1);
        assertCounts(FaultKind.KILL, 1, 0, 1, 0);
    }

    @Test
    void stopOfAHungWorkerIsAsExpectedAndItsExitIsNoSecondFinding() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.HANG, worker);
        pass(bounds.of(FaultKind.HANG));
        stopping(StopReason.UNHEALTHY);
        crashAndBackOff(Cause.UNHEALTHY, ExitStatus.requested(137));

        assertCounts(FaultKind.HANG, 1, 1, 0, 0);
        assertCounts(FaultKind.END, 1, 1, 0, 0);
        assertThat(ledger.unexplained()).isZero();
    }

    @Test
    void stopOfAHungWorkerAfterTooFewFailedChecksIsUnexplained() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.HANG, worker);
        WorkerInfo stopping = worker.toBuilder()
                .failedHealthChecks(bounds.config().failureThreshold() - 1)
                .state(new Stopping(StopReason.UNHEALTHY))
                .build();
        judge.onEvent(new WorkerEvent.StopStarted(stopping, StopReason.UNHEALTHY));

        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    @Test
    void stopOfAWorkerWithoutHeartbeatsIsInTimeOrMissed() {
        startReady(Purpose.BUSY);
        ledger.open(FaultKind.MUTE, worker);
        pass(bounds.of(FaultKind.MUTE));
        stopping(StopReason.HEARTBEAT_MISSED);
        crashAndBackOff(Cause.HEARTBEAT_MISSED, SIGTERM);
        assertCounts(FaultKind.MUTE, 1, 1, 0, 0);

        startReady(Purpose.BUSY);
        ledger.open(FaultKind.MUTE, worker);
        pass(bounds.of(FaultKind.MUTE).plusMillis(1));
        stopping(StopReason.HEARTBEAT_MISSED);
        assertCounts(FaultKind.MUTE, 2, 1, 0, 1);
        assertThat(ledger.unexplained()).isZero();
    }

    @Test
    void stopAfterTooFewMissedHeartbeatsIsUnexplained() {
        startReady(Purpose.BUSY);
        ledger.open(FaultKind.MUTE, worker);
        pass(bounds.shortestSilence().minusMillis(1));
        stopping(StopReason.HEARTBEAT_MISSED);

        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    @Test
    void operatorsRestartIsAsExpectedWhenTheNextGenerationHasStarted() {
        startReady(Purpose.BUSY);
        ledger.open(FaultKind.OPERATOR_RESTART, worker);
        stopping(StopReason.RESTART);
        backOff(exit(Cause.RESTART, SIGTERM));
        assertCounts(FaultKind.OPERATOR_RESTART, 1, 0, 0, 0);
        pass(bounds.of(FaultKind.OPERATOR_RESTART));
        restarted(2);

        assertCounts(FaultKind.OPERATOR_RESTART, 1, 1, 0, 0);
        assertCounts(FaultKind.END, 1, 1, 0, 0);
        assertThat(ledger.unexplained()).isZero();
        assertThat(ledger.mayBeUsed("w")).isTrue();
    }

    @Test
    void lateOrMissingOperatorsRestartIsMissed() {
        startReady(Purpose.BUSY);
        ledger.open(FaultKind.OPERATOR_RESTART, worker);
        stopping(StopReason.RESTART);
        backOff(exit(Cause.RESTART, SIGTERM));
        pass(bounds.of(FaultKind.OPERATOR_RESTART).plusMillis(1));
        restarted(2);
        assertCounts(FaultKind.OPERATOR_RESTART, 1, 0, 0, 1);

        ledger.open(FaultKind.OPERATOR_RESTART, worker);
        pass(Duration.ofMinutes(1));
        ledger.countOverdue();
        assertCounts(FaultKind.OPERATOR_RESTART, 2, 0, 0, 2);
    }

    @Test
    void removalInsteadOfAnOperatorsRestartIsUnexplained() {
        startReady(Purpose.BUSY);
        ledger.open(FaultKind.OPERATOR_RESTART, worker);
        stopping(StopReason.RESTART);
        remove(Cause.RESTART, SIGTERM);

        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    @Test
    void restartWithAWrongGenerationIsUnexplained() {
        startReady(Purpose.BUSY);
        ledger.open(FaultKind.OPERATOR_RESTART, worker);
        stopping(StopReason.RESTART);
        backOff(exit(Cause.RESTART, SIGTERM));
        restarted(1);

        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    @Test
    void stoppedWorkerThatDoesNotExitIsMissed() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.STOP, worker);
        stopping(StopReason.REQUESTED);
        pass(Duration.ofMinutes(1));
        ledger.countOverdue();

        assertCounts(FaultKind.STOP, 1, 0, 0, 1);
        assertCounts(FaultKind.END, 1, 0, 0, 1);
    }

    @Test
    void missingRestartIsMissed() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.KILL, worker);
        crashAndBackOff(Cause.CRASHED, SIGKILL);
        pass(Duration.ofMinutes(1));
        ledger.countOverdue();

        assertCounts(FaultKind.RESTART, 1, 0, 0, 1);
    }

    @Test
    void restartWithoutItsDelayIsUnexplained() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.KILL, worker);
        crashAndBackOff(Cause.CRASHED, SIGKILL);
        restarted(2, RESTART_AT.minusNanos(1));

        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    @Test
    void restartWithATooLongDelayIsUnexplained() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.KILL, worker);
        WorkerInfo crashed = backingOff(exit(Cause.CRASHED, SIGKILL));
        judge.onEvent(new WorkerEvent.Crashed(crashed, exit(Cause.CRASHED, SIGKILL)));
        Instant tooLate = START.plus(bounds.restart().max()).plusNanos(1);
        judge.onEvent(new WorkerEvent.RestartScheduled(crashed, 1, tooLate));

        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    @Test
    void workerThatNeverBecomesReadyIsMissed() {
        start(Purpose.CALM);
        pass(Duration.ofMinutes(1));
        ledger.countOverdue();

        assertCounts(FaultKind.LOAD, 1, 0, 0, 1);
    }

    @Test
    void missingRestartAfterACrashIsUnexplained() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.KILL, worker);
        Exit exit = exit(Cause.CRASHED, SIGKILL);
        judge.onEvent(new WorkerEvent.Crashed(worker, exit));
        judge.onEvent(new WorkerEvent.Removed(worker, Cause.CRASHED, Optional.of(exit)));

        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    @Test
    void crashLoopIsAsExpectedAfterTheRestartsOfThePolicy() {
        start(Purpose.CRASH_LOOP);
        crashLoopUntilGeneration(3);
        Exit last = exit(Cause.CRASH_LOOP, ExitStatus.unrequested(FaultWorker.CRASH_CODE));
        judge.onEvent(new WorkerEvent.Crashed(worker, last));
        judge.onEvent(new WorkerEvent.Removed(worker, Cause.CRASH_LOOP, Optional.of(last)));

        assertCounts(FaultKind.CRASH_LOOP, 1, 1, 0, 0);
        assertThat(ledger.unexplained()).isZero();
    }

    @Test
    void crashLoopEndedOneRestartTooEarlyIsUnexplained() {
        start(Purpose.CRASH_LOOP);
        crashLoopUntilGeneration(2);
        Exit last = exit(Cause.CRASH_LOOP, ExitStatus.unrequested(FaultWorker.CRASH_CODE));
        judge.onEvent(new WorkerEvent.Crashed(worker, last));

        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    @Test
    void crashLoopThatIsNeverEndedIsUnexplained() {
        start(Purpose.CRASH_LOOP);
        crashLoopUntilGeneration(4);

        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    // ---- faults that must be survived ----

    @Test
    void killForAShortPauseIsUnexplainedAndThePauseIsMissed() {
        startReady(Purpose.CALM);
        Fault pause = ledger.open(FaultKind.PAUSE, worker).orElseThrow();
        pass(Duration.ofSeconds(1));
        pause.undone(now.get());
        pass(Duration.ofSeconds(1));
        stopping(StopReason.UNHEALTHY);

        assertThat(ledger.unexplained()).isEqualTo(1);
        assertCounts(FaultKind.PAUSE, 1, 0, 0, 1);
    }

    @Test
    void pauseMayCauseMissedHeartbeatsOnlyIfLongEnough() {
        startReady(Purpose.BUSY);
        ledger.open(FaultKind.PAUSE, worker);
        pass(bounds.shortestSilence());
        stopping(StopReason.HEARTBEAT_MISSED);
        crashAndBackOff(Cause.HEARTBEAT_MISSED, SIGTERM);
        assertThat(ledger.unexplained()).isZero();
        assertCounts(FaultKind.PAUSE, 1, 0, 1, 0);

        startReady(Purpose.BUSY);
        ledger.open(FaultKind.PAUSE, worker);
        pass(bounds.shortestSilence().minusMillis(1));
        stopping(StopReason.HEARTBEAT_MISSED);
        assertThat(ledger.unexplained()).isEqualTo(1);
        assertCounts(FaultKind.PAUSE, 2, 0, 1, 1);
    }

    @Test
    void pauseLongerThanThreeFailedChecksMayCauseAStop() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.PAUSE, worker);
        pass(bounds.shortestHang());
        stopping(StopReason.UNHEALTHY);
        crashAndBackOff(Cause.UNHEALTHY, SIGTERM);

        assertThat(ledger.unexplained()).isZero();
        assertCounts(FaultKind.PAUSE, 1, 0, 1, 0);
    }

    @Test
    void killOfASlowWorkerIsUnexplained() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.SLOW, worker);
        pass(Duration.ofMinutes(1));
        stopping(StopReason.UNHEALTHY);

        assertThat(ledger.unexplained()).isEqualTo(1);
        assertCounts(FaultKind.SLOW, 1, 0, 0, 1);
    }

    @Test
    void survivedFaultIsAsExpected() {
        startReady(Purpose.CALM);
        ledger.survived(ledger.open(FaultKind.SLOW, worker).orElseThrow());

        assertCounts(FaultKind.SLOW, 1, 1, 0, 0);
    }

    @Test
    void fullDiskIsMissedIfAWorkerWasKilledWithoutAReason() {
        startReady(Purpose.CALM);
        crashAndBackOff(Cause.CRASHED, SIGKILL);
        ledger.passed(FaultKind.DISK_FULL, 0, 0);
        ledger.passed(FaultKind.DISK_FULL, 0, 1);

        assertCounts(FaultKind.DISK_FULL, 2, 1, 0, 1);
    }

    // ---- events without a reason ----

    @Test
    void crashWithoutAFaultIsUnexplained() {
        startReady(Purpose.CALM);
        crashAndBackOff(Cause.CRASHED, SIGKILL);

        assertThat(ledger.unexplained()).isEqualTo(1);
        assertThat(remarks.lines()).singleElement().asString().contains("w, generation 1", "CRASHED", "signal 9");
    }

    @Test
    void idleTimeoutOfARecentlyLeasedWorkerIsUnexplained() {
        registry.register(worker.toBuilder().state(new Idle()).build());
        startReady(Purpose.CALM);
        pass(Duration.ofSeconds(9));
        useOnce();
        pass(Duration.ofSeconds(2));
        stopping(StopReason.IDLE_TIMEOUT);

        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    @Test
    void idleTimeoutInTimeIsAsExpectedAndALateOneIsMissed() {
        startReady(Purpose.QUIET);
        pass(Duration.ofSeconds(10));
        stopping(StopReason.IDLE_TIMEOUT);
        remove(Cause.IDLE_TIMEOUT, SIGTERM);
        assertCounts(FaultKind.IDLE, 1, 1, 0, 0);
        assertThat(ledger.unexplained()).isZero();

        startReady(Purpose.QUIET);
        pass(bounds.of(FaultKind.IDLE).plusMillis(1));
        stopping(StopReason.IDLE_TIMEOUT);
        assertCounts(FaultKind.IDLE, 2, 1, 0, 1);
    }

    @Test
    void unrequestedStopIsUnexplainedUnlessInAShutdown() {
        startReady(Purpose.CALM);
        stopping(StopReason.REQUESTED);
        assertThat(ledger.unexplained()).isEqualTo(1);

        startReady(Purpose.CALM);
        judge.shuttingDown();
        stopping(StopReason.SHUTDOWN);
        remove(Cause.SHUTDOWN, SIGTERM);
        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    @Test
    void lostEventsAndUnknownWorkersAreUnexplained() {
        judge.onEvent(new WorkerEvent.Overflowed(1));
        judge.onEvent(new WorkerEvent.Registered(worker));

        assertThat(ledger.unexplained()).isEqualTo(2);
    }

    // ---- overtaken faults ----

    @Test
    void killAfterTheIdleTimeoutStoppedTheWorkerIsOvertaken() {
        startReady(Purpose.CALM);
        ledger.open(FaultKind.KILL, worker);
        pass(Duration.ofSeconds(10));
        stopping(StopReason.IDLE_TIMEOUT);
        remove(Cause.IDLE_TIMEOUT, SIGTERM);

        assertCounts(FaultKind.KILL, 1, 0, 1, 0);
        assertThat(ledger.unexplained()).isZero();
    }

    @Test
    void workerHasOneFaultAtATimeAndNoneAfterItsExit() {
        startReady(Purpose.CALM);
        assertThat(ledger.mayBeUsed("w")).isTrue();
        assertThat(ledger.open(FaultKind.KILL, worker)).isPresent();
        assertThat(ledger.mayBeUsed("w")).isFalse();
        assertThat(ledger.open(FaultKind.HANG, worker)).isEmpty();

        crashAndBackOff(Cause.CRASHED, SIGKILL);
        assertThat(ledger.open(FaultKind.KILL, worker)).isEmpty();
    }

    @Test
    void withdrawnFaultIsNotCounted() {
        startReady(Purpose.CALM);
        ledger.withdraw(ledger.open(FaultKind.KILL, worker).orElseThrow());

        assertCounts(FaultKind.KILL, 0, 0, 0, 0);
    }

    // ---- the simulated library ----

    private void start(Purpose purpose) {
        worker = worker.toBuilder()
                .modelRef(purpose.model())
                .generation(1)
                .startedAt(START)
                .build();
        ledger.spawning("w", purpose);
        judge.onEvent(new WorkerEvent.Registered(worker));
    }

    private void startReady(Purpose purpose) {
        start(purpose);
        judge.onEvent(new WorkerEvent.BecameReady(worker));
    }

    private void crashLoopUntilGeneration(int generation) {
        while (worker.generation() < generation) {
            crashAndBackOff(Cause.CRASHED, ExitStatus.unrequested(FaultWorker.CRASH_CODE));
            restarted(worker.generation() + 1);
        }
    }

    private void restarted(int generation) {
        restarted(generation, RESTART_AT);
    }

    private void restarted(int generation, Instant at) {
        worker = worker.toBuilder().generation(generation).startedAt(at).build();
        judge.onEvent(new WorkerEvent.Restarted(worker));
    }

    private void stopping(StopReason reason) {
        WorkerInfo stopping = worker.toBuilder()
                .failedHealthChecks(bounds.config().failureThreshold())
                .state(new Stopping(reason))
                .build();
        judge.onEvent(new WorkerEvent.StopStarted(stopping, reason));
    }

    private void crashAndBackOff(Cause cause, ExitStatus status) {
        Exit exit = exit(cause, status);
        judge.onEvent(new WorkerEvent.Crashed(backingOff(exit), exit));
        backOff(exit);
    }

    private void backOff(Exit exit) {
        judge.onEvent(new WorkerEvent.RestartScheduled(backingOff(exit), 1, RESTART_AT));
    }

    private WorkerInfo backingOff(Exit exit) {
        return worker.toBuilder().state(new BackingOff(1, RESTART_AT, exit)).build();
    }

    private void remove(Cause cause, ExitStatus status) {
        judge.onEvent(new WorkerEvent.Removed(worker, cause, Optional.of(exit(cause, status))));
    }

    private Exit exit(Cause cause, ExitStatus status) {
        return new Exit(worker.incarnation(), worker.modelRef(), cause, status, List.of(), START);
    }

    private void useOnce() {
        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
        leases.taken(lease);
        leases.giveBack(lease);
    }

    private void pass(Duration time) {
        now.addAndGet(time.toNanos());
    }

    private void assertCounts(FaultKind kind, int injected, int asExpected, int overtaken, int missed) {
        assertThat(ledger.counts(kind))
                .extracting(
                        Tally.Counts::injected, Tally.Counts::asExpected, Tally.Counts::overtaken, Tally.Counts::missed)
                .as("injected, as expected, overtaken, missed")
                .containsExactly(injected, asExpected, overtaken, missed);
    }
}
