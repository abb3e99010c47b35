package io.github.workerregistry.pool;

import static io.github.workerregistry.pool.VirtualPool.model;
import static io.github.workerregistry.pool.VirtualPool.roomForOne;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** More models than room, and requests for all of them, always: each load serves a batch, and no model starves. */
@ExtendWith(UnexpectedWarnings.class)
class PoolOverloadTest {

    private static final Duration MAX_WAIT = Duration.ofSeconds(30); // the default

    /** Once requests of both models had waited for maxWait, each load served one request. */
    @Test
    void loadServesTheRequestsThatWaitedWhenItWasReady() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        SteadyLoad load = new SteadyLoad(pool, List.of("a", "b"), 10, 5, 2).run(1200);

        assertThat(load.servedByEvicted()).hasSizeGreaterThan(10).allMatch(served -> served >= 10);
        assertThat(load.starts()).isLessThan(60);
    }

    @Test
    void loadServesNoLongerThanMaxWaitIfMoreRequestsWaitedForIt() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        SteadyLoad load = new SteadyLoad(pool, List.of("a", "b"), 40, 5, 2).run(1200);

        assertThat(load.servedByEvicted()).hasSizeGreaterThan(10).allMatch(served -> served >= 14 && served <= 17);
    }

    @Test
    void loadThatTookLongerThanMaxWaitServesForAsLong() {
        UnexpectedWarnings.expect("is not ready after PT10S");
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        SteadyLoad load = new SteadyLoad(pool, List.of("a", "b"), 100, 90, 2).run(3600);

        assertThat(load.servedByEvicted()).hasSizeGreaterThan(10).allMatch(served -> served >= 44);
    }

    @Test
    void requestWaitsNoLongerThanTheTurnOfEachOtherModel() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b"), model("c")));
        List<String> models = List.of("a", "b", "c");
        SteadyLoad load = new SteadyLoad(pool, models, 5, 5, 2).run(3600);
        Duration turn = MAX_WAIT.plusSeconds(5 + 2 + 2); // the load, an open lease, and ticks

        assertThat(models)
                .allSatisfy(name ->
                        assertThat(load.longestWait(name)).as(name).isLessThan(MAX_WAIT.plus(turn.multipliedBy(3))));
    }

    @Test
    void requestAloneIsServedAfterMaxWaitAndOneTurnAtTheLatest() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        SteadyLoad load = new SteadyLoad(pool, List.of("a"), 40, 5, 2).run(60);
        CompletableFuture<SlotLease> b = pool.request("b");
        load.run((int) MAX_WAIT.toSeconds() + 5);
        pool.ready("b");

        assertThat(b).isDone();
    }

    /** The evicted model had older requests, and was loaded again in the room that was made for another one. */
    @Test
    void roomThatWasMadeForAModelIsNotTakenByAnOlderRequestOfTheEvictedOne() {
        VirtualPool pool = new VirtualPool(roomForOne(model("a"), model("b")));
        List<CompletableFuture<SlotLease>> waiting = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            waiting.add(pool.request("a"));
        }
        pool.advanceSeconds(5);
        pool.request("b");
        pool.ready("a");
        pool.advanceSeconds(35); // one lease is open all the time, and a's batch is not served
        waiting.get(0).join().close();
        pool.advanceSeconds(1);

        assertThat(pool.live("b")).hasSize(1);
        assertThat(waiting.get(1)).isNotDone();
    }
}
