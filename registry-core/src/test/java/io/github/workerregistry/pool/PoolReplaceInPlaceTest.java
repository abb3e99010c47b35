package io.github.workerregistry.pool;

import static io.github.workerregistry.pool.UpdatedPool.completion;
import static io.github.workerregistry.pool.UpdatedPool.fixed;
import static io.github.workerregistry.pool.UpdatedPool.revision;
import static io.github.workerregistry.pool.VirtualPool.failure;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Point 10: workers that are closed before the new one starts, because there is no room for both. */
@ExtendWith(UnexpectedWarnings.class)
class PoolReplaceInPlaceTest {

    private static final String CRASHED = "has ended: CRASHED";

    @Test
    void doorsAreClosedWhenUpdateReturns() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        pool.load("a");
        UpdateReport report =
                pool.pool.update(VirtualPool.room(1, revision("a", "v2")).build());

        assertThat(report.inPlace()).containsExactly("a");
        assertThat(pool.pool.tryAcquire("a")).isEmpty();
    }

    @Test
    void oldWorkerDrainsThenTheNewOneStartsWithoutARequest() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        SlotLease open = pool.lease("a");
        UpdateReport report = updated.update(1, revision("a", "v2"));
        pool.advance(Duration.ofHours(3)); // far beyond the drain timeout
        assertThat(open.isValid()).isTrue();
        assertThat(updated.running()).containsExactly("v1");
        open.close();
        pool.advanceSeconds(1);
        assertThat(updated.running()).containsExactly("v2");
        assertThat(completion(report)).isNotDone();
        pool.ready("a");

        assertThat(completion(report)).isCompleted();
        assertThat(updated.revisionOf(pool.request("a").join())).isEqualTo("v2");
    }

    @Test
    void workersWithOneUrlNeverRunTogether() {
        UpdatedPool updated = new UpdatedPool(9, fixed("a", "v1"));
        VirtualPool pool = updated.pool;
        SlotLease open = pool.lease("a");
        UpdateReport report = updated.update(9, fixed("a", "v2"));
        CompletableFuture<SlotLease> waits = pool.request("a");
        pool.advanceSeconds(60);
        assertThat(report.inPlace()).containsExactly("a");
        assertThat(updated.running()).containsExactly("v1");
        open.close();
        pool.advanceSeconds(1);
        pool.ready("a");

        assertThat(updated.revisionOf(waits.join())).isEqualTo("v2");
    }

    @Test
    void maxWorkersOfThePoolAreClaimedLikeUnits() {
        VirtualPool pool = new VirtualPool(
                PoolConfig.builder().maxWorkers(1).model(revision("a", "v1").build()));
        pool.load("a");
        UpdateReport report = pool.pool.update(PoolConfig.builder()
                .maxWorkers(1)
                .model(revision("a", "v2").build())
                .build());

        assertThat(report.inPlace()).containsExactly("a");
    }

    @Test
    void requestsThatWaitStayInLine() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        SlotLease open = pool.lease("a");
        CompletableFuture<SlotLease> first = pool.request("a");
        updated.update(1, revision("a", "v2"));
        CompletableFuture<SlotLease> second = pool.request("a");
        open.close();
        pool.advanceSeconds(1);
        assertThat(first).isNotDone();
        pool.ready("a");

        assertThat(updated.revisionOf(first.join())).isEqualTo("v2");
        assertThat(second).isNotDone();
        first.join().close();
        assertThat(second).isCompleted();
    }

    @Test
    void newWorkerThatNeverBecomesReadyIsAFailedLoadOfTheNewRevision() {
        UnexpectedWarnings.expect(CRASHED);
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        pool.load("a");
        UpdateReport report = updated.update(1, revision("a", "v2"));
        pool.advanceSeconds(1);
        pool.processes.exit(pool.only("a").id(), 3);
        pool.run();

        ModelLoadFailedException failed = (ModelLoadFailedException) failure(completion(report));
        assertThat(failed.exit().map(Exit::cause)).contains(Exit.Cause.CRASHED);
        assertThat(failure(pool.request("a"))).isInstanceOf(ModelLoadFailedException.class);
        pool.advanceSeconds(2);
        CompletableFuture<SlotLease> next = pool.request("a");
        pool.ready("a");
        assertThat(updated.revisionOf(next.join())).isEqualTo("v2");
    }

    @Test
    void loadOfTheOldRevisionIsStoppedAndItsWaitersGetTheNewOne() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        CompletableFuture<SlotLease> request = pool.request("a");
        CompletableFuture<WorkerInfo> load = pool.pool.load("a").toCompletableFuture();
        pool.run();
        UpdateReport report = updated.update(1, revision("a", "v2"));
        pool.advanceSeconds(1);
        assertThat(updated.running()).containsExactly("v2");
        assertThat(request).isNotDone();
        assertThat(load).isNotDone();
        pool.ready("a");

        assertThat(updated.revisionOf(request.join())).isEqualTo("v2");
        assertThat(load.join().id()).isEqualTo(request.join().workerId());
        assertThat(completion(report)).isCompleted();
    }

    @Test
    void loadWhoseProcessIsJustBeingStartedIsStopped() {
        java.util.List<Runnable> starts = new java.util.ArrayList<>();
        VirtualPool pool =
                new VirtualPool(VirtualPool.room(1, revision("a", "v1")), builder -> builder, time -> starts::add);
        CompletableFuture<SlotLease> request = pool.request("a");
        pool.pool.update(VirtualPool.room(1, revision("a", "v2")).build());
        pool.run();
        starts.remove(0).run();
        pool.run();
        assertThat(pool.processes.starts()).isZero();
        starts.remove(0).run();
        pool.ready("a");

        assertThat(pool.processes.specOf(request.join().workerId()).command()).contains("v2");
    }

    /** Its slots were leased until the pool had seen that its start had returned. */
    @Test
    void workerThatIsRegisteredAfterItWasReplacedIsNeverLeased() {
        VirtualTime time = new VirtualTime();
        AtomicReference<Runnable> next = new AtomicReference<>();
        WorkerRegistry registry = WorkerRegistry.builder()
                .timer(time)
                .clock(() -> {
                    Runnable action = next.getAndSet(null);
                    if (action != null) {
                        action.run();
                    }
                    return time.instant();
                })
                .build();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
                .processController(new FakeProcessController())
                .build();
        List<Runnable> starts = new ArrayList<>();
        WorkerPool pool = WorkerPool.builder(registry, supervisor)
                .config(VirtualPool.room(1, revision("a", "v1").minWorkers(1)).build())
                .blockingExecutor(starts::add)
                .build();
        time.runDueTasks();
        PoolConfig second =
                VirtualPool.room(1, revision("a", "v2").minWorkers(1)).build();
        next.set(() -> pool.update(second)); // the supervisor reads the clock for the record
        starts.remove(0).run();
        supervisor.reportReady(registry.list("a").get(0).id());
        assertThat(pool.tryAcquire("a")).isEmpty();
        time.advance(Duration.ofSeconds(1));
        starts.remove(0).run();
        supervisor.reportReady(registry.list("a").get(0).id());

        assertThat(pool.tryAcquire("a")).isPresent();
        supervisor.closeNow();
    }

    @Test
    void updateDuringTheDrainStartsTheLastRevisionOnly() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        SlotLease open = pool.lease("a");
        CompletableFuture<Void> second = completion(updated.update(1, revision("a", "v2")));
        UpdateReport report = updated.update(1, revision("a", "v3"));
        assertThat(report.inPlace()).containsExactly("a");
        assertThat(failure(second)).isInstanceOf(CancellationException.class);
        open.close();
        pool.advanceSeconds(1);
        pool.ready("a");

        assertThat(updated.running()).containsExactly("v3");
        assertThat(completion(report)).isCompleted();
    }

    @Test
    void roomOfTheNewRevisionIsMadeAsForALoad() {
        UpdatedPool updated = new UpdatedPool(3, revision("a", "v1"), revision("b", "v1"));
        VirtualPool pool = updated.pool;
        pool.load("a");
        pool.load("b");
        UpdateReport report = updated.update(3, revision("a", "v2").units(3), revision("b", "v1"));
        assertThat(report.inPlace()).containsExactly("a");
        pool.advanceSeconds(2);
        pool.ready("a");

        assertThat(updated.running()).containsExactly("v2");
        assertThat(completion(report)).isCompleted();
    }

    @Test
    void unloadEndsTheReplacement() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        pool.load("a");
        UpdateReport report = updated.update(1, revision("a", "v2"));
        pool.pool.unload("a");
        pool.advanceSeconds(60);

        assertThat(failure(completion(report))).isInstanceOf(CancellationException.class);
        assertThat(updated.running()).isEmpty();
    }
}
