package io.github.workerregistry.pool;

import static io.github.workerregistry.pool.VirtualPool.failure;
import static io.github.workerregistry.pool.VirtualPool.model;
import static io.github.workerregistry.pool.VirtualPool.roomForOne;
import static io.github.workerregistry.pool.VirtualPool.scaled;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotQueueFullException;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Loading;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Points 1 to 3: the path of a loaded model, one load at a time, and loads that belong to the pool. */
@ExtendWith(UnexpectedWarnings.class)
class PoolLoadTest {

    @Test
    void nothingIsStartedBeforeTheFirstRequest() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        pool.advanceSeconds(60);

        assertThat(pool.processes.starts()).isZero(); // report 29: min 0 starts none
        assertThat(pool.pool.tryAcquire("a")).isEmpty();
    }

    @Test
    void requestLoadsTheModelAndGetsASlot() throws Exception {
        VirtualPool pool = new VirtualPool(roomForOne(model("a").alias("gpt")));
        CompletableFuture<SlotLease> lease = pool.request("gpt");
        assertThat(lease).isNotDone();
        pool.ready("a");

        assertThat(lease.join().worker().modelRef()).isEqualTo("a");
        lease.join().close();
        assertThat(pool.pool.tryAcquire("gpt")).isPresent().get().satisfies(SlotLease::close);
        assertThat(pool.pool.acquire("a", Duration.ZERO).workerId())
                .isEqualTo(lease.join().workerId());
    }

    @Test
    void unknownModelIsRefusedAtOnce() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));

        assertThatThrownBy(() -> pool.pool.tryAcquire("b"))
                .isInstanceOf(UnknownModelException.class)
                .hasMessageContaining("b");
        assertThatThrownBy(() -> pool.pool.acquire("b", Duration.ZERO)).isInstanceOf(UnknownModelException.class);
        assertThatThrownBy(() -> pool.pending(SlotRequest.forModel("b"))).isInstanceOf(UnknownModelException.class);
        assertThatThrownBy(() -> pool.pool.load("b")).isInstanceOf(UnknownModelException.class);
    }

    /** Report 18: four concurrent first requests made four instances. */
    @Test
    void concurrentFirstRequestsShareOneLoad() {
        VirtualPool pool = new VirtualPool(roomForOne(scaled("a", 4).units(0)));
        List<CompletableFuture<SlotLease>> leases = IntStream.range(0, 4)
                .mapToObj(i -> pool.pending(SlotRequest.forModel("a")).lease().toCompletableFuture())
                .toList();
        pool.run();
        pool.advanceSeconds(5); // also after scaleUpDelay: one load at a time

        assertThat(pool.processes.starts()).isOne();
        pool.ready("a");
        assertThat(leases.get(0)).isDone();
    }

    /** Report 33: an answer was begun, and then refused because the queue was full. */
    @Test
    void requestBeyondTheQueueIsRefusedBeforeItWaits() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        for (int i = 0; i < 512; i++) { // the default of the registry
            assertThat(pool.pending(SlotRequest.forModel("a")).lease().toCompletableFuture())
                    .isNotDone();
        }

        assertThat(failure(pool.request("a"))).isInstanceOf(SlotQueueFullException.class);
        assertThat(pool.processes.starts()).isLessThanOrEqualTo(1);
    }

    /** Report 6: an explicit load joined an automatic one, unloaded it, and loaded again. */
    @Test
    void explicitLoadJoinsTheLoadInProgress() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        CompletableFuture<SlotLease> lease = pool.request("a");
        CompletableFuture<WorkerInfo> load = pool.pool.load("a").toCompletableFuture();
        pool.run();
        assertThat(load).isNotDone();
        pool.ready("a");

        assertThat(load.join().id()).isEqualTo(lease.join().workerId());
        assertThat(pool.processes.starts()).isOne();
        assertThat(pool.pool.load("a").toCompletableFuture()).isNotDone();
        pool.run();
    }

    @Test
    void explicitLoadOfALoadedModelCompletesWithItsWorker() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        String id = pool.load("a");
        CompletableFuture<WorkerInfo> load = pool.pool.load("a").toCompletableFuture();
        pool.run();

        assertThat(load.join().id()).isEqualTo(id);
        assertThat(pool.processes.starts()).isOne();
    }

    @Test
    void loadGoesOnWhenItsFirstCallerHasLeft() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        pool.pending(SlotRequest.forModel("a")).cancel();
        pool.run();
        assertThat(pool.processes.starts()).isZero(); // it left before the pass
        var first = pool.pending(SlotRequest.forModel("a"));
        pool.run();
        first.cancel();
        CompletableFuture<SlotLease> second = pool.request("a");
        pool.ready("a");

        assertThat(second.join()).isNotNull();
        assertThat(pool.processes.starts()).isOne();
    }

    @Test
    void loadThatNoRequestWaitsForIsCancelledOnlyForAnotherModel() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        var first = pool.pending(SlotRequest.forModel("a"));
        pool.run();
        first.cancel();
        pool.advanceSeconds(5);
        assertThat(pool.only("a").state()).isInstanceOf(Loading.class);

        CompletableFuture<SlotLease> other = pool.request("b");
        assertThat(pool.live("a")).isEmpty();
        pool.advanceSeconds(1);
        pool.ready("b");
        assertThat(other.join()).isNotNull();
        assertThat(pool.events).anyMatch(PoolEvent.LoadCancelled.class::isInstance);
        assertThat(pool.events).noneMatch(PoolEvent.LoadFailed.class::isInstance);
    }

    @Test
    void loadThatARequestWaitsForIsNotCancelled() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        CompletableFuture<SlotLease> first = pool.request("a");
        pool.request("b");
        pool.advanceSeconds(9);
        assertThat(pool.only("a").state()).isInstanceOf(Loading.class);
        pool.ready("a");

        assertThat(first).isDone();
    }

    /** Report 20: a load on demand ignored the settings of the model. */
    @Test
    void everyLoadHasTheSameArguments() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        String first = pool.load("a");
        pool.pool.unload("a");
        pool.run();
        CompletableFuture<WorkerInfo> load = pool.pool.load("a").toCompletableFuture();
        pool.run();
        pool.ready("a");

        assertThat(pool.processes.specOf(load.join().id()).command())
                .isEqualTo(pool.processes.specOf(first).command());
    }
}
