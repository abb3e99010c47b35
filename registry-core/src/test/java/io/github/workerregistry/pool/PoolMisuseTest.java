package io.github.workerregistry.pool;

import static io.github.workerregistry.pool.VirtualPool.failure;
import static io.github.workerregistry.pool.VirtualPool.model;
import static io.github.workerregistry.pool.VirtualPool.room;
import static io.github.workerregistry.pool.VirtualPool.roomForOne;
import static io.github.workerregistry.pool.VirtualPool.worker;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.testing.FakeProcessController;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Foreign code and operators: calls from anywhere, at any time. */
@ExtendWith(UnexpectedWarnings.class)
class PoolMisuseTest {

    @Test
    void loadOfAModelThatAWorkerOfTheHiveServesCompletes() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        pool.supervisor.spawn(worker().id("own").modelRef("a").build());
        pool.supervisor.reportReady("own");
        pool.run();
        CompletableFuture<WorkerInfo> load = pool.pool.load("a").toCompletableFuture();
        pool.advanceSeconds(5);
        pool.ready("a");

        assertThat(load).isDone();
    }

    @Test
    void policyThatThrowsDoesNotStopOtherModels() {
        UnexpectedWarnings.expect("a plan failed");
        VirtualPool pool = new VirtualPool(
                PoolConfig.builder()
                        .device("cpu", 0, 2)
                        .device("cpu", 1, 1)
                        .model(model("a").devices(0).build())
                        .model(model("b").devices(0).build())
                        .model(model("c").devices(0).build())
                        .model(model("d").devices(1).build()),
                builder -> builder.evictionPolicy((x, y) -> {
                    throw new IllegalStateException("cannot compare " + x + " and " + y);
                }));
        pool.load("a");
        pool.load("b");
        pool.request("c");
        pool.request("d");
        pool.advanceSeconds(5);

        assertThat(pool.live("d")).hasSize(1);
        assertThat(pool.live("c")).hasSize(1);
    }

    @Test
    void nothingIsStartedOnceAPolicyHasClosedThePool() {
        WorkerPool[] closes = new WorkerPool[1];
        VirtualPool pool = new VirtualPool(
                PoolConfig.builder()
                        .device("cpu", 0, 2)
                        .device("cpu", 1, 1)
                        .model(model("a").devices(0).build())
                        .model(model("b").devices(0).build())
                        .model(model("c").devices(0).build())
                        .model(model("d").devices(1).build()),
                builder -> builder.evictionPolicy((x, y) -> {
                    closes[0].close();
                    return x.workerId().compareTo(y.workerId());
                }));
        closes[0] = pool.pool;
        pool.load("a");
        pool.load("b");
        pool.pending(SlotRequest.forModel("c"));
        pool.pending(SlotRequest.forModel("d"));
        pool.advanceSeconds(60);

        assertThat(pool.processes.starts()).isEqualTo(2);
        assertThat(pool.processes.running()).isEmpty();
    }

    @Test
    void startThatIsQueuedWhenThePoolClosesStartsNoProcess() {
        List<Runnable> queued = new ArrayList<>();
        VirtualPool pool = new VirtualPool(roomForOne(model("a")), builder -> builder, time -> queued::add);
        CompletableFuture<SlotLease> a = pool.request("a");
        pool.pool.close();
        queued.forEach(Runnable::run);
        pool.advanceSeconds(5);

        assertThat(failure(a)).isInstanceOf(PoolClosedException.class);
        assertThat(pool.processes.starts()).isZero();
        assertThat(pool.registry.list()).isEmpty();
    }

    @Test
    void unkillableProcessWithoutARecordThatExitsLateFreesItsRoom() {
        UnexpectedWarnings.expect("its units stay claimed", "survived SIGKILL");
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        String a = pool.load("a");
        pool.processes.ignoreKill(a);
        pool.registry.remove(a);
        CompletableFuture<SlotLease> b = pool.request("b");
        pool.advance(Duration.ofMinutes(20));
        assertThat(failure(b)).isInstanceOf(NoCapacityException.class).hasMessageContaining("could not be killed");
        assertThat(pool.status("a").unkillable()).containsExactly(a);
        assertThat(failure(pool.request("b"))).isInstanceOf(NoCapacityException.class);
        pool.processes.exit(a, 0);
        pool.advanceSeconds(1);
        assertThat(pool.status("a").workers()).isEmpty();
        pool.request("b");

        assertThat(pool.live("b")).hasSize(1);
    }

    @Test
    void victimThatCannotBeKilledIsNotAwaited() {
        UnexpectedWarnings.expect("its units stay claimed", "survived SIGKILL");
        VirtualPool pool = new VirtualPool(room(2, model("a"), model("b"), model("c")));
        String a = pool.load("a");
        pool.advanceSeconds(1);
        pool.load("b");
        pool.processes.ignoreTerminate(a);
        pool.processes.ignoreKill(a);
        pool.request("c");
        pool.advanceSeconds(1);
        assertThat(pool.live("b")).hasSize(1); // the room of a is being freed
        pool.advance(Duration.ofMinutes(1));

        assertThat(pool.live("b")).isEmpty();
        assertThat(pool.live("c")).hasSize(1);
    }

    @Test
    void modelWhoseWorkerCannotBeKilledIsLoadedElsewhere() {
        UnexpectedWarnings.expect("its units stay claimed", "survived SIGKILL", "is stopped: ");
        VirtualPool pool = new VirtualPool(room(2, loadedWithin5Seconds()));
        CompletableFuture<SlotLease> first = pool.request("a");
        String stuck = unkillable(pool);
        pool.advance(Duration.ofMinutes(20));
        assertThat(failure(first)).isInstanceOf(ModelLoadFailedException.class);
        CompletableFuture<SlotLease> second = pool.request("a");
        pool.ready("a");

        assertThat(second.join().workerId()).isNotEqualTo(stuck);
        assertThat(pool.status("a").unkillable()).containsExactly(stuck);
        assertThat(pool.status("a").state()).isEqualTo(ModelStatus.State.READY);
    }

    private static ModelSpec.Builder loadedWithin5Seconds() {
        return ModelSpec.builder("a")
                .worker(worker().lifecycle(LifecycleConfig.builder()
                        .noIdleTimeout()
                        .loadTimeout(Duration.ofSeconds(5))
                        .build()));
    }

    private static String unkillable(VirtualPool pool) {
        String id = pool.only("a").id();
        pool.processes.ignoreTerminate(id);
        pool.processes.ignoreKill(id);
        return id;
    }

    @Test
    void waitersOfALoadThatTimedOutEndThoughItsProcessCannotBeKilled() {
        UnexpectedWarnings.expect("is stopped: ", "survived SIGKILL");
        VirtualPool pool = new VirtualPool(roomForOne(loadedWithin5Seconds(), model("b")));
        CompletableFuture<SlotLease> a = pool.request("a");
        CompletableFuture<WorkerInfo> load = pool.pool.load("a").toCompletableFuture();
        String stuck = unkillable(pool);
        pool.advance(Duration.ofMinutes(1));
        assertThat(failure(a)).isInstanceOf(ModelLoadFailedException.class).hasMessageContaining("survived SIGKILL");
        assertThat(failure(load)).isInstanceOf(ModelLoadFailedException.class);
        pool.advance(Duration.ofMinutes(20));
        assertThat(failure(pool.request("a"))).isInstanceOf(NoCapacityException.class);

        pool.processes.exit(stuck, 0);
        pool.advanceSeconds(1);
        assertThat(pool.request("a")).isNotDone();
        assertThat(pool.live("a")).hasSize(1);
    }

    @Test
    void workerThatTheHiveRestartsIsEvictedForAnotherModel() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        String a = pool.load("a");
        pool.supervisor.restart(a);
        pool.run();
        CompletableFuture<SlotLease> b = pool.request("b");
        for (int i = 0; i < 60; i++) {
            pool.advanceSeconds(1);
            assertThat(pool.processes.running()).hasSizeLessThanOrEqualTo(1);
            if (i == 10) {
                pool.ready("a");
            }
            pool.ready("b");
        }
        assertThat(b).isDone();
    }

    @Test
    void poolMayBeClosedByTheStageOfALoad() {
        VirtualPool pool = new VirtualPool(room(2, model("a"), model("b")));
        CompletableFuture<WorkerInfo> a = pool.pool.load("a").toCompletableFuture();
        a.thenRun(pool.pool::close);
        CompletableFuture<SlotLease> b = pool.request("b");
        pool.ready("a");
        pool.advanceSeconds(60);
        assertThat(failure(b)).isInstanceOf(PoolClosedException.class);
        assertThat(pool.processes.running()).isEmpty();
    }

    @Test
    void nothingFurtherIsStartedOnceAStartHasClosedThePool() {
        WorkerPool[] closes = new WorkerPool[1];
        VirtualPool pool = new VirtualPool(
                room(3, model("a"), model("b"), model("c")),
                builder -> builder,
                time -> Runnable::run,
                new FakeProcessController(),
                processes -> spec -> {
                    closes[0].close();
                    return processes.start(spec);
                });
        closes[0] = pool.pool;
        List<CompletableFuture<SlotLease>> asked = new ArrayList<>();
        for (String name : List.of("a", "b", "c")) {
            asked.add(pool.pending(SlotRequest.forModel(name)).lease().toCompletableFuture());
        }
        pool.advanceSeconds(60);
        assertThat(pool.processes.running()).isEmpty();
        assertThat(pool.processes.starts()).isLessThanOrEqualTo(1);
        assertThat(asked).allMatch(CompletableFuture::isDone);
    }

    @Test
    void requestsEndWhenTheSupervisorIsClosedFirst() {
        VirtualPool pool = new VirtualPool(room(2, model("a"), model("b").minWorkers(1)));
        pool.load("a");
        pool.supervisor.closeNow();
        pool.advanceSeconds(5);
        CompletableFuture<SlotLease> a = pool.request("a");
        pool.advance(Duration.ofMinutes(5));
        assertThat(a).isDone();
    }
}
