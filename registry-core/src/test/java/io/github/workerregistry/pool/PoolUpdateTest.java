package io.github.workerregistry.pool;

import static io.github.workerregistry.pool.UpdatedPool.completion;
import static io.github.workerregistry.pool.UpdatedPool.revision;
import static io.github.workerregistry.pool.VirtualPool.failure;
import static io.github.workerregistry.pool.VirtualPool.room;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.NoWorkerException;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Point 10: what an update changes at once, what it replaces, what it adds and removes. */
@ExtendWith(UnexpectedWarnings.class)
class PoolUpdateTest {

    private static final String CRASHED = "has ended: CRASHED";

    /** Updates a loaded model "a" with room for two. */
    private static UpdateReport update(UnaryOperator<ModelSpec.Builder> change) {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        updated.pool.load("a");
        return updated.update(2, change.apply(revision("a", "v1")));
    }

    private static UpdateReport updateWorker(UnaryOperator<WorkerSpec.Builder> change) {
        return update(model -> model.worker(change.apply(WorkerSpec.builder().command("serve", "v1", "{port}"))));
    }

    @Test
    void equalConfigChangesNothing() {
        UpdateReport report = update(model -> model);

        assertThat(report.unchanged()).containsExactly("a");
        assertThat(List.of(report.live(), report.surge(), report.inPlace(), report.added(), report.removed()))
                .allMatch(List::isEmpty);
        assertThat(completion(report)).isCompleted();
    }

    @Test
    void valuesOfTheModelThatNoProcessEmbodiesAreLive() {
        List<UpdateReport> reports = List.of(
                update(model -> model.alias("x")),
                update(model -> model.minWorkers(1)),
                update(model -> model.maxWorkers(4)),
                update(model -> model.minResidency(Duration.ofSeconds(9))),
                update(model -> model.scaleUpDelay(Duration.ofSeconds(9))),
                update(model -> model.evictionDrainTimeout(Duration.ofSeconds(9))),
                update(model -> model.evictable(false)),
                update(model -> model.admission(Admission.IF_IT_FITS)),
                update(model -> model.devices(0)));

        assertThat(reports).allSatisfy(report -> {
            assertThat(report.live()).containsExactly("a");
            assertThat(completion(report)).isCompleted();
        });
    }

    @Test
    void rulesOfTheWorkerAreLiveOrApplyFromItsNextStart() {
        List<UpdateReport> reports = List.of(
                updateWorker(worker -> worker.lifecycle(LifecycleConfig.builder()
                        .idleTimeout(Duration.ofSeconds(9))
                        .build())),
                updateWorker(worker -> worker.restartPolicy(RestartPolicy.never())),
                updateWorker(worker -> worker.stopRequest(seen -> new CompletableFuture<>())),
                updateWorker(worker -> worker.healthProbe((seen, timeout) -> new CompletableFuture<>())));

        assertThat(reports).allSatisfy(report -> assertThat(report.live()).containsExactly("a"));
    }

    @Test
    void whatAProcessEmbodiesIsReplaced() {
        List<UpdateReport> reports = List.of(
                updateWorker(worker -> worker.command("serve", "v2", "{port}")),
                updateWorker(worker -> worker.environment("A", "b")),
                updateWorker(worker -> worker.withoutEnvironment("PATH")),
                updateWorker(worker -> worker.parameter("a", "b")),
                updateWorker(worker -> worker.directory(Path.of("/tmp"))),
                updateWorker(worker -> worker.url("http://127.0.0.1:{port}/base")),
                updateWorker(worker -> worker.slots(4)),
                updateWorker(worker -> worker.label("tier", "fast")),
                updateWorker(WorkerSpec.Builder::listenerOutsideTree),
                update(model -> model.units(0)));

        assertThat(reports).allSatisfy(report -> assertThat(report.surge()).containsExactly("a"));
        assertThat(update(model -> model.units(2)).inPlace()).containsExactly("a");
    }

    @Test
    void backendIsReplaced() {
        VirtualPool pool = new VirtualPool(PoolConfig.builder()
                .device("cpu", 0, 1)
                .device("cuda", 0, 1)
                .model(revision("a", "v1").build()));
        pool.load("a");
        UpdateReport report = pool.pool.update(PoolConfig.builder()
                .device("cpu", 0, 1)
                .device("cuda", 0, 1)
                .model(revision("a", "v1").backend("cuda").build())
                .build());

        assertThat(report.surge()).containsExactly("a");
    }

    @Test
    void idleTimeoutAppliesToAWorkerThatRuns() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        updated.pool.load("a");
        updated.update(
                1,
                revision("a", "v1")
                        .worker(WorkerSpec.builder()
                                .command("serve", "v1", "{port}")
                                .lifecycle(LifecycleConfig.builder()
                                        .idleTimeout(Duration.ofSeconds(10))
                                        .build())));
        updated.pool.advanceSeconds(12);

        assertThat(updated.running()).isEmpty();
    }

    @Test
    void minWorkersAreLoadedAfterAnUpdate() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        updated.update(2, revision("a", "v1").minWorkers(1), revision("b", "v1").minWorkers(1));

        assertThat(updated.running()).hasSize(2);
    }

    @Test
    void workersBeyondALoweredMaxWorkersAreStopped() {
        UpdatedPool updated =
                new UpdatedPool(2, revision("a", "v1").minWorkers(2).maxWorkers(2));
        updated.pool.ready("a");
        updated.pool.advanceSeconds(1);
        updated.pool.ready("a");
        updated.pool.advanceSeconds(1);
        assertThat(updated.running()).hasSize(2);
        updated.update(2, revision("a", "v1").maxWorkers(1));
        updated.pool.advanceSeconds(1);

        assertThat(updated.running()).hasSize(1);
    }

    @Test
    void pinsStay() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"), revision("b", "v1"));
        updated.pool.load("a");
        updated.pool.pool.pin("a", true);
        updated.update(1, revision("a", "v1").maxWorkers(1).alias("x"), revision("b", "v1"));

        assertThat(updated.pool.status("a").pinned()).isTrue();
        assertThat(failure(updated.pool.request("b"))).isInstanceOf(NoCapacityException.class);
    }

    @Test
    void maxWaitOfThePoolIsLive() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"), revision("b", "v1"));
        updated.pool.lease("a");
        updated.pool.request("b");
        updated.update(room(1, revision("a", "v1"), revision("b", "v1")).maxWait(Duration.ofSeconds(1)));
        updated.pool.advanceSeconds(2);

        assertThat(updated.pool.live("a")).isEmpty();
    }

    @Test
    void admissionOfThePoolIsLive() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"), revision("b", "v1"));
        updated.pool.lease("a");
        CompletableFuture<SlotLease> b = updated.pool.request("b");
        assertThat(b).isNotDone();
        updated.update(room(1, revision("a", "v1"), revision("b", "v1")).admission(Admission.IF_IT_FITS));

        assertThat(failure(b)).isInstanceOf(NoCapacityException.class);
    }

    @Test
    void aliasMovesToAnotherModel() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1").alias("x"), revision("b", "v1"));
        updated.pool.load("a");
        updated.pool.load("b");
        assertThat(updated.pool.pool.tryAcquire("x").orElseThrow().worker().modelRef())
                .isEqualTo("a");
        CompletableFuture<SlotLease> waits = updated.pool.request("x");
        UpdateReport report =
                updated.update(2, revision("a", "v1"), revision("b", "v1").alias("x"));

        assertThat(report.live()).containsExactly("a", "b");
        assertThat(updated.pool.pool.tryAcquire("x").orElseThrow().worker().modelRef())
                .isEqualTo("b");
        assertThat(waits).as("a request keeps the model that it was for").isNotDone();
    }

    @Test
    void aliasThatIsGoneIsUnknown() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1").alias("x"));
        updated.update(2, revision("a", "v1"));

        assertThatThrownBy(() -> updated.pool.pool.tryAcquire("x")).isInstanceOf(UnknownModelException.class);
    }

    @Test
    void addedModelIsLoadedForARequest() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        UpdateReport report = updated.update(2, revision("b", "v1"), revision("a", "v1"));
        SlotLease lease = updated.pool.lease("b");

        assertThat(report.added()).containsExactly("b");
        assertThat(lease.isValid()).isTrue();
        assertThat(updated.pool.pool.models()).extracting(ModelStatus::modelRef).containsExactly("b", "a");
    }

    @Test
    void removedModelIsDrainedAndItsWaitersFail() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"), revision("b", "v1"));
        VirtualPool pool = updated.pool;
        SlotLease open = pool.lease("a");
        CompletableFuture<SlotLease> waits = pool.request("a");
        UpdateReport report = pool.pool.update(room(1, revision("b", "v1")).build());
        assertThat(report.removed()).containsExactly("a");
        pool.run();

        assertThat(failure(waits))
                .isInstanceOf(NoWorkerException.class)
                .hasMessageContaining("model a has been removed from the pool");
        assertThatThrownBy(() -> pool.request("a")).isInstanceOf(UnknownModelException.class);
        pool.advance(Duration.ofHours(3));
        assertThat(open.isValid()).isTrue();
        assertThat(pool.status("a").state()).isEqualTo(ModelStatus.State.STOPPING);
        CompletableFuture<SlotLease> b = pool.request("b");
        assertThat(updated.running()).as("its room is still claimed").hasSize(1);
        open.close();
        pool.advanceSeconds(1);
        pool.ready("b");
        assertThat(b).isCompleted();
        assertThat(pool.pool.models()).extracting(ModelStatus::modelRef).containsExactly("b");
    }

    /** Its name was resolved before the update, and it begins to wait after it. */
    @Test
    void requestThatMeetsTheRemovalOfItsModelFailsAtOnce() {
        VirtualTime time = new VirtualTime();
        AtomicReference<Runnable> betweenBoth = new AtomicReference<>(() -> {});
        InstantSource clock = () -> {
            betweenBoth.getAndSet(() -> {}).run();
            return time.instant();
        };
        WorkerRegistry registry =
                WorkerRegistry.builder().clock(clock).timer(time).build();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
                .processController(new FakeProcessController())
                .build();
        PoolConfig with = room(1, revision("a", "v1"), revision("b", "v1")).build();
        PoolConfig without = room(1, revision("b", "v1")).build();
        WorkerPool pool = WorkerPool.builder(registry, supervisor).config(with).build();
        CompletableFuture<SlotLease> own = registry.acquireAsync(
                        SlotRequest.forModel("c").waitIfAbsent(), VirtualPool.LONG, Runnable::run)
                .lease()
                .toCompletableFuture();
        betweenBoth.set(() -> pool.update(without));
        CompletableFuture<SlotLease> async = pool.acquireAsync(
                        SlotRequest.forModel("a"), VirtualPool.LONG, Runnable::run)
                .lease()
                .toCompletableFuture();
        assertThat(failure(async)).isInstanceOf(NoWorkerException.class);
        pool.update(with);
        betweenBoth.set(() -> pool.update(without));
        assertThatThrownBy(() -> pool.acquire("a", VirtualPool.LONG)).isInstanceOf(NoWorkerException.class);

        assertThat(own).as("a request of the hive for a model of its own").isNotDone();
    }

    @Test
    void loadsOfARemovedModelFailAndAreStopped() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        CompletableFuture<WorkerInfo> load = pool.pool.load("a").toCompletableFuture();
        pool.run();
        CompletableFuture<WorkerInfo> late = pool.pool.load("a").toCompletableFuture(); // not seen before the update
        updated.update(1, revision("b", "v1"));
        pool.advanceSeconds(1);

        assertThat(failure(load)).isInstanceOf(NoWorkerException.class);
        assertThat(failure(late)).isInstanceOf(NoWorkerException.class);
        assertThat(updated.running()).isEmpty();
    }

    @Test
    void modelThatIsRemovedDuringItsReplacementFailsTheCompletion() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"));
        updated.pool.load("a");
        CompletableFuture<Void> completion = completion(updated.update(2, revision("a", "v2")));
        UpdateReport removal = updated.update(2, revision("b", "v1"));
        updated.pool.advanceSeconds(1);

        assertThat(failure(completion)).isInstanceOf(NoWorkerException.class);
        assertThat(completion(removal)).isCompleted();
        assertThat(updated.running()).isEmpty();
    }

    @Test
    void modelThatIsAddedAgainWhileItDrainsClaimsForBoth() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        SlotLease open = pool.lease("a");
        pool.pool.pin("a", true);
        updated.update(1, revision("b", "v1"));
        updated.update(1, revision("a", "v2"));
        CompletableFuture<SlotLease> next = pool.request("a");
        assertThat(updated.running()).containsExactly("v1");
        assertThat(pool.status("a").pinned()).isFalse();
        open.close();
        pool.advanceSeconds(1);
        pool.ready("a");

        assertThat(updated.revisionOf(next.join())).isEqualTo("v2");
        assertThat(pool.pool.stats().models().get("a").loads()).isEqualTo(2);
    }

    @Test
    void capacityBelowWhatIsClaimedStopsNothingAndStartsNothing() {
        UpdatedPool updated = new UpdatedPool(2, revision("a", "v1"), revision("b", "v1"), revision("c", "v1"));
        VirtualPool pool = updated.pool;
        SlotLease a = pool.lease("a");
        SlotLease b = pool.lease("b");
        updated.update(1, revision("a", "v1"), revision("b", "v1"), revision("c", "v1"));
        CompletableFuture<SlotLease> c = pool.request("c");
        pool.advanceSeconds(5);
        assertThat(updated.running()).hasSize(2);
        a.close();
        pool.advanceSeconds(5);
        assertThat(pool.live("c")).as("still one more than there is room for").isEmpty();
        b.close();
        pool.advanceSeconds(5);
        pool.ready("c");

        assertThat(c).isCompleted();
        assertThat(updated.running()).hasSize(1);
    }

    @Test
    void workerOnADeviceThatIsRemovedIsReplacedOnAnother() {
        VirtualPool pool = new VirtualPool(PoolConfig.builder()
                .device("cpu", 0, 1)
                .device("cpu", 1, 2)
                .model(revision("a", "v1").build()));
        String old = pool.load("a");
        assertThat(pool.registry.get(old).orElseThrow().device()).isZero();
        UpdateReport report = pool.pool.update(PoolConfig.builder()
                .device("cpu", 1, 2)
                .model(revision("a", "v1").build())
                .build());
        pool.run();
        pool.ready("a");
        pool.advanceSeconds(1);

        assertThat(report.surge()).containsExactly("a");
        assertThat(pool.only("a").device()).isOne();
        assertThat(completion(report)).isCompleted();
    }

    @Test
    void workerOnARemovedDeviceIsClosedIfAnotherWorkerServes() {
        VirtualPool pool = new VirtualPool(PoolConfig.builder()
                .device("cpu", 0, 1)
                .device("cpu", 1, 1)
                .model(revision("a", "v1").maxWorkers(2).minWorkers(2).build()));
        pool.ready("a");
        pool.advanceSeconds(1);
        pool.ready("a");
        pool.advanceSeconds(1);
        assertThat(pool.live("a")).hasSize(2);
        pool.pool.update(PoolConfig.builder()
                .device("cpu", 1, 1)
                .model(revision("a", "v1").maxWorkers(2).build())
                .build());
        pool.advanceSeconds(1);

        assertThat(pool.only("a").device()).isOne();
    }

    @Test
    void newRevisionIsTriedAtOnceAfterAFailedLoad() {
        UnexpectedWarnings.expect(CRASHED);
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        CompletableFuture<SlotLease> request = pool.request("a");
        pool.processes.exit(pool.only("a").id(), 1);
        pool.run();
        assertThat(failure(request)).isInstanceOf(ModelLoadFailedException.class);
        updated.update(1, revision("a", "v1").alias("x"));
        assertThat(failure(pool.request("a")))
                .as("an alias says nothing about the failure")
                .isInstanceOf(ModelLoadFailedException.class);
        updated.update(1, revision("a", "v2"));
        CompletableFuture<SlotLease> next = pool.request("a");
        pool.ready("a");

        assertThat(updated.revisionOf(next.join())).isEqualTo("v2");
    }

    @Test
    void invalidConfigChangesNothingAndNamesEveryFault() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        String old = updated.pool.load("a");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> updated.update(
                        1, revision("a", "v2").units(7), revision("b", "v1").devices(3)))
                .withMessageContaining("model a can never fit: units 7 > 1")
                .withMessageContaining("model b: unknown device cpu 3");
        assertThatNullPointerException()
                .isThrownBy(() -> updated.pool.pool.update(null))
                .withMessage("config");
        assertThat(updated.pool.processes.running()).containsExactly(old);
        assertThat(updated.pool.request("a").join().workerId()).isEqualTo(old);
    }

    @Test
    void updateAfterCloseIsRefused() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        updated.pool.pool.close();

        assertThatThrownBy(() -> updated.update(1, revision("a", "v2")))
                .isInstanceOf(IllegalStateException.class)
                .hasMessage("the pool has been closed");
    }

    @Test
    void requestForALabelOfTheNewRevisionLoadsIt() {
        UpdatedPool updated = new UpdatedPool(1, revision("a", "v1"));
        VirtualPool pool = updated.pool;
        pool.load("a");
        updated.update(
                1,
                revision("a", "v2")
                        .worker(WorkerSpec.builder()
                                .command("serve", "v2", "{port}")
                                .label("tier", "fast")));
        CompletableFuture<SlotLease> fast =
                pool.request(SlotRequest.forModel("a").withLabel("tier", "fast"));
        pool.advanceSeconds(1);
        pool.ready("a");

        assertThat(updated.revisionOf(fast.join())).isEqualTo("v2");
    }

    @Test
    void updateByAPolicyDuringAPassAppliesBeforeTheNextStep() {
        PoolConfig[] next = {null};
        WorkerPool[] target = {null};
        VirtualPool pool = new VirtualPool(
                room(
                        2,
                        revision("a", "v1"),
                        revision("b", "v1"),
                        revision("c", "v1").units(2)),
                builder -> builder.evictionPolicy((x, y) -> {
                    PoolConfig config = next[0];
                    next[0] = null;
                    if (config != null) {
                        target[0].update(config);
                    }
                    return x.workerId().compareTo(y.workerId());
                }));
        target[0] = pool.pool;
        pool.load("a");
        pool.load("b");
        next[0] = room(2, revision("a", "v1"), revision("b", "v1")).build();
        CompletableFuture<SlotLease> c = pool.request("c");
        pool.advanceSeconds(1);

        assertThat(failure(c)).isInstanceOf(NoWorkerException.class);
        assertThat(pool.live("a")).hasSize(1);
        assertThat(pool.live("b")).hasSize(1);
    }

    @Test
    void listsOfTheReportAreUnmodifiable() {
        UpdateReport report = update(model -> model);

        assertThatThrownBy(() -> report.unchanged().add("b")).isInstanceOf(UnsupportedOperationException.class);
    }
}
