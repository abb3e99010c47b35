package io.github.workerregistry.pool;

import static io.github.workerregistry.pool.VirtualPool.model;
import static io.github.workerregistry.pool.VirtualPool.room;
import static io.github.workerregistry.pool.VirtualPool.roomForOne;
import static io.github.workerregistry.pool.VirtualPool.worker;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.WorkerSpec;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Points 2 and 9: further workers, and fewer. */
@ExtendWith(UnexpectedWarnings.class)
class PoolScaleTest {

    private static final LifecycleConfig IDLE_10_S =
            LifecycleConfig.builder().idleTimeout(Duration.ofSeconds(10)).build();

    private static ModelSpec.Builder scaled(String name, int maxWorkers) {
        return ModelSpec.builder(name)
                .worker(WorkerSpec.builder().command("serve", "{port}").lifecycle(IDLE_10_S))
                .maxWorkers(maxWorkers);
    }

    @Test
    void furtherWorkerIsStartedAfterScaleUpDelay() {
        VirtualPool pool = new VirtualPool(room(3, scaled("a", 3)));
        pool.lease("a");
        CompletableFuture<SlotLease> second = pool.request("a");
        pool.advance(Duration.ofMillis(900));
        assertThat(pool.live("a")).hasSize(1);
        pool.advance(Duration.ofMillis(200));
        assertThat(pool.live("a")).hasSize(2);
        pool.ready("a");

        assertThat(second).isDone();
    }

    @Test
    void oneFurtherWorkerLoadsAtATime() {
        VirtualPool pool = new VirtualPool(room(9, scaled("a", 9)));
        pool.lease("a");
        for (int i = 0; i < 5; i++) {
            pool.request("a");
        }
        pool.advanceSeconds(8);
        assertThat(pool.live("a")).hasSize(2);
        pool.ready("a");
        pool.advanceSeconds(1);
        assertThat(pool.live("a")).hasSize(3);
    }

    @Test
    void noMoreThanMaxWorkers() {
        VirtualPool pool = new VirtualPool(room(9, scaled("a", 2)));
        pool.lease("a");
        for (int i = 0; i < 5; i++) {
            pool.request("a");
        }
        pool.advanceSeconds(5);
        pool.ready("a");
        pool.advanceSeconds(5);
        assertThat(pool.live("a")).hasSize(2);
    }

    /** Reports 26 and 29. */
    @Test
    void idleWorkersAreStoppedAfterTheTimeoutDownToTheMinimum() {
        VirtualPool pool = new VirtualPool(room(3, scaled("a", 3).minWorkers(1)));
        pool.ready("a");
        SlotLease first = pool.lease("a");
        CompletableFuture<SlotLease> second = pool.request("a");
        pool.advanceSeconds(2);
        pool.ready("a");
        first.close();
        second.join().close();
        pool.advanceSeconds(9);
        assertThat(pool.live("a")).hasSize(2);
        pool.advanceSeconds(2);
        assertThat(pool.live("a")).hasSize(1);
        pool.advanceSeconds(60);
        assertThat(pool.live("a")).hasSize(1);
        assertThat(pool.supervisor.recentExits()).last().extracting(Exit::cause).isEqualTo(Exit.Cause.IDLE_TIMEOUT);
    }

    /** A host that had been suspended for longer than the timeout stopped its workers when it resumed. */
    @Test
    void timeOfAPauseIsNoIdleTime() {
        VirtualPool pool = new VirtualPool(room(3, scaled("a", 3)));
        pool.load("a");
        pool.clock.suspend(Duration.ofHours(1));
        pool.advanceSeconds(9);
        assertThat(pool.live("a")).hasSize(1);
        pool.advanceSeconds(2);
        assertThat(pool.live("a")).isEmpty();
    }

    /** Report 28: ended streams kept the count up, or it flapped between 0 and 1. */
    @Test
    void afterTheLastReleaseNothingIsStartedWithoutARequest() {
        VirtualPool pool = new VirtualPool(room(3, scaled("a", 3)));
        SlotLease open = pool.lease("a");
        pool.advanceSeconds(30);
        assertThat(pool.live("a")).hasSize(1); // busy
        open.close();
        pool.advanceSeconds(11);
        assertThat(pool.live("a")).isEmpty();
        pool.advanceSeconds(120);

        assertThat(pool.processes.starts()).isOne();
    }

    @Test
    void pinnedWorkerIsNotStoppedWhenIdle() {
        VirtualPool pool = new VirtualPool(roomForOne(ModelSpec.builder("a").worker(worker().lifecycle(IDLE_10_S))));
        pool.load("a");
        pool.pool.pin("a", true);
        pool.advanceSeconds(60);
        assertThat(pool.live("a")).hasSize(1);
        pool.pool.pin("a", false);
        pool.run();
        assertThat(pool.live("a")).isEmpty();
    }

    @Test
    void nothingIsStoppedInAPassThatStarts() {
        VirtualPool pool =
                new VirtualPool(room(2, ModelSpec.builder("a").worker(worker().lifecycle(IDLE_10_S)), model("b")));
        pool.load("a");
        pool.advance(Duration.ofMillis(9_999));
        pool.request("b");
        pool.advanceSeconds(1);

        assertThat(pool.live("a")).isEmpty();
        assertThat(pool.live("b")).hasSize(1);
    }
}
