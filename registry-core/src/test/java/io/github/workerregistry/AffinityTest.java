package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** A request with an affinity key prefers the worker that served the key last, within the load guard. */
@ExtendWith(UnexpectedWarnings.class)
class AffinityTest {

    private static final SlotRequest REQUEST = SlotRequest.forModel(MODEL);

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).timer(time).build();

    /** The worker that serves the key now; its slot is released at once. */
    private String serve(SlotRequest request) {
        try (SlotLease lease = registry.tryAcquire(request).orElseThrow()) {
            return lease.workerId();
        }
    }

    private void hold(String worker, int slots) {
        for (int i = 0; i < slots; i++) {
            assertThat(registry.tryAcquireFrom(worker)).isPresent();
        }
    }

    private void workers(int count, int slots) {
        for (int i = 1; i <= count; i++) {
            registry.register(idle("w" + i, slots));
        }
    }

    @ParameterizedTest
    @EnumSource(SlotSelection.class)
    void conversationsStayWithTheirWorkers(SlotSelection selection) {
        WorkerRegistry registry =
                WorkerRegistry.builder().slotSelection(selection).build();
        for (int i = 0; i < 4; i++) {
            registry.register(idle("w" + i, 2));
        }
        String[] home = new String[8];
        SlotLease[] leases = new SlotLease[8];
        for (int turn = 0; turn < 10; turn++) {
            for (int i = 0; i < 8; i++) {
                leases[i] = registry.tryAcquire(REQUEST.affinity("c" + i)).orElseThrow();
                assertThat(home[i] == null || home[i].equals(leases[i].workerId()))
                        .as("conversation %s, turn %s", i, turn)
                        .isTrue();
                home[i] = leases[i].workerId();
            }
            for (SlotLease lease : leases) {
                lease.close();
            }
        }
        assertThat(new HashSet<>(Set.of(home[0], home[1], home[2], home[3])))
                .as("new keys go to the least loaded worker")
                .hasSize(4);
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0, true",
        "1, 0, true",
        "2, 0, false",
        "2, 1, true",
        "3, 1, false",
        "4, 2, true",
        "5, 2, false",
        "5, 3, true",
        "6, 3, false"
    })
    void workerIsPreferredUnlessItIsMuchMoreLoaded(int itsLoad, int othersLoad, boolean preferred) {
        workers(2, 8);
        hold("w1", 1);
        assertThat(serve(REQUEST.affinity("key"))).isEqualTo("w2");
        hold("w2", itsLoad);
        hold("w1", Math.max(0, othersLoad - 1));
        if (othersLoad == 0) {
            registry.register(idle("w3", 8)); // the one without load
        }

        assertThat(serve(REQUEST.affinity("key")).equals("w2")).isEqualTo(preferred);
    }

    @Test
    void keyMovesWithTheWorkerThatServesIt() {
        workers(2, 1);
        String first = serve(REQUEST.affinity("key"));
        hold(first, 1);

        String second = serve(REQUEST.affinity("key"));

        assertThat(second).isNotEqualTo(first);
        registry.register(idle("w3", 1));
        assertThat(serve(REQUEST.affinity("key"))).isEqualTo(second);
    }

    @Test
    void fullLoadingAndStoppingWorkersDoNotCountForTheGuard() {
        workers(1, 4);
        serve(REQUEST.affinity("key"));
        hold("w1", 2);
        registry.register(worker("loading").state(LOADING).slotsTotal(4).build());
        registry.register(worker("stopping").state(STOPPING).slotsTotal(4).build());
        registry.register(
                worker("other").backend("cuda").state(IDLE).slotsTotal(4).build());

        assertThat(serve(REQUEST.affinity("key").onBackend("cpu")))
                .as("no other worker qualifies")
                .isEqualTo("w1");
        assertThat(serve(REQUEST.affinity("key"))).as("now another does").isEqualTo("other");
    }

    @Test
    void restartedWorkerIsColdAndItsKeysAreForgotten() {
        workers(2, 2);
        hold("w1", 1);
        assertThat(serve(REQUEST.affinity("key"))).isEqualTo("w2");

        registry.updateState("w2", backingOff(registry.get("w2").orElseThrow()));
        registry.updateState("w2", new Loading(time.instant()));
        registry.updateState("w2", IDLE);
        hold("w2", 1);
        hold("w2", 1);

        assertThat(serve(REQUEST.affinity("key"))).isEqualTo("w1");
    }

    @Test
    void keyIsForgottenAfterTheTimeToLive() {
        workers(2, 2);
        hold("w1", 1);
        assertThat(serve(REQUEST.affinity("key"))).isEqualTo("w2");
        hold("w2", 1);
        time.advance(Duration.ofMinutes(10));
        assertThat(serve(REQUEST.affinity("key"))).as("used within ten minutes").isEqualTo("w2");

        time.advance(Duration.ofMinutes(10).plusMillis(1));

        assertThat(serve(REQUEST.affinity("key"))).as("the first of equals").isEqualTo("w1");
    }

    @Test
    void longestUnusedKeyIsForgottenBeyondTheCapacity() {
        WorkerRegistry small =
                WorkerRegistry.builder().clock(time).affinityCapacity(2).build();
        small.register(idle("w1", 9));
        small.register(idle("w2", 9));
        assertThat(small.tryAcquireFrom("w1")).isPresent();
        for (String key : new String[] {"a", "b", "a", "c"}) { // b is the longest unused
            time.advance(Duration.ofSeconds(1));
            small.tryAcquire(REQUEST.affinity(key)).orElseThrow().close();
        }
        assertThat(small.tryAcquireFrom("w2")).isPresent();

        assertThat(small.tryAcquire(REQUEST.affinity("a")).orElseThrow().workerId())
                .isEqualTo("w2");
        assertThat(small.tryAcquire(REQUEST.affinity("b")).orElseThrow().workerId())
                .isEqualTo("w1");
    }

    @Test
    void waitingRequestTakesItsKeyAlong() {
        workers(2, 1);
        hold("w1", 1);
        SlotLease held = registry.tryAcquireFrom("w2").orElseThrow();
        PendingSlot pending = registry.acquireAsync(REQUEST.affinity("key"), Duration.ofMinutes(1), Runnable::run);

        held.close();
        pending.lease().toCompletableFuture().join().close();

        registry.register(idle("w3", 1));
        assertThat(serve(REQUEST.affinity("key"))).isEqualTo("w2");
    }

    @Test
    void keysOfOneModelAreNotThoseOfAnother() {
        workers(1, 1);
        registry.register(idle("x1", 2).toBuilder().modelRef("other").build());
        registry.register(idle("x2", 2).toBuilder().modelRef("other").build());
        serve(REQUEST.affinity("key"));

        assertThat(serve(SlotRequest.forModel("other").affinity("key"))).isEqualTo("x1");
        assertThat(serve(REQUEST.affinity("key"))).isEqualTo("w1");
    }
}
