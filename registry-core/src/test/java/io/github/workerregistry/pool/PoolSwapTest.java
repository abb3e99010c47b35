package io.github.workerregistry.pool;

import static io.github.workerregistry.pool.VirtualPool.failure;
import static io.github.workerregistry.pool.VirtualPool.model;
import static io.github.workerregistry.pool.VirtualPool.room;
import static io.github.workerregistry.pool.VirtualPool.roomForOne;
import static io.github.workerregistry.pool.VirtualPool.scaled;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.pool.PoolEvent.Evicted;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Points 4 to 7: claims, victims, fairness, admission. */
@ExtendWith(UnexpectedWarnings.class)
class PoolSwapTest {

    @Test
    void idleModelIsEvictedForAWaiter() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        String a = pool.load("a");
        CompletableFuture<SlotLease> lease = pool.request("b");
        pool.advanceSeconds(1);
        pool.ready("b");

        assertThat(lease.join().worker().modelRef()).isEqualTo("b");
        assertThat(pool.registry.get(a)).isEmpty();
        assertThat(pool.supervisor.recentExits()).last().extracting(Exit::cause).isEqualTo(Exit.Cause.EVICTED);
        assertThat(pool.events)
                .filteredOn(Evicted.class::isInstance)
                .singleElement()
                .satisfies(event -> {
                    assertThat(((Evicted) event).forModel()).isEqualTo("b");
                    assertThat(((Evicted) event).reason()).isEqualTo(EvictionReason.IDLE);
                });
    }

    /** Report 19: an idle timeout and a new request made two instances. */
    @Test
    void nothingStartsBeforeTheVictimsProcessHasExited() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        String a = pool.load("a");
        pool.processes.ignoreTerminate(a);
        pool.request("b");
        pool.advanceSeconds(1);
        assertThat(pool.processes.running()).containsExactly(a);
        assertThat(pool.registry.list("b")).isEmpty();

        pool.processes.exit(a, 0);
        pool.advanceSeconds(1);
        assertThat(pool.processes.running()).hasSize(1).doesNotContain(a);
        assertThat(pool.live("b")).hasSize(1);
    }

    @Test
    void recordRemovedByTheHiveKeepsItsClaimUntilTheProcessHasExited() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        String a = pool.load("a");
        pool.processes.ignoreKill(a);
        pool.registry.remove(a);
        pool.request("b");
        pool.advanceSeconds(1);
        assertThat(pool.registry.list("b")).isEmpty();

        pool.processes.exit(a, 0);
        pool.advanceSeconds(1);
        assertThat(pool.live("b")).hasSize(1);
    }

    /** Report 1: A idle, B and C requested together; both chose A, and C waited for ever. */
    @Test
    void twoModelsThatNeedTheSameRoomAreServedOneAfterTheOther() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b"), model("c")));
        pool.load("a");
        var b = pool.pending(SlotRequest.forModel("b")).lease().toCompletableFuture();
        var c = pool.pending(SlotRequest.forModel("c")).lease().toCompletableFuture();
        pool.run();
        pool.advanceSeconds(1);
        pool.ready("b");
        pool.ready("c");
        CompletableFuture<SlotLease> first = b.isDone() ? b : c;
        first.join().close();
        pool.advanceSeconds(1);
        pool.ready("b");
        pool.ready("c");

        assertThat(b).isDone();
        assertThat(c).isDone();
        assertThat(pool.processes.starts()).isEqualTo(3);
        assertThat(pool.events).filteredOn(Evicted.class::isInstance).hasSize(2);
    }

    @Test
    void unitsThatAreBeingFreedCountBeforeAnotherVictim() {
        VirtualPool pool = new VirtualPool(room(2, model("a"), model("b"), model("c"), model("d")));
        String a = pool.load("a");
        pool.advanceSeconds(1);
        pool.load("b");
        pool.processes.ignoreTerminate(a);
        pool.request("c");
        pool.advanceSeconds(2);
        assertThat(pool.live("b")).hasSize(1); // the room of a is on its way
        pool.request("d");
        assertThat(pool.live("b")).isEmpty(); // that is reserved for c
    }

    /** Report 8: two models streamed in turn, and bodies were truncated. */
    @Test
    void openLeasesOfAVictimRunToTheirEnd() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        SlotLease open = pool.lease("a");
        CompletableFuture<SlotLease> b = pool.request("b");
        pool.advanceSeconds(29);
        assertThat(pool.only("a").state().routable()).isTrue();
        pool.advanceSeconds(2);
        assertThat(pool.only("a").state()).isInstanceOf(Stopping.class);
        pool.advance(Duration.ofHours(0).plusMinutes(40)); // without limit
        assertThat(pool.processes.running()).containsExactly(open.workerId());
        assertThat(pool.pool.tryAcquire("a")).isEmpty(); // promised: no lease after it

        open.close();
        pool.advanceSeconds(1);
        pool.ready("b");
        assertThat(b.join()).isNotNull();
        assertThat(((Evicted) pool.events.stream()
                                .filter(Evicted.class::isInstance)
                                .findFirst()
                                .orElseThrow())
                        .reason())
                .isEqualTo(EvictionReason.MAX_WAIT_BUSY);
    }

    @Test
    void evictionDrainTimeoutLimitsTheDrain() {
        VirtualPool pool =
                new VirtualPool(roomForOne(model("a").evictionDrainTimeout(Duration.ofSeconds(10)), model("b")));
        pool.lease("a");
        pool.request("b");
        pool.advanceSeconds(45);

        assertThat(pool.live("b")).hasSize(1);
    }

    @Test
    void busyVictimIsEvictedAsSoonAsItIsIdle() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        SlotLease open = pool.lease("a");
        CompletableFuture<SlotLease> b = pool.request("b");
        pool.advanceSeconds(3);
        open.close();
        pool.run();
        assertThat(pool.live("a")).isEmpty();
        pool.advance(Duration.ofMillis(200));
        pool.ready("b");

        assertThat(b).isDone();
    }

    @Test
    void workerIsNotEvictedWithinItsResidencyBeforeMaxWait() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a").minResidency(Duration.ofSeconds(20)), model("b"))
                .maxWait(Duration.ofSeconds(60)));
        pool.load("a");
        pool.request("b");
        pool.advanceSeconds(19);
        assertThat(pool.live("a")).hasSize(1);
        pool.advanceSeconds(2);
        assertThat(pool.live("a")).isEmpty();
    }

    @Test
    void timeOfAPauseIsNoResidency() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a").minResidency(Duration.ofSeconds(20)), model("b"))
                .maxWait(Duration.ofSeconds(60)));
        pool.load("a");
        pool.request("b");
        pool.clock.suspend(Duration.ofHours(1));
        pool.advanceSeconds(19);
        assertThat(pool.live("a")).hasSize(1);
        pool.advanceSeconds(2);
        assertThat(pool.live("a")).isEmpty();
    }

    @Test
    void maxWaitWaivesTheResidency() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a").minResidency(Duration.ofHours(2)), model("b"))
                .maxWait(Duration.ofSeconds(5)));
        pool.load("a");
        pool.request("b");
        pool.advanceSeconds(4);
        assertThat(pool.live("a")).hasSize(1);
        pool.advanceSeconds(2);
        assertThat(pool.live("a")).isEmpty();
    }

    @Test
    void pinnedModelIsNeverEvictedAndTheRequestFailsAtOnce() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        pool.load("a");
        pool.pool.pin("a", true);
        CompletableFuture<SlotLease> b = pool.request("b");
        assertThat(failure(b)).isInstanceOf(NoCapacityException.class).hasMessageContaining("pinned");

        pool.pool.pin("a", false);
        CompletableFuture<SlotLease> again = pool.request("b");
        pool.advanceSeconds(1);
        assertThat(again).isNotDone();
        assertThat(pool.live("b")).hasSize(1);
    }

    @Test
    void loadOfAModelWithoutRoomFailsAtOnce() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a").evictable(false), model("b")));
        pool.load("a");
        var load = pool.pool.load("b").toCompletableFuture();
        pool.run();

        assertThat(failure(load)).isInstanceOf(NoCapacityException.class);
    }

    @Test
    void workerOfTheMinimumIsNotEvicted() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a").minWorkers(1), model("b")));
        pool.ready("a");

        assertThat(failure(pool.request("b"))).isInstanceOf(NoCapacityException.class);
    }

    @Test
    void leastRecentlyUsedIsEvictedFirst() {
        VirtualPool pool = new VirtualPool(room(2, model("a"), model("b"), model("c")));
        pool.load("a");
        pool.advanceSeconds(1);
        pool.load("b");
        pool.advanceSeconds(1);
        pool.pool.tryAcquire("a").orElseThrow().close();
        pool.advanceSeconds(1);
        pool.request("c");

        assertThat(pool.live("a")).hasSize(1);
        assertThat(pool.live("b")).isEmpty();
    }

    @Test
    void cheapestToReloadIsEvictedFirst() {
        VirtualPool pool = new VirtualPool(
                room(2, model("slow"), model("fast"), model("c")),
                builder -> builder.evictionPolicy(EvictionPolicy.cheapestToReload()));
        CompletableFuture<SlotLease> slow = pool.request("slow");
        pool.advanceSeconds(8);
        pool.ready("slow");
        slow.join().close();
        pool.load("fast");
        pool.advanceSeconds(60);
        pool.request("c");

        assertThat(pool.live("slow")).hasSize(1);
        assertThat(pool.live("fast")).isEmpty();
    }

    /** Report 4: requests for a loaded model waited during an eviction. */
    @Test
    void loadedModelIsLeasedDuringAnEviction() {
        VirtualPool pool = new VirtualPool(room(2, model("a"), model("b"), model("c")));
        String a = pool.load("a");
        pool.advanceSeconds(1);
        pool.load("b");
        pool.processes.ignoreTerminate(a);
        pool.request("c");

        assertThat(pool.pool.tryAcquire("b")).isPresent().get().satisfies(SlotLease::close);
    }

    @Test
    void steadyTrafficForALoadedModelDoesNotStarveAnother() {
        VirtualPool pool = new VirtualPool(
                roomForOne(ModelSpec.builder("a").worker(VirtualPool.worker().slots(2)), model("b")));
        List<SlotLease> open = new ArrayList<>(List.of(pool.lease("a")));
        CompletableFuture<SlotLease> b = pool.request("b");
        for (int i = 0; i < 35; i++) { // always one lease open
            pool.advanceSeconds(1);
            pool.pool.tryAcquire("a").ifPresent(open::add);
            open.remove(0).close();
            if (open.isEmpty()) {
                break;
            }
        }
        pool.advanceSeconds(1);
        pool.ready("b");

        assertThat(b).isDone();
    }

    @Test
    void modelsAreServedInTheOrderOfTheirOldestWaiter() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b"), model("c")));
        SlotLease open = pool.lease("a");
        pool.request("c");
        pool.advanceSeconds(1);
        pool.request(SlotRequest.forModel("b").priority(9));
        pool.advanceSeconds(1);
        open.close();
        pool.advanceSeconds(1);

        assertThat(pool.live("c")).hasSize(1);
        assertThat(pool.live("b")).isEmpty();
    }

    @Test
    void furtherWorkerNeverPushesOutAnotherModelsLastOne() {
        VirtualPool pool = new VirtualPool(room(2, scaled("a", 2), model("b")));
        pool.load("b");
        pool.lease("a");
        CompletableFuture<SlotLease> second = pool.request("a");
        pool.advance(Duration.ofMinutes(10));

        assertThat(pool.live("b")).hasSize(1);
        assertThat(second).isNotDone();
    }

    @Test
    void modelAdmittedIfItFitsEvictsNone() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b").admission(Admission.IF_IT_FITS)));
        pool.load("a");
        assertThat(failure(pool.request("b"))).isInstanceOf(NoCapacityException.class);
        assertThat(pool.live("a")).hasSize(1);

        pool.pool.unload("a");
        CompletableFuture<SlotLease> b = pool.request("b"); // the room is being freed
        pool.advanceSeconds(1);
        assertThat(b).isNotDone();
        assertThat(pool.live("b")).hasSize(1);
    }

    @Test
    void maxWorkersOfThePoolIsClaimedLikeUnits() {
        VirtualPool pool = new VirtualPool(PoolConfig.builder()
                .maxWorkers(1)
                .model(model("a").build())
                .model(model("b").build()));
        String a = pool.load("a");
        pool.request("b");
        pool.advanceSeconds(1);
        assertThat(pool.processes.running()).hasSize(1).doesNotContain(a);
    }

    @Test
    void workersOfTheHiveAreNoVictimsAndServe() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        String own = pool.supervisor
                .spawn(VirtualPool.worker().modelRef("a").build())
                .id();
        pool.supervisor.reportReady(own);
        CompletableFuture<SlotLease> a = pool.request("a");
        assertThat(a.join().workerId()).isEqualTo(own);
        pool.request("b");
        pool.advanceSeconds(60);

        assertThat(pool.live("b")).hasSize(1);
        assertThat(pool.live("a")).containsExactly(own);
    }
}
