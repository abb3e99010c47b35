package io.github.workerregistry.pool;

import static io.github.workerregistry.pool.VirtualPool.failure;
import static io.github.workerregistry.pool.VirtualPool.model;
import static io.github.workerregistry.pool.VirtualPool.worker;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.NoWorkerException;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.lifecycle.WorkerSpec;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Point 12: devices. */
@ExtendWith(UnexpectedWarnings.class)
class PoolDevicesTest {

    private static VirtualPool twoDevices(ModelSpec.Builder... models) {
        PoolConfig.Builder config = PoolConfig.builder().device("cpu", 0, 10).device("cpu", 1, 4);
        for (ModelSpec.Builder model : models) {
            config.model(model.build());
        }
        return new VirtualPool(config);
    }

    @Test
    void deviceWithTheLeastSufficientRoomIsChosen() {
        VirtualPool pool = twoDevices(model("a").units(3), model("b").units(3));
        pool.request("a");
        pool.request("b");

        assertThat(pool.only("a").device()).isEqualTo(1);
        assertThat(pool.only("b").device()).isZero();
    }

    @Test
    void devicesRestrictTheChoice() {
        VirtualPool pool = twoDevices(model("a").units(3).devices(0));
        pool.request("a");

        assertThat(pool.only("a").device()).isZero();
    }

    @Test
    void placeholderOfTheDeviceIsFilled() {
        VirtualPool pool = twoDevices(ModelSpec.builder("a")
                .worker(WorkerSpec.builder()
                        .command("serve", "{backend}:{device}")
                        .url("http://fake")));
        pool.request("a");

        assertThat(pool.processes.specOf(pool.only("a").id()).command()).containsExactly("serve", "cpu:1");
    }

    @Test
    void requestForADeviceStartsAWorkerThere() {
        VirtualPool pool = twoDevices(model("a"));
        CompletableFuture<SlotLease> lease =
                pool.request(SlotRequest.forModel("a").onDevice(0));
        pool.ready("a");

        assertThat(lease.join().worker().device()).isZero();
    }

    @Test
    void requestForAnotherDeviceThanThatOfTheOnlyWorkerReplacesIt() {
        VirtualPool pool = twoDevices(model("a"));
        pool.load("a");
        assertThat(pool.only("a").device()).isEqualTo(1);
        CompletableFuture<SlotLease> lease =
                pool.request(SlotRequest.forModel("a").onDevice(0));
        pool.advanceSeconds(1);
        pool.ready("a");

        assertThat(lease.join().worker().device()).isZero();
    }

    @Test
    void requestThatFitsNoWorkerOfTheModelFailsAtOnce() {
        VirtualPool pool = twoDevices(model("a").devices(0));
        pool.load("a");

        assertThat(failure(pool.request(SlotRequest.forModel("a").onDevice(1)))).isInstanceOf(NoWorkerException.class);
        assertThat(failure(pool.request(SlotRequest.forModel("a").onBackend("cuda"))))
                .isInstanceOf(NoWorkerException.class);
        assertThat(failure(pool.request(SlotRequest.forModel("a").withLabel("tier", "fast"))))
                .isInstanceOf(NoWorkerException.class);
        assertThat(pool.request("a")).isDone();
    }

    @Test
    void requestThatExcludesTheOnlyWorkerDoesNotEvictIt() {
        VirtualPool pool = twoDevices(model("a"));
        String a = pool.load("a");
        CompletableFuture<SlotLease> other =
                pool.request(SlotRequest.forModel("a").excluding(a));
        pool.advanceSeconds(60);

        assertThat(failure(other)).isInstanceOf(NoWorkerException.class);
        assertThat(pool.live("a")).containsExactly(a);
    }

    @Test
    void spanningWorkerClaimsUnitsOnEachDevice() {
        VirtualPool pool = twoDevices(
                ModelSpec.builder("a")
                        .units(3)
                        .spanning(2)
                        .worker(WorkerSpec.builder()
                                .command("serve", "{devices}")
                                .url("http://fake")),
                model("b").units(3).devices(1));
        pool.request("a");
        WorkerInfo a = pool.only("a");
        assertThat(pool.processes.specOf(a.id()).command()).containsExactly("serve", "0,1");
        assertThat(a.device()).isZero();
        assertThat(a.devices()).isEqualTo("0,1");
        pool.ready("a");
        CompletableFuture<SlotLease> onSecond =
                pool.request(SlotRequest.forModel("a").onDevice(1));
        assertThat(onSecond).isNotDone(); // its one slot is leased

        pool.request("b");
        pool.advanceSeconds(1);
        assertThat(pool.registry.list("b")).isEmpty(); // 1 unit is left on device 1
    }

    @Test
    void anyDeviceOfASpanningWorkerCanBeRequested() {
        VirtualPool pool = twoDevices(ModelSpec.builder("a").spanning(2).worker(worker()));
        pool.load("a");

        assertThat(pool.request(SlotRequest.forModel("a").onDevice(1))).isDone();
        assertThat(pool.processes.starts()).isOne();
    }

    @Test
    void victimsAreChosenOnOneDevice() {
        VirtualPool pool = twoDevices(
                model("a").units(4).devices(1),
                model("b").units(6).devices(0),
                model("c").units(4));
        pool.load("b");
        pool.load("a");
        pool.load("c"); // the rest of device 0
        assertThat(pool.only("c").device()).isZero();
        pool.request(SlotRequest.forModel("a"));
        assertThat(pool.live("b")).hasSize(1);
        assertThat(pool.live("c")).hasSize(1);
    }
}
