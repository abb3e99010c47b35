package io.github.workerregistry.examples.faults;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.PendingSlot;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.examples.ExpectWarnings;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.ModelSpec;
import io.github.workerregistry.pool.PoolConfig;
import io.github.workerregistry.pool.WorkerPool;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** Tests the judge of the model pool with a pool of two models, room for one: errors must be detected. */
@ExpectWarnings("has ended: CRASHED")
class PoolJudgeTest {

    private static final Duration KILL_BOUND = Duration.ofMillis(250);
    private static final int SIGKILL = 137;

    private final VirtualTime time = new VirtualTime();
    private final FakeProcessController processes = new FakeProcessController();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).timer(time).build();
    private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
            .processController(processes)
            .lifecycle(LifecycleConfig.builder().noIdleTimeout().build())
            .build();
    private final WorkerPool pool = WorkerPool.builder(registry, supervisor)
            .config(PoolConfig.builder()
                    .device("cpu", 0, 1)
                    .model(model("a"))
                    .model(model("b"))
                    .build())
            .blockingExecutor(time)
            .build();

    private final AtomicLong now = new AtomicLong();
    private final Bounds bounds = new Bounds(
            LifecycleConfig.defaults(),
            RestartPolicy.onFailure(),
            KILL_BOUND,
            Duration.ofSeconds(10),
            Duration.ofSeconds(1));
    private final Ledger ledger = new Ledger(bounds, now::get, () -> 0, new Remarks());
    private final PoolJudge judge = new PoolJudge(ledger, now::get);

    PoolJudgeTest() {
        registry.subscribe(judge, Runnable::run);
        pool.subscribe(judge, Runnable::run);
    }

    private static ModelSpec model(String name) {
        return ModelSpec.builder(name)
                .worker(WorkerSpec.builder().command("serve").url("http://worker"))
                .build();
    }

    // ---- workers ----

    @Test
    void killDetectedInTimeIsAsExpectedAndALaterOneIsMissed() {
        WorkerInfo first = ready("a");
        judge.hit(FaultKind.MODEL_KILL, first);
        exit(first, SIGKILL);
        assertCounts(FaultKind.MODEL_KILL, 1, 1, 0, 0);

        WorkerInfo second = ready("b");
        judge.hit(FaultKind.MODEL_KILL, second);
        now.addAndGet(KILL_BOUND.toNanos() + 1);
        exit(second, SIGKILL);
        assertCounts(FaultKind.MODEL_KILL, 2, 1, 0, 1);
        assertThat(ledger.unexplained()).isZero();
    }

    @Test
    void faultThatHasNoEffectIsMissedAtTheEnd() {
        judge.hit(FaultKind.MODEL_HANG, ready("a"));
        assertThat(judge.isSettled()).isFalse();
        judge.end();

        assertCounts(FaultKind.MODEL_HANG, 1, 0, 0, 1);
    }

    @Test
    void workerIsHitOnceAndNotAtAllIfItHadExited() {
        WorkerInfo worker = ready("a");
        judge.withdraw(judge.hit(FaultKind.MODEL_HANG, worker).orElseThrow());
        assertThat(judge.wasHit(worker.id())).isFalse();
        assertCounts(FaultKind.MODEL_HANG, 0, 0, 0, 0);

        assertThat(judge.hit(FaultKind.MODEL_KILL, worker)).isPresent();
        assertThat(judge.hit(FaultKind.MODEL_HANG, worker)).isEmpty();
        assertThat(judge.wasHit(worker.id())).isTrue();
    }

    @Test
    void exitWithoutAFaultIsUnexplained() {
        exit(ready("a"), SIGKILL);

        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    @Test
    void stopThatWasNotThePoolsIsUnexplainedUnlessItCloses() {
        supervisor.stop(ready("a").id());
        time.advance(Duration.ofSeconds(1));
        assertThat(ledger.unexplained()).isEqualTo(1);

        ready("b");
        judge.closing();
        pool.close();
        time.advance(Duration.ofSeconds(1));
        assertThat(registry.list()).isEmpty();
        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    @Test
    void evictionIsExpected() {
        ready("a");
        ready("b");

        assertThat(registry.list("a")).isEmpty();
        assertThat(ledger.unexplained()).isZero();
    }

    @Test
    void evictionBeforeTheProcessIsStartedIsExpectedAndAFailedStartIsNot() {
        WorkerInfo worker = loading("a");
        WorkerInfo evicted =
                worker.toBuilder().state(new Stopping(StopReason.EVICTED)).build();
        judge.onEvent(new WorkerEvent.Removed(evicted, Cause.START_FAILED, Optional.empty()));
        assertThat(ledger.unexplained()).isZero();

        judge.onEvent(new WorkerEvent.Removed(worker, Cause.START_FAILED, Optional.empty()));
        assertThat(ledger.unexplained()).isEqualTo(1);
    }

    // ---- failing loads ----

    @Test
    void failedLoadIsAsExpected() {
        judge.failing("a");
        exit(loading("a"), FaultWorker.CRASH_CODE);
        assertThat(judge.hasFailed("a")).isTrue();
        judge.failingNoMore("a");

        assertCounts(FaultKind.MODEL_FAILING, 1, 1, 0, 0);
        assertThat(ledger.unexplained()).isZero();
    }

    @Test
    void failingModelThatIsNotLoadedIsOvertaken() {
        judge.failing("a");
        ready("b");
        judge.failingNoMore("a");

        assertCounts(FaultKind.MODEL_FAILING, 1, 0, 1, 0);
    }

    // ---- requests and updates ----

    @Test
    void servedRequestIsAsExpectedOrLate() {
        judge.succeeded(judge.begin(FaultKind.MODEL_REQUEST, "a"));
        Fault slow = judge.begin(FaultKind.MODEL_REQUEST, "a");
        now.addAndGet(bounds.of(FaultKind.MODEL_REQUEST).toNanos() + 1);
        judge.succeeded(slow);

        assertCounts(FaultKind.MODEL_REQUEST, 2, 1, 0, 1);
    }

    @Test
    void requestThatFailsIsExplainedByAFaultOfItsLoad() {
        judge.failed(judge.begin(FaultKind.MODEL_REQUEST, "a"), failureAfter(FaultWorker.CRASH_CODE, false));
        judge.failed(judge.begin(FaultKind.MODEL_REQUEST, "b"), failureAfter(SIGKILL, true));
        assertCounts(FaultKind.MODEL_REQUEST, 2, 0, 2, 0);
    }

    @Test
    void requestThatFailsWithoutAFaultIsMissed() {
        judge.failed(judge.begin(FaultKind.MODEL_REQUEST, "b"), failureAfter(SIGKILL, false));
        assertCounts(FaultKind.MODEL_REQUEST, 1, 0, 0, 1);

        judge.failed(judge.begin(FaultKind.MODEL_REQUEST, "b"), new TimeoutException());
        judge.failed(judge.begin(FaultKind.MODEL_REQUEST, "b"), new CancellationException());
        assertCounts(FaultKind.MODEL_REQUEST, 3, 0, 0, 3);
    }

    @Test
    void requestThatFailsLateIsMissed() {
        Fault request = judge.begin(FaultKind.MODEL_REQUEST, "a");
        now.addAndGet(bounds.of(FaultKind.MODEL_REQUEST).toNanos() + 1);
        judge.failed(request, failureAfter(FaultWorker.CRASH_CODE, false));

        assertCounts(FaultKind.MODEL_REQUEST, 1, 0, 0, 1);
    }

    @Test
    void closedPoolExplainsAFailedRequestOnceItCloses() {
        PendingSlot pending = request("a");
        pool.close();
        Throwable failure = failure(pending);
        judge.failed(judge.begin(FaultKind.MODEL_REQUEST, "a"), failure);
        assertCounts(FaultKind.MODEL_REQUEST, 1, 0, 0, 1);

        judge.closing();
        judge.failed(judge.begin(FaultKind.MODEL_REQUEST, "a"), failure);
        judge.failed(judge.begin(FaultKind.MODEL_UPDATE, "a"), failure);
        assertCounts(FaultKind.MODEL_REQUEST, 2, 0, 1, 1);
        assertCounts(FaultKind.MODEL_UPDATE, 1, 0, 0, 1);
    }

    @Test
    void updateIsOvertakenByTheNextAndMissedIfItDoesNotEnd() {
        judge.failed(judge.begin(FaultKind.MODEL_UPDATE, "a"), new CancellationException());
        assertCounts(FaultKind.MODEL_UPDATE, 1, 0, 1, 0);
        assertThat(judge.isSettled()).isTrue();

        judge.begin(FaultKind.MODEL_UPDATE, "a");
        assertThat(judge.isSettled()).isFalse();
        judge.end();
        assertCounts(FaultKind.MODEL_UPDATE, 2, 0, 1, 1);
    }

    // ---- common ----

    private PendingSlot request(String model) {
        PendingSlot pending = pool.acquireAsync(SlotRequest.forModel(model), Duration.ofHours(1), Runnable::run);
        time.runDueTasks();
        return pending;
    }

    private WorkerInfo loading(String model) {
        request(model);
        time.advance(Duration.ofSeconds(1)); // another one has been evicted
        return registry.list(model).get(0);
    }

    /** A worker that has served a request, and is idle. */
    private WorkerInfo ready(String model) {
        PendingSlot pending = request(model);
        time.advance(Duration.ofSeconds(1));
        supervisor.reportReady(registry.list(model).get(0).id());
        time.runDueTasks();
        SlotLease lease = pending.lease().toCompletableFuture().join();
        lease.close();
        return registry.get(lease.workerId()).orElseThrow();
    }

    private void exit(WorkerInfo worker, int code) {
        processes.exit(worker.id(), code);
        time.advance(Duration.ofSeconds(1));
    }

    /** The failure of a request whose load exits with this code. */
    private Throwable failureAfter(int code, boolean hit) {
        String model = code == SIGKILL ? "b" : "a";
        PendingSlot pending = request(model);
        WorkerInfo worker = registry.list(model).get(0);
        if (hit) {
            judge.hit(FaultKind.MODEL_KILL, worker);
        }
        exit(worker, code);
        return failure(pending);
    }

    private static Throwable failure(PendingSlot pending) {
        return pending.lease()
                .toCompletableFuture()
                .handle((lease, failure) -> failure instanceof CompletionException ? failure.getCause() : failure)
                .join();
    }

    private void assertCounts(FaultKind kind, int injected, int asExpected, int overtaken, int missed) {
        Tally.Counts counts = ledger.counts(kind);
        assertThat(counts.injected()).as("injected").isEqualTo(injected);
        assertThat(counts.asExpected()).as("as expected").isEqualTo(asExpected);
        assertThat(counts.overtaken()).as("overtaken").isEqualTo(overtaken);
        assertThat(counts.missed()).as("missed").isEqualTo(missed);
    }
}
