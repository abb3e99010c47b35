package io.github.workerregistry.pool;

import static io.github.workerregistry.pool.VirtualPool.failure;
import static io.github.workerregistry.pool.VirtualPool.model;
import static io.github.workerregistry.pool.VirtualPool.room;
import static io.github.workerregistry.pool.VirtualPool.roomForOne;
import static io.github.workerregistry.pool.VirtualPool.scaled;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.NoWorkerException;
import io.github.workerregistry.PendingSlot;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Nobody waits for what never comes, and no room is lost to those that push out one another. */
@ExtendWith(UnexpectedWarnings.class)
class PoolStarvationTest {

    @Test
    void loadThatNobodyWaitsForAnyMoreGivesWaySoon() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        PendingSlot a = pool.pending(SlotRequest.forModel("a"));
        pool.run();
        pool.request("b");
        pool.advanceSeconds(1);
        a.cancel();
        pool.advanceSeconds(2);

        assertThat(pool.live("b")).hasSize(1);
    }

    private static PoolConfig.Builder twoDevices(ModelSpec.Builder... models) {
        PoolConfig.Builder config = PoolConfig.builder().device("cpu", 0, 1).device("cpu", 1, 1);
        for (ModelSpec.Builder model : models) {
            config.model(model.build());
        }
        return config;
    }

    @Test
    void requestForABusyDeviceDoesNotHoldUpOneForAFreeDevice() {
        VirtualPool pool = new VirtualPool(twoDevices(scaled("a", 2), model("b").devices(0)));
        pool.lease("b");
        pool.request(SlotRequest.forModel("a").onDevice(0));
        pool.advanceSeconds(1);
        pool.request("a");
        pool.advanceSeconds(1);

        assertThat(pool.live("a")).hasSize(1);
    }

    @Test
    void ownWorkerIsNotEvictedForARequestThatHasNoRoom() {
        VirtualPool pool = new VirtualPool(twoDevices(model("a"), model("b").devices(1)));
        pool.load("b");
        pool.pool.pin("b", true);
        String a = pool.load("a");
        CompletableFuture<SlotLease> lease =
                pool.request(SlotRequest.forModel("a").onDevice(1));
        pool.advanceSeconds(2);

        assertThat(failure(lease)).isInstanceOf(NoCapacityException.class);
        assertThat(pool.live("a")).containsExactly(a);
    }

    @Test
    void ownWorkerStaysWhileTheOtherDeviceIsBusy() {
        VirtualPool pool = new VirtualPool(twoDevices(model("a"), model("b").devices(1)));
        pool.lease("b");
        String a = pool.load("a");
        pool.request(SlotRequest.forModel("a").onDevice(1));
        pool.advanceSeconds(2);
        assertThat(pool.live("a")).containsExactly(a);
        assertThat(pool.request("a")).isDone();
    }

    /** The age of another request of the model counted, so that a busy worker was drained for a new request. */
    @Test
    void busyWorkerIsDrainedOnlyForARequestThatHasItselfWaitedForMaxWait() {
        VirtualPool pool = new VirtualPool(
                twoDevices(scaled("a", 2).devices(0, 1), model("b").devices(1)));
        pool.lease("b");
        pool.lease("a");
        pool.request("a");
        pool.advanceSeconds(40);
        pool.request(SlotRequest.forModel("a").onDevice(1));
        pool.advanceSeconds(29);
        assertThat(pool.only("b").state().routable()).isTrue();
        pool.advanceSeconds(2);

        assertThat(pool.only("b").state().routable()).isFalse();
    }

    /** It waited for its timeout. */
    @Test
    void requestThatExcludesTheOnlyWorkerFailsAfterScaleUpDelay() {
        VirtualPool pool = new VirtualPool(room(2, model("a")));
        String a = pool.load("a");
        CompletableFuture<SlotLease> lease =
                pool.request(SlotRequest.forModel("a").excluding(a));
        assertThat(lease).isNotDone(); // a may just have crashed
        pool.advance(Duration.ofMillis(1100));

        assertThat(failure(lease)).isInstanceOf(NoWorkerException.class).hasMessageContaining("excludes");
        assertThat(pool.live("a")).containsExactly(a);
        assertThat(pool.request("a")).isDone();
    }

    @Test
    void requestThatExcludesTheOnlyWorkerIsServedByItsSuccessorIfThatCrashes() {
        UnexpectedWarnings.expect("CRASHED");
        VirtualPool pool = new VirtualPool(room(2, model("a")));
        String a = pool.load("a");
        pool.advance(Duration.ofMinutes(11)); // it is no failed load
        CompletableFuture<SlotLease> lease =
                pool.request(SlotRequest.forModel("a").excluding(a));
        pool.processes.exit(a, 1);
        pool.advanceSeconds(1);
        pool.ready("a");

        assertThat(lease.join().workerId()).isNotEqualTo(a);
    }

    @Test
    void requestMayNameTheDevicesLabelBeforeTheModelIsLoaded() {
        VirtualPool pool = new VirtualPool(twoDevices(model("a").spanning(2)));
        CompletableFuture<SlotLease> lease =
                pool.request(SlotRequest.forModel("a").withLabel(WorkerInfo.DEVICES, "0,1"));
        pool.ready("a");
        assertThat(lease.join()).isNotNull();
    }

    @Test
    void requestThatNoWorkerServesFailsWhenItsLoadHasFailedThoughAnotherWorkerIsThere() {
        UnexpectedWarnings.expect("CRASHED");
        VirtualPool pool = new VirtualPool(twoDevices(ModelSpec.builder("a")
                .maxWorkers(2)
                .worker(WorkerSpec.builder().command("serve", "{port}").restartPolicy(RestartPolicy.never()))));
        SlotLease open = pool.lease("a");
        int other = 1 - open.worker().device();
        CompletableFuture<SlotLease> second =
                pool.request(SlotRequest.forModel("a").onDevice(other));
        pool.advanceSeconds(2);
        pool.processes.exit(pool.live("a").get(1), 1);
        pool.advanceSeconds(60);

        assertThat(failure(second)).isInstanceOf(ModelLoadFailedException.class);
        assertThat(failure(pool.request(SlotRequest.forModel("a").onDevice(other))))
                .isInstanceOf(ModelLoadFailedException.class);
    }

    @Test
    void furtherWorkerThatCanNeverStartReservesNoRoom() {
        VirtualPool pool = new VirtualPool(room(
                10,
                scaled("a", 2).units(5),
                scaled("b", 1).units(3),
                scaled("c", 2).units(1)));
        pool.lease("a");
        pool.lease("b");
        pool.lease("c");
        pool.request("a");
        pool.advanceSeconds(40);
        pool.request("c");
        pool.advanceSeconds(10);

        assertThat(pool.live("c")).hasSize(2);
    }

    @Test
    void furtherWorkersOfTwoModelsDoNotPushOutOneAnother() {
        VirtualPool pool = new VirtualPool(room(3, scaled("a", 3), scaled("b", 3)));

        assertThat(new SteadyLoad(pool, List.of("a", "b"), 20, 5, 3).run(600).starts())
                .isLessThan(20);
    }

    @Test
    void twoSpanningModelsOverThreeDevicesSwap() {
        VirtualPool pool = new VirtualPool(PoolConfig.builder()
                .device("cpu", 0, 1)
                .device("cpu", 1, 1)
                .device("cpu", 2, 1)
                .model(model("a").spanning(2).build())
                .model(model("b").spanning(2).build())
                .model(model("c").build()));
        assertThat(new SteadyLoad(pool, List.of("a", "b", "c"), 2, 3, 2)
                        .run(600)
                        .starts())
                .isGreaterThan(3);
        for (String name : List.of("a", "b", "c")) {
            assertThat(pool.pool.stats().models().get(name).loads()).as(name).isPositive();
        }
    }
}
