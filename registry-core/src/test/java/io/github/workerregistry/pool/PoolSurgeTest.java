package io.github.workerregistry.pool;

import static io.github.workerregistry.pool.UpdatedPool.completion;
import static io.github.workerregistry.pool.UpdatedPool.revision;
import static io.github.workerregistry.pool.VirtualPool.failure;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.StopReason;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.testing.RecordingListener;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Point 10: workers that are replaced while the old ones serve. */
@ExtendWith(UnexpectedWarnings.class)
class PoolSurgeTest {

    private static final String CRASHED = "has ended: CRASHED";

    @Test
    void oldWorkerServesUntilTheNewOneIsReady() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        String old = pool.load("a");
        UpdateReport report = updated.update(2, revision("a", "v2"));
        CompletableFuture<Void> completion = completion(report);

        assertThat(report.surge()).containsExactly("a");
        assertThat(updated.running()).containsExactly("v1", "v2");
        assertThat(completion).isNotDone();
        SlotLease meanwhile = pool.request("a").join();
        assertThat(meanwhile.workerId()).isEqualTo(old);
        meanwhile.close();

        pool.ready("a");
        assertThat(completion).isCompleted();
        assertThat(updated.revisionOf(pool.request("a").join())).isEqualTo("v2");
        pool.advanceSeconds(1);
        assertThat(updated.running()).containsExactly("v2");
    }

    @Test
    void noSlotOfTheOldRevisionIsLeasedAfterTheFirstOfTheNew() {
        UpdatedPool updated = new UpdatedPool(2, slots(revision("a", "v1"), "v1", 2));
        VirtualPool pool = updated.pool;
        SlotLease open = pool.lease("a");
        updated.update(2, slots(revision("a", "v2"), "v2", 2));
        String next = pool.live("a").get(1);
        pool.supervisor.reportReady(next); // no pass has run since

        SlotLease before = pool.pool.tryAcquire("a").orElseThrow();
        assertThat(updated.revisionOf(before)).isEqualTo("v1");
        assertThat(pool.pool.tryAcquire("a")).as("the new worker is held").isEmpty();
        pool.run();
        before.close();
        open.close();
        for (int i = 0; i < 2; i++) {
            assertThat(updated.revisionOf(pool.pool.tryAcquire("a").orElseThrow()))
                    .isEqualTo("v2");
        }
        assertThat(pool.pool.tryAcquire("a")).isEmpty();
    }

    private static ModelSpec.Builder slots(ModelSpec.Builder model, String revision, int slots) {
        return model.worker(
                WorkerSpec.builder().command("serve", revision, "{port}").slots(slots));
    }

    @Test
    void allOldWorkersAreClosedWhenTheFirstNewOneIsReady() {
        UpdatedPool updated = new UpdatedPool(4, revision("a", "v1").maxWorkers(2));
        VirtualPool pool = updated.pool;
        SlotLease first = pool.lease("a");
        CompletableFuture<SlotLease> second = pool.request("a");
        pool.advanceSeconds(1);
        pool.ready("a");
        updated.update(4, revision("a", "v2").maxWorkers(2));
        assertThat(updated.running()).containsExactly("v1", "v1", "v2");
        pool.ready("a");

        assertThat(List.of(first, second.join()))
                .allSatisfy(lease -> assertThat(lease.isValid()).isTrue())
                .allSatisfy(lease -> assertThat(pool.registry
                                .get(lease.workerId())
                                .orElseThrow()
                                .state())
                        .isEqualTo(new Stopping(StopReason.REPLACED)));
        assertThat(updated.revisionOf(pool.request("a").join())).isEqualTo("v2");
        CompletableFuture<SlotLease> more = pool.request("a");
        pool.advanceSeconds(1);
        pool.ready("a");
        assertThat(updated.revisionOf(more.join())).as("up to maxWorkers again").isEqualTo("v2");
    }

    @Test
    void openLeasesOfTheOldWorkerRunToTheirEnd() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        RecordingListener heard = new RecordingListener();
        pool.registry.subscribe(heard, Runnable::run);
        SlotLease open = pool.lease("a");
        updated.update(2, revision("a", "v2"));
        pool.ready("a");
        pool.advance(Duration.ofHours(3)); // far beyond the drain timeout
        assertThat(open.isValid()).isTrue();
        open.close();
        pool.advanceSeconds(1);

        assertThat(updated.running()).containsExactly("v2");
        assertThat(heard.events())
                .filteredOn(WorkerEvent.Removed.class::isInstance)
                .extracting(event -> ((WorkerEvent.Removed) event).cause())
                .containsExactly(Exit.Cause.REPLACED);
    }

    @Test
    void requestThatWaitsIsServedByTheNewWorker() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        pool.lease("a");
        CompletableFuture<SlotLease> waits = pool.request("a");
        updated.update(2, revision("a", "v2"));
        pool.ready("a");

        assertThat(updated.revisionOf(waits.join())).isEqualTo("v2");
    }

    @Test
    void newWorkerThatNeverBecomesReadyFailsTheCompletionAndTheOldOneGoesOn() {
        UnexpectedWarnings.expect(CRASHED);
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        String old = pool.load("a");
        UpdateReport report = updated.update(2, revision("a", "v2"));
        pool.processes.exit(pool.live("a").get(1), 3);
        pool.run();

        ModelLoadFailedException failed = (ModelLoadFailedException) failure(completion(report));
        assertThat(failed.exit().map(Exit::cause)).contains(Exit.Cause.CRASHED);
        pool.advanceSeconds(60);
        assertThat(updated.running()).containsExactly("v1");
        assertThat(pool.processes.starts()).as("no second try by itself").isEqualTo(2);
        assertThat(pool.request("a").join().workerId()).isEqualTo(old);
    }

    @Test
    void newWorkerThatCannotBeStartedFailsTheCompletion() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        pool.load("a");
        pool.processes.failNextStart("no such file");
        UpdateReport report = updated.update(2, revision("a", "v2"));

        assertThat(failure(completion(report))).isInstanceOf(ModelLoadFailedException.class);
        assertThat(updated.running()).containsExactly("v1");
    }

    /**
     * The surge was not begun before the backoff of the earlier load was over: with never(), it was not begun at all.
     */
    @Test
    void surgeForARemovedDeviceIsBegunThoughALoadHasFailedBefore() {
        UnexpectedWarnings.expect(CRASHED);
        ModelSpec.Builder model = ModelSpec.builder("a")
                .maxWorkers(2)
                .worker(WorkerSpec.builder().command("serve", "v1", "{port}").restartPolicy(RestartPolicy.never()));
        VirtualPool pool = new VirtualPool(
                PoolConfig.builder().device("cpu", 0, 1).device("cpu", 1, 1).model(model.build()));
        SlotLease open = pool.lease("a");
        int device = pool.only("a").device();
        CompletableFuture<SlotLease> further = pool.request("a");
        pool.advanceSeconds(1);
        pool.processes.exit(pool.live("a").get(1), 3);
        pool.run();
        assertThat(further).isNotDone();
        UpdateReport report = pool.pool.update(PoolConfig.builder()
                .device("cpu", 1 - device, 1)
                .model(model.build())
                .build());
        pool.run();
        pool.ready("a");

        assertThat(report.surge()).containsExactly("a");
        assertThat(completion(report)).isCompleted();
        assertThat(further).isCompleted();
        open.close();
    }

    @Test
    void afterAFailedSurgeTheNextLoadTriesTheNewRevision() {
        UnexpectedWarnings.allow(CRASHED);
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        String old = pool.load("a");
        updated.update(2, revision("a", "v2"));
        pool.processes.exit(pool.live("a").get(1), 3);
        pool.advanceSeconds(2);
        pool.processes.exit(old, 1);
        pool.run();
        CompletableFuture<SlotLease> next = pool.request("a");
        pool.ready("a");

        assertThat(updated.revisionOf(next.join())).isEqualTo("v2");
    }

    @Test
    void furtherWorkerAfterAFailedSurgeTakesThePlaceOfTheOldOnes() {
        UnexpectedWarnings.allow(CRASHED);
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        SlotLease open = pool.lease("a");
        updated.update(2, revision("a", "v2"));
        pool.processes.exit(pool.live("a").get(1), 3);
        pool.advanceSeconds(2);
        CompletableFuture<SlotLease> waits = pool.request("a");
        pool.advanceSeconds(2);
        pool.ready("a");

        assertThat(updated.revisionOf(waits.join())).isEqualTo("v2");
        open.close();
        pool.advanceSeconds(1);
        assertThat(updated.running()).containsExactly("v2");
    }

    @Test
    void oldWorkerThatCrashesDuringTheSurgeIsNoFailureOfTheNewRevision() {
        UnexpectedWarnings.allow(CRASHED);
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        String old = pool.load("a");
        UpdateReport report = updated.update(2, revision("a", "v2"));
        pool.processes.exit(old, 1);
        pool.run();
        CompletableFuture<SlotLease> waits = pool.request("a");
        pool.ready("a");

        assertThat(updated.revisionOf(waits.join())).isEqualTo("v2");
        assertThat(completion(report)).isCompleted();
    }

    @Test
    void oldWorkerThatIsIdleForLongIsKeptForMinWorkersDuringTheSurge() {
        UnexpectedWarnings.allow("is not ready after");
        UpdatedPool updated = new UpdatedPool(2, idling(revision("a", "v1"), "v1"));
        VirtualPool pool = updated.pool;
        pool.ready("a");
        updated.update(2, idling(revision("a", "v2"), "v2"));
        pool.advanceSeconds(30);
        assertThat(updated.running()).containsExactly("v1", "v2");
        pool.ready("a");
        pool.advanceSeconds(30);
        assertThat(updated.running()).containsExactly("v2");
    }

    private static ModelSpec.Builder idling(ModelSpec.Builder model, String revision) {
        return model.minWorkers(1)
                .worker(WorkerSpec.builder()
                        .command("serve", revision, "{port}")
                        .lifecycle(LifecycleConfig.builder()
                                .idleTimeout(Duration.ofSeconds(10))
                                .build()));
    }

    @Test
    void updateDuringASurgeStopsTheLoadOfTheRevisionBetween() {
        UpdatedPool updated = new UpdatedPool(3, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        pool.load("a");
        CompletableFuture<Void> second = completion(updated.update(3, revision("a", "v2")));
        UpdateReport report = updated.update(3, revision("a", "v3"));
        pool.advanceSeconds(1);

        assertThat(failure(second)).isInstanceOf(CancellationException.class);
        assertThat(report.surge()).containsExactly("a");
        assertThat(updated.running()).containsExactly("v1", "v3");
        assertThat(updated.revisionOf(pool.request("a").join())).isEqualTo("v1");
        pool.ready("a");
        assertThat(completion(report)).isCompleted();
        assertThat(updated.revisionOf(pool.request("a").join())).isEqualTo("v3");
    }

    @Test
    void updateBackToTheOldRevisionKeepsTheOldWorker() {
        UpdatedPool updated = new UpdatedPool(3, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        String old = pool.load("a");
        updated.update(3, revision("a", "v2"));
        pool.supervisor.reportReady(pool.live("a").get(1)); // and held
        UpdateReport back =
                pool.pool.update(VirtualPool.room(3, revision("a", "v1")).build());
        pool.advanceSeconds(1);

        assertThat(back.live()).containsExactly("a");
        assertThat(completion(back)).isCompleted();
        assertThat(pool.processes.running()).containsExactly(old);
        assertThat(pool.request("a").join().workerId()).isEqualTo(old);
    }

    @Test
    void updateOfAnotherModelDuringASurgeWaitsForItToo() {
        UpdatedPool updated = new UpdatedPool(3, revision("a", "v1"), revision("b", "v1"));
        VirtualPool pool = updated.pool;
        pool.load("a");
        CompletableFuture<Void> first = completion(updated.update(3, revision("a", "v2"), revision("b", "v1")));
        UpdateReport report = updated.update(3, revision("a", "v2"), revision("b", "v2"));
        assertThat(report.unchanged()).containsExactly("a");
        assertThat(report.live()).as("it has no worker").containsExactly("b");
        assertThat(completion(report)).isNotDone();
        pool.ready("a");

        assertThat(first).isCompleted();
        assertThat(completion(report)).isCompleted();
    }

    @Test
    void oldWorkersThatAreUnloadedDuringTheSurgeEndIt() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        pool.load("a");
        UpdateReport report = updated.update(2, revision("a", "v2"));
        pool.pool.unload("a");
        pool.advanceSeconds(5);

        assertThat(failure(completion(report)))
                .isInstanceOf(CancellationException.class)
                .hasMessageContaining("unloaded");
        assertThat(updated.running()).isEmpty();
    }

    /** Its stage waited for the leases of a worker that drained without a limit. */
    @Test
    void unloadBoundsTheDrainOfAReplacedWorker() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        SlotLease open = pool.lease("a");
        updated.update(2, revision("a", "v2"));
        pool.ready("a");
        CompletableFuture<Void> unloaded = pool.pool.unload("a").toCompletableFuture();
        pool.advance(LifecycleConfig.defaults().drainTimeout().plusSeconds(10));

        assertThat(unloaded).isCompleted();
        assertThat(open.isValid()).isFalse();
    }

    /** It ran until the supervisor was closed. */
    @Test
    void closeBoundsTheDrainOfAReplacedWorker() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        SlotLease open = pool.lease("a");
        updated.update(2, revision("a", "v2"));
        pool.ready("a");
        pool.pool.close();
        pool.advance(LifecycleConfig.defaults().drainTimeout().plusSeconds(10));

        assertThat(updated.running()).isEmpty();
        assertThat(open.isValid()).isFalse();
    }

    @Test
    void closeDuringTheSurgeFailsItsCompletion() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        pool.load("a");
        UpdateReport report = updated.update(2, revision("a", "v2"));
        pool.pool.close();
        pool.advanceSeconds(5);

        assertThat(failure(completion(report))).isInstanceOf(PoolClosedException.class);
        assertThat(updated.running()).isEmpty();
    }

    @Test
    void surgeWaitsForRoomThatAnotherModelHasTakenMeanwhile() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"), revision("b", "v1"));
        VirtualPool pool = updated.pool;
        pool.load("a");
        CompletableFuture<SlotLease> b = pool.pending(io.github.workerregistry.SlotRequest.forModel("b"))
                .lease()
                .toCompletableFuture();
        UpdateReport report = updated.update(2, revision("a", "v2"), revision("b", "v1"));
        assertThat(report.surge()).containsExactly("a");
        pool.ready("b");
        assertThat(updated.running()).containsExactly("v1", "v1");
        assertThat(pool.request("a").join().isValid()).isTrue();
        b.join().close();
        pool.advanceSeconds(2);
        pool.ready("a");

        assertThat(completion(report)).isCompleted();
    }

    @Test
    void heldWorkerIsServedFromWhenTheOldOneIsGone() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        String old = pool.load("a");
        updated.update(2, revision("a", "v2"));
        pool.registry.remove(old);
        pool.run();
        CompletableFuture<SlotLease> waits = pool.request("a");
        pool.ready("a");

        assertThat(updated.revisionOf(waits.join())).isEqualTo("v2");
        WorkerInfo next = pool.only("a");
        assertThat(next.slotsInUse()).isOne();
        assertThat(next.state()).isNotInstanceOf(Idle.class);
    }
}
