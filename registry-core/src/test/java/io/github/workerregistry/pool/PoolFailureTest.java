package io.github.workerregistry.pool;

import static io.github.workerregistry.pool.VirtualPool.failure;
import static io.github.workerregistry.pool.VirtualPool.model;
import static io.github.workerregistry.pool.VirtualPool.room;
import static io.github.workerregistry.pool.VirtualPool.roomForOne;
import static io.github.workerregistry.pool.VirtualPool.scaled;
import static io.github.workerregistry.pool.VirtualPool.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.FakeProcessController;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Point 8: failed loads, crashes, unload. */
@ExtendWith(UnexpectedWarnings.class)
class PoolFailureTest {

    private static final String CRASHED = "has ended: CRASHED";

    private static ModelLoadFailedException crashWhileLoading(VirtualPool pool, CompletableFuture<SlotLease> request) {
        pool.processes.exit(pool.only("a").id(), 3);
        pool.run();
        return (ModelLoadFailedException) failure(request);
    }

    @Test
    void failedLoadFailsAllThatWaitWithTheExit() {
        UnexpectedWarnings.expect(CRASHED);
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        CompletableFuture<SlotLease> first = pool.request("a");
        CompletableFuture<SlotLease> second = pool.request("a");
        CompletableFuture<WorkerInfo> load = pool.pool.load("a").toCompletableFuture();
        pool.run();
        ModelLoadFailedException thrown = crashWhileLoading(pool, first);

        assertThat(thrown.exit().map(Exit::cause)).contains(Exit.Cause.CRASHED);
        assertThat(thrown.retryAt()).contains(pool.time.instant().plusSeconds(1));
        assertThat(thrown.retryAfter()).contains(Duration.ofSeconds(1));
        assertThat(thrown.modelRef()).isEqualTo("a");
        assertThat(failure(second)).isInstanceOf(ModelLoadFailedException.class);
        assertThat(failure(load)).isInstanceOf(ModelLoadFailedException.class);
        assertThat(pool.status("a").state()).isEqualTo(ModelStatus.State.FAILED);
        assertThat(pool.status("a").failure()).isPresent();
    }

    @Test
    void requestInsideTheWindowFailsAtOnceWithoutAProcess() {
        UnexpectedWarnings.expect(CRASHED);
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        crashWhileLoading(pool, pool.request("a"));
        assertThat(failure(pool.request("a"))).isInstanceOf(ModelLoadFailedException.class);
        assertThat(pool.processes.starts()).isOne();

        pool.advance(Duration.ofMillis(1001));
        assertThat(pool.request("a")).isNotDone();
        assertThat(pool.processes.starts()).isEqualTo(2);
    }

    /** Report 22: each request brought a fresh respawn, without a bound. */
    @Test
    void windowGrowsAndEndsAtTheLimit() {
        UnexpectedWarnings.expect(CRASHED);
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        List<Duration> windows = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            ModelLoadFailedException thrown = crashWhileLoading(pool, pool.request("a"));
            windows.add(thrown.retryAfter().orElseThrow());
            pool.advance(windows.get(i).plusMillis(1));
        }
        assertThat(windows).extracting(Duration::toSeconds).containsExactly(1L, 2L, 4L, 8L, 16L);
        assertThat(crashWhileLoading(pool, pool.request("a")).retryAt()).isEmpty();
        pool.advance(Duration.ofHours(2));
        assertThat(failure(pool.request("a"))).isInstanceOf(ModelLoadFailedException.class);
        assertThat(pool.processes.starts()).isEqualTo(6);

        CompletableFuture<WorkerInfo> load = pool.pool.load("a").toCompletableFuture();
        pool.run();
        pool.ready("a");
        assertThat(load.join()).isNotNull();
        assertThat(pool.status("a").failure()).isEmpty();
    }

    @Test
    void policyThatNeverRestartsNeedsALoadByHand() {
        UnexpectedWarnings.expect(CRASHED);
        VirtualPool pool = new VirtualPool(
                roomForOne(ModelSpec.builder("a").worker(worker().restartPolicy(RestartPolicy.never()))));

        assertThat(crashWhileLoading(pool, pool.request("a")).retryAt()).isEmpty();
    }

    @Test
    void processThatCannotBeStartedIsAFailedLoad() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        pool.processes.failNextStart("no such program");
        Throwable thrown = failure(pool.request("a"));

        assertThat(thrown).isInstanceOf(ModelLoadFailedException.class).hasMessageContaining("no such program");
        pool.advance(Duration.ofMillis(1001));
        assertThat(pool.request("a")).isNotDone(); // its room is free again
        assertThat(pool.live("a")).hasSize(1);
    }

    @Test
    void exitSoonAfterReadyCountsAsAFailedLoad() {
        UnexpectedWarnings.expect(CRASHED);
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        String a = pool.load("a");
        pool.advanceSeconds(5);
        pool.processes.exit(a, 1);
        pool.run();

        assertThat(failure(pool.request("a"))).isInstanceOf(ModelLoadFailedException.class);
    }

    @Test
    void lateCrashWithoutDemandStartsNothing() {
        UnexpectedWarnings.expect(CRASHED);
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        String a = pool.load("a");
        pool.advance(Duration.ofMinutes(11));
        pool.processes.exit(a, 1);
        pool.advanceSeconds(60);
        assertThat(pool.processes.starts()).isOne();

        assertThat(pool.request("a")).isNotDone();
        assertThat(pool.processes.starts()).isEqualTo(2);
    }

    @Test
    void lateCrashWithDemandStartsTheNextWorkerAtOnce() {
        UnexpectedWarnings.expect(CRASHED);
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        SlotLease open = pool.lease("a");
        pool.advance(Duration.ofMinutes(11));
        CompletableFuture<SlotLease> next = pool.request("a");
        pool.processes.exit(open.workerId(), 1);
        pool.run();
        pool.ready("a");

        assertThat(next.join().workerId()).isNotEqualTo(open.workerId());
    }

    @Test
    void requestsWaitWhileAnotherWorkerServes() {
        UnexpectedWarnings.expect(CRASHED);
        VirtualPool pool = new VirtualPool(room(2, scaled("a", 2)));
        SlotLease open = pool.lease("a");
        CompletableFuture<SlotLease> second = pool.request("a");
        pool.advanceSeconds(2);
        String loading = pool.live("a").get(1);
        pool.processes.exit(loading, 1);
        pool.run();
        assertThat(second).isNotDone();
        open.close();

        assertThat(second).isDone();
    }

    @Test
    void minimumIsLoadedAndLoadedAgainAfterTheWindow() {
        UnexpectedWarnings.expect(CRASHED);
        VirtualPool pool = new VirtualPool(roomForOne(model("a").minWorkers(1)));
        pool.processes.exit(pool.only("a").id(), 1);
        pool.run();
        assertThat(pool.processes.starts()).isOne();
        pool.advance(Duration.ofMillis(1001));

        assertThat(pool.processes.starts()).isEqualTo(2);
    }

    @Test
    void unloadFailsNoWaiter() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        SlotLease open = pool.lease("a");
        CompletableFuture<SlotLease> waiting = pool.request("a");
        CompletableFuture<Void> unloaded = pool.pool.unload("a").toCompletableFuture();
        assertThat(pool.live("a")).isEmpty();
        open.close();
        pool.advanceSeconds(1);
        assertThat(unloaded).isDone();
        pool.ready("a");

        assertThat(waiting.join()).isNotNull();
    }

    @Test
    void unloadSuspendsTheMinimumUntilTheNextDemand() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a").minWorkers(1)));
        pool.ready("a");
        pool.pool.unload("a");
        pool.advanceSeconds(60);
        assertThat(pool.processes.running()).isEmpty();

        pool.load("a");
        String next = pool.only("a").id();
        pool.advance(Duration.ofMinutes(11));
        UnexpectedWarnings.expect(CRASHED);
        pool.processes.exit(next, 1);
        pool.advanceSeconds(1);
        assertThat(pool.live("a")).hasSize(1); // the minimum applies again
    }

    @Test
    void unloadDuringALoadStopsIt() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a").minWorkers(1)));
        CompletableFuture<Void> unloaded = pool.pool.unload("a").toCompletableFuture();
        pool.advanceSeconds(1);

        assertThat(unloaded).isDone();
        assertThat(pool.processes.running()).isEmpty();
        assertThat(pool.events).noneMatch(PoolEvent.LoadFailed.class::isInstance);
    }

    /** Report 16: the starter died holding the load lock, and the model was unroutable for 15 minutes. */
    @Test
    void startThatNeverReturnsIsBoundedByTheLoadTimeout() {
        UnexpectedWarnings.expect("is stopped: ", "was stopped during its start");
        LifecycleConfig lifecycle = LifecycleConfig.builder()
                .noIdleTimeout()
                .loadTimeout(Duration.ofSeconds(5))
                .build();
        HungStarts hung = new HungStarts();
        VirtualPool pool = new VirtualPool(
                roomForOne(ModelSpec.builder("a").worker(worker().lifecycle(lifecycle)), model("b")),
                builder -> builder,
                time -> hung,
                new FakeProcessController(),
                hung::around);
        CompletableFuture<SlotLease> a = pool.request("a");
        hung.awaitStart();
        pool.advanceSeconds(30);

        assertThat(failure(a)).isInstanceOf(ModelLoadFailedException.class);
        CompletableFuture<SlotLease> b = pool.request("b");
        pool.advanceSeconds(5);
        assertThat(pool.registry.list("b")).isEmpty(); // its process may still come: the room is claimed
        hung.release();
        pool.advanceSeconds(1);
        assertThat(pool.live("b")).hasSize(1);
        assertThat(b).isNotDone();
    }

    /** Its room was free as soon as its start had returned. */
    @Test
    void processOfAnAbandonedStartHoldsItsRoomUntilItHasExited() {
        UnexpectedWarnings.expect("is stopped: ", "was stopped during its start");
        LifecycleConfig lifecycle = LifecycleConfig.builder()
                .noIdleTimeout()
                .loadTimeout(Duration.ofSeconds(5))
                .build();
        HungStarts hung = new HungStarts();
        FakeProcessController processes = new FakeProcessController();
        VirtualPool pool = new VirtualPool(
                roomForOne(ModelSpec.builder("a").worker(worker().lifecycle(lifecycle)), model("b")),
                builder -> builder,
                time -> hung,
                processes,
                started -> hung.around(spec -> {
                    WorkerProcess process = started.start(spec);
                    if (processes.starts() == 1) {
                        processes.ignoreKill(spec.workerId());
                    }
                    return process;
                }));
        CompletableFuture<SlotLease> a = pool.request("a");
        hung.awaitStart();
        String late = pool.only("a").id();
        pool.advanceSeconds(30);
        assertThat(failure(a)).isInstanceOf(ModelLoadFailedException.class);
        CompletableFuture<SlotLease> b = pool.request("b");
        hung.release();
        pool.advanceSeconds(5);
        assertThat(processes.running()).containsExactly(late);
        processes.exit(late, 137);
        await().untilAsserted(
                        () -> { // in real time
                            pool.run();
                            assertThat(pool.live("b")).hasSize(1);
                        });

        assertThat(b).isNotDone();
    }
}
