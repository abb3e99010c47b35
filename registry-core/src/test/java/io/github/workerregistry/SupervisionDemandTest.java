package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.entry;

import ch.qos.logback.classic.Level;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** What the registry offers to code that decides which workers run: waiting requests, and workers that become idle. */
@ExtendWith(UnexpectedWarnings.class)
class SupervisionDemandTest {

    private static final SlotRequest ANY = SlotRequest.forModel(MODEL).waitIfAbsent();
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).timer(time).build();
    private final Supervision supervision = registry.supervision();
    private final AtomicInteger calls = new AtomicInteger();

    private static final class NoRoomException extends SlotUnavailableException {
        private static final long serialVersionUID = 1L;

        NoRoomException() {
            super(MODEL, "no room for " + MODEL);
        }
    }

    private PendingSlot request(SlotRequest request) {
        return registry.acquireAsync(request, MINUTE, Runnable::run);
    }

    private static SlotLease lease(PendingSlot granted) {
        return granted.lease().toCompletableFuture().join();
    }

    private boolean whenIdle(String id) {
        return supervision.whenIdle(registry.get(id).orElseThrow().incarnation(), calls::incrementAndGet);
    }

    // ---- demand ----

    @Test
    void demandCountsWaitingRequestsByWhatTheyAskFor() {
        request(ANY);
        time.advance(Duration.ofSeconds(3));
        request(ANY.affinity("key"));
        request(ANY.onDevice(1).priority(7));
        request(SlotRequest.forModel("other").waitIfAbsent());

        ModelDemand demand = supervision.demand().stream()
                .filter(model -> model.modelRef().equals(MODEL))
                .findFirst()
                .orElseThrow();

        assertThat(supervision.demand()).hasSize(2);
        assertThat(demand.waiting()).isEqualTo(3);
        assertThat(demand.longestWait()).isEqualTo(Duration.ofSeconds(3));
        assertThat(demand.requests()).containsExactly(entry(ANY.onDevice(1), 1), entry(ANY, 2));
        assertThat(demand.longestWaits())
                .containsExactly(entry(ANY.onDevice(1), Duration.ZERO), entry(ANY, Duration.ofSeconds(3)));
    }

    @Test
    void servedCancelledAndTimedOutRequestsAreNoDemand() {
        PendingSlot served = request(ANY);
        registry.register(idle("w", 1));
        SlotLease lease = lease(served);
        PendingSlot cancelled = request(ANY);
        request(ANY);
        cancelled.cancel();
        time.advance(MINUTE);

        assertThat(supervision.demand()).isEmpty();
        lease.close();
    }

    // ---- listeners ----

    @Test
    void listenerIsCalledForEachRequestThatWaits() {
        List<String> models = new ArrayList<>();
        Subscription subscription = supervision.onDemand(models::add);

        request(ANY);
        request(ANY);
        assertThat(models).containsExactly(MODEL, MODEL);

        registry.register(idle("w", 3));
        request(ANY);
        assertThat(models).as("the third was served at once").hasSize(2);

        subscription.close();
        request(ANY);
        assertThat(models).hasSize(2);
    }

    @Test
    void requestWaitsThoughAListenerThrows() {
        supervision.onDemand(model -> {
            throw new IllegalStateException("broken");
        });
        UnexpectedWarnings.expect(DemandListeners.class, Level.WARN, "failed");

        PendingSlot pending = request(ANY);
        registry.register(idle("w", 1));

        assertThat(lease(pending).workerId()).isEqualTo("w");
    }

    // ---- whenIdle ----

    @Test
    void actionRunsAtOnceIfTheWorkerHasNoSlotInUse() {
        registry.register(loading("loading"));
        registry.register(idle("idle", 2));

        whenIdle("loading");
        whenIdle("idle");

        assertThat(calls).hasValue(2);
    }

    @Test
    void actionRunsOnceWhenTheLastSlotIsReleased() {
        registry.register(idle("w", 2));
        SlotLease first = registry.tryAcquireFrom("w").orElseThrow();
        SlotLease second = registry.tryAcquireFrom("w").orElseThrow();
        whenIdle("w");

        first.close();
        assertThat(calls).hasValue(0);
        second.close();
        assertThat(calls).hasValue(1);

        registry.tryAcquireFrom("w").orElseThrow().close();
        assertThat(calls).hasValue(1);
    }

    @Test
    void actionSurvivesATransitionOfABusyWorker() {
        registry.register(idle("w", 1));
        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
        whenIdle("w");
        registry.updateState("w", STOPPING);
        assertThat(calls).hasValue(0);

        lease.close();

        assertThat(calls).hasValue(1);
    }

    @Test
    void actionRunsWhenTheIncarnationEnds() {
        for (String id : List.of("removed", "crashed")) {
            registry.register(idle(id, 1));
            SlotLease unused = registry.tryAcquireFrom(id).orElseThrow();
            whenIdle(id);
        }

        registry.remove("removed");
        assertThat(calls).hasValue(1);
        registry.updateState("crashed", backingOff(registry.get("crashed").orElseThrow()));
        assertThat(calls).hasValue(2);
    }

    @Test
    void actionRunsWhenTheHiveReportsTheWorkerAsIdle() {
        registry.register(idle("w", 4));
        registry.updateState("w", new Busy());
        whenIdle("w");
        assertThat(calls).hasValue(0);

        registry.updateState("w", IDLE);

        assertThat(calls).hasValue(1);
    }

    @Test
    void actionDoesNotRunForASlotThatIsPassedToAWaiter() {
        registry.register(idle("w", 1));
        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
        PendingSlot next = request(ANY);
        whenIdle("w");

        lease.close();
        assertThat(calls).hasValue(0);
        lease(next).close();

        assertThat(calls).hasValue(1);
    }

    @Test
    void actionForAnotherIncarnationNeverRuns() {
        registry.register(idle("w", 1));
        WorkerInfo old = registry.get("w").orElseThrow();
        registry.remove("w");

        assertThat(supervision.whenIdle(old.incarnation(), calls::incrementAndGet))
                .isFalse();
        assertThat(calls).hasValue(0);
    }

    @Test
    void releaseSucceedsThoughAnActionThrows() {
        registry.register(idle("w", 1));
        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
        supervision.whenIdle(registry.get("w").orElseThrow().incarnation(), () -> {
            throw new IllegalStateException("broken");
        });
        whenIdle("w");
        UnexpectedWarnings.expect(IdleActions.class, Level.WARN, "failed");

        lease.close();

        assertThat(calls).hasValue(1);
    }

    // ---- failWaiting ----

    @Test
    void selectedRequestsFailWithTheStateOfTheModel() {
        PendingSlot onDevice = request(ANY.onDevice(1));
        PendingSlot any = request(ANY);
        time.advance(Duration.ofSeconds(2));

        int failed = supervision.failWaiting(MODEL, request -> request.device().isPresent(), NoRoomException::new);

        assertThat(failed).isEqualTo(1);
        assertThatThrownBy(() -> lease(onDevice))
                .isInstanceOf(CompletionException.class)
                .cause()
                .isInstanceOf(NoRoomException.class)
                .hasMessage("no room for " + MODEL + " (workers: none; callers waiting: 1; waited PT2S)")
                .extracting(e -> ((SlotUnavailableException) e).waited())
                .isEqualTo(Duration.ofSeconds(2));
        assertThat(any.position()).hasValue(0);
        assertThat(registry.stats().refused()).isEqualTo(1);
    }

    @Test
    void blockingCallerFailsToo() throws Exception {
        WorkerRegistry own = WorkerRegistry.create();
        WaitingCaller failing = new WaitingCaller(own, ANY, WaitingCaller.LONG);
        failing.awaitWaiting();

        assertThat(own.supervision().failWaiting(MODEL, request -> true, NoRoomException::new))
                .isEqualTo(1);
        assertThat(failing.failure()).isInstanceOf(NoRoomException.class);
        assertThat(own.waiting(MODEL)).isZero();
    }

    @Test
    void aRequestKeepsTheExceptionThatItFailedWithFirst() {
        List<Runnable> completions = new ArrayList<>();
        PendingSlot failing = registry.acquireAsync(ANY, MINUTE, completions::add);

        int failedLast = supervision.failWaiting(
                MODEL, request -> supervision.failWaiting(MODEL, again -> true, NoRoomException::new) == 1, () -> {
                    throw new AssertionError("the request has failed before");
                });
        completions.forEach(Runnable::run);

        assertThat(failedLast).isZero();
        assertThatThrownBy(() -> lease(failing)).hasCauseInstanceOf(NoRoomException.class);
    }

    @Test
    void nothingFailsWithoutWaitingRequests() {
        assertThat(supervision.failWaiting(MODEL, request -> true, NoRoomException::new))
                .isZero();
    }
}
