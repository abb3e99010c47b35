package io.github.workerregistry.pool;

import static io.github.workerregistry.pool.VirtualPool.failure;
import static io.github.workerregistry.pool.VirtualPool.model;
import static io.github.workerregistry.pool.VirtualPool.roomForOne;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.pool.PoolEvent.LoadStarted;
import io.github.workerregistry.pool.PoolEvent.Loaded;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Points 11 and 13: what a pool tells, and its end. */
@ExtendWith(UnexpectedWarnings.class)
class PoolCloseTest {

    @Test
    void closeFailsWaitersAndStopsTheWorkersOfThePool() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        SlotLease open = pool.lease("a");
        CompletableFuture<SlotLease> b = pool.request("b");
        CompletableFuture<WorkerInfo> load = pool.pool.load("b").toCompletableFuture();
        pool.run();
        WorkerInfo own =
                pool.supervisor.spawn(VirtualPool.worker().modelRef("b").build());
        pool.pool.close();
        assertThat(failure(b)).isInstanceOf(PoolClosedException.class);
        pool.run();
        assertThat(failure(load)).isInstanceOf(PoolClosedException.class);
        open.close();
        pool.advanceSeconds(1);

        assertThat(pool.processes.running()).containsExactly(own.id());
        pool.pool.close(); // idempotent
    }

    @Test
    void afterCloseNothingIsStartedAndRequestsFail() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a").minWorkers(1)));
        pool.pool.close();
        pool.advanceSeconds(60);
        assertThat(pool.processes.running()).isEmpty();
        assertThatThrownBy(() -> pool.pool.acquire("a", Duration.ofSeconds(1))).isInstanceOf(PoolClosedException.class);
        assertThat(failure(pool.request("a"))).isInstanceOf(PoolClosedException.class);
        CompletableFuture<WorkerInfo> load = pool.pool.load("a").toCompletableFuture();
        pool.run();

        assertThat(failure(load)).isInstanceOf(PoolClosedException.class);
        assertThat(failure(pool.pool
                        .<String>withSlot(SlotRequest.forModel("a"), Duration.ZERO, Runnable::run, lease -> null)
                        .toCompletableFuture()))
                .isInstanceOf(PoolClosedException.class);
    }

    @Test
    void workerWhoseStartReturnsAfterCloseIsStopped() {
        List<Runnable> starts = new ArrayList<>();
        VirtualPool pool =
                new VirtualPool(roomForOne(model("a").minWorkers(1)), builder -> builder, time -> starts::add);
        assertThat(starts).hasSize(1);
        pool.pool.close();
        starts.get(0).run();
        pool.advanceSeconds(1);

        assertThat(pool.processes.running()).isEmpty();
    }

    @Test
    void noTimerIsLeftAfterClose() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a").minResidency(Duration.ofHours(1)), model("b")));
        int before = pool.time.pendingTasks();
        pool.load("a");
        CompletableFuture<SlotLease> b = pool.request("b");
        pool.pool.close();
        pool.advance(VirtualPool.LONG); // the registry's own timer of the request

        assertThat(b).isDone();
        assertThat(pool.time.pendingTasks()).isLessThanOrEqualTo(before);
    }

    @Test
    void listenersAreToldInOrder() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        pool.request("a");
        String id = pool.only("a").id();
        pool.advanceSeconds(3);
        pool.ready("a");

        assertThat(pool.events).hasSize(2);
        assertThat(pool.events.get(0)).isEqualTo(new LoadStarted("a", id));
        assertThat(((Loaded) pool.events.get(1)).loadTime()).isEqualTo(Duration.ofSeconds(3));
    }

    @Test
    void listenerMayCallThePool() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        List<ModelStatus.State> states = new ArrayList<>();
        pool.pool.subscribe(event -> states.add(pool.pool.models().get(0).state()), Runnable::run);
        pool.load("a");

        assertThat(states).containsExactly(ModelStatus.State.LOADING, ModelStatus.State.READY);
    }

    @Test
    void listenerWhoseExecutorHasShutDownIsDropped() {
        UnexpectedWarnings.expect("is dropped: its executor has been shut down");
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        ExecutorService executor = Executors.newSingleThreadExecutor();
        executor.shutdown();
        List<PoolEvent> heard = new ArrayList<>();
        pool.pool.subscribe(heard::add, executor);

        assertThat(pool.load("a")).isNotNull();
        assertThat(heard).isEmpty();
        assertThat(pool.events).hasSize(2);
    }

    @Test
    void eventsStayQueuedWhileTheExecutorOfAListenerRefuses() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        AtomicBoolean full = new AtomicBoolean(true);
        List<PoolEvent> heard = new ArrayList<>();
        pool.pool.subscribe(heard::add, task -> {
            if (full.get()) {
                throw new RejectedExecutionException("full");
            }
            task.run();
        });
        pool.request("a");
        pool.advanceSeconds(1);
        assertThat(heard).isEmpty();

        full.set(false);
        pool.ready("a");

        assertThat(heard).isEqualTo(pool.events);
    }

    @Test
    void listenerThatIsFarBehindMissesEventsWithOneWarning() {
        UnexpectedWarnings.expect("is 1024 events behind");
        PoolFeed feed = new PoolFeed(InstantSource.system());
        List<PoolEvent> heard = new ArrayList<>();
        feed.subscribe(heard::add, Runnable::run);
        for (int i = 0; i < 2_000; i++) {
            feed.publish(new LoadStarted("a", "w" + i));
        }

        feed.deliver();

        assertThat(heard).hasSize(1_024).startsWith(new LoadStarted("a", "w0"));
    }

    @Test
    void listenersAreToldOfTheRequestsThatAreRefused() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        pool.load("a");
        pool.pool.pin("a", true);
        pool.pending(SlotRequest.forModel("b"));
        pool.pending(SlotRequest.forModel("b").priority(1));
        pool.pool.load("b");
        pool.run();

        assertThat(pool.events)
                .filteredOn(PoolEvent.Refused.class::isInstance)
                .singleElement()
                .satisfies(event -> {
                    PoolEvent.Refused refused = (PoolEvent.Refused) event;
                    assertThat(refused.modelRef()).isEqualTo("b");
                    assertThat(refused.requests()).isEqualTo(3);
                    assertThat(refused.why()).contains("no room for model b").contains("pinned");
                });
    }

    /** They were dropped if the feed was closed before another thread had passed them on. */
    @Test
    void eventsBeforeTheCloseAreDelivered() {
        PoolFeed feed = new PoolFeed(InstantSource.system());
        List<PoolEvent> heard = new ArrayList<>();
        feed.subscribe(heard::add, Runnable::run);
        feed.publish(new LoadStarted("a", "a-1"));
        feed.close();

        assertThat(heard).containsExactly(new LoadStarted("a", "a-1"));
    }

    @Test
    void listenerThatThrowsDoesNotDisturbThePool() {
        UnexpectedWarnings.expect("failed; the next event is still delivered");
        VirtualPool pool = new VirtualPool(roomForOne(model("a")));
        pool.pool.subscribe(
                event -> {
                    throw new IllegalStateException("listener");
                },
                Runnable::run);

        assertThat(pool.load("a")).isNotNull();
    }

    @Test
    void statusShowsTheModelWithItsWorkersAndWaiters() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        assertThat(pool.status("a").state()).isEqualTo(ModelStatus.State.UNLOADED);
        pool.request("a");
        pool.advanceSeconds(2);
        ModelStatus loading = pool.status("a");
        assertThat(loading.state()).isEqualTo(ModelStatus.State.LOADING);
        assertThat(loading.waiting()).isOne();
        assertThat(loading.longestWait()).isEqualTo(Duration.ofSeconds(2));
        assertThat(loading.workers()).extracting(WorkerInfo::modelRef).containsExactly("a");
        pool.ready("a");
        assertThat(pool.status("a").state()).isEqualTo(ModelStatus.State.READY);
    }

    @Test
    void statsCountLoadsWaitsEvictionsAndResidence() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        CompletableFuture<SlotLease> a = pool.request("a");
        pool.advanceSeconds(4);
        pool.ready("a");
        a.join().close();
        pool.advanceSeconds(10);
        PoolStats.Model stats = pool.pool.stats().models().get("a");
        assertThat(stats.loads()).isOne();
        assertThat(stats.loadTime()).isEqualTo(Duration.ofSeconds(4));
        assertThat(stats.waits()).isOne();
        assertThat(stats.timeWaited()).isEqualTo(Duration.ofSeconds(4));
        assertThat(stats.resident()).isEqualTo(Duration.ofSeconds(10));
        CompletableFuture<SlotLease> b = pool.request("b");
        pool.advanceSeconds(1);

        pool.ready("b");
        CompletableFuture<String> work = pool.pool
                .withSlot(
                        SlotRequest.forModel("b"),
                        VirtualPool.LONG,
                        Runnable::run,
                        lease -> CompletableFuture.completedFuture(lease.workerId()))
                .toCompletableFuture();
        pool.advanceSeconds(7);
        b.join().close();
        assertThat(work).isDone();
        assertThat(pool.pool.stats().models().get("b").waits()).isEqualTo(2);
        assertThat(pool.pool.stats().models().get("b").timeWaited()).isEqualTo(Duration.ofSeconds(8));

        stats = pool.pool.stats().models().get("a");
        assertThat(stats.evictions()).containsEntry(EvictionReason.IDLE, 1L);
        assertThat(stats.resident()).isBetween(Duration.ofSeconds(10), Duration.ofSeconds(11));
    }

    @Test
    void policyThatThrowsDoesNotEndThePool() {
        UnexpectedWarnings.expect("a plan failed");
        VirtualPool pool = new VirtualPool(
                VirtualPool.room(2, model("a"), model("b"), model("c").units(1)),
                builder -> builder.evictionPolicy((first, second) -> {
                    throw new IllegalStateException("cannot compare " + first + " and " + second);
                }));
        pool.load("a");
        String b = pool.load("b");
        CompletableFuture<SlotLease> c = pool.request("c");
        pool.supervisor.stop(b); // room for c
        pool.advanceSeconds(1);
        pool.ready("c");

        assertThat(c).isDone();
        assertThat(pool.registry.get(b)).isEmpty();
    }
}
