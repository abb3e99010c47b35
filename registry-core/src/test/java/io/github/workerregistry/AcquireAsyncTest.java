package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@link WorkerRegistry#acquireAsync}: grant, cancellation, timeout, failure, and the executor. */
@ExtendWith(UnexpectedWarnings.class)
class AcquireAsyncTest {

    private static final SlotRequest REQUEST = SlotRequest.forModel(MODEL);
    private static final Duration MINUTE = Duration.ofMinutes(1);

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).timer(time).build();

    private PendingSlot request(SlotRequest request) {
        return registry.acquireAsync(request, MINUTE, Runnable::run);
    }

    private static SlotLease leaseOf(PendingSlot pending) {
        CompletableFuture<SlotLease> lease = pending.lease().toCompletableFuture();
        assertThat(lease).isCompleted();
        return lease.join();
    }

    private static Throwable failureOf(PendingSlot pending) {
        CompletableFuture<SlotLease> lease = pending.lease().toCompletableFuture();
        assertThat(lease).isCompletedExceptionally();
        Throwable failure = catchThrowable(lease::join);
        return failure instanceof CompletionException wrapped ? wrapped.getCause() : failure;
    }

    private static boolean isPending(PendingSlot pending) {
        return !pending.lease().toCompletableFuture().isDone();
    }

    // ---- grant ----

    @Test
    void freeSlotIsGrantedAtOnce() {
        registry.register(idle("w", 1));

        PendingSlot pending = request(REQUEST);

        assertThat(leaseOf(pending).workerId()).isEqualTo("w");
        assertThat(pending.position()).isEmpty();
        assertThat(pending.cancel()).isFalse();
        assertThat(leaseOf(pending).isValid()).isTrue();
        assertThat(time.pendingTasks()).isZero();
    }

    @Test
    void slotThatIsFreeAtOnceTakesNoReadingOfTheClock() {
        AtomicInteger readings = new AtomicInteger();
        WorkerRegistry counting = WorkerRegistry.builder()
                .clock(() -> {
                    readings.incrementAndGet();
                    return time.instant();
                })
                .timer(time)
                .build();
        counting.register(idle("w", 1));
        readings.set(0);

        leaseOf(counting.acquireAsync(REQUEST, MINUTE, Runnable::run)).close();

        assertThat(readings).hasValue(0);
    }

    @Test
    void releasedSlotIsGrantedToTheFirstThatWaits() {
        registry.register(idle("w", 1));
        SlotLease held = registry.tryAcquire(MODEL).orElseThrow();
        PendingSlot first = request(REQUEST);
        PendingSlot second = request(REQUEST);
        assertThat(first.position()).isEqualTo(OptionalInt.of(0));
        assertThat(second.position()).isEqualTo(OptionalInt.of(1));
        assertThat(registry.waiting(MODEL)).isEqualTo(2);

        held.close();

        assertThat(leaseOf(first).isValid()).isTrue();
        assertThat(isPending(second)).isTrue();
        assertThat(second.position()).isEqualTo(OptionalInt.of(0));
        leaseOf(first).close();
        assertThat(leaseOf(second).isValid()).isTrue();
        assertThat(registry.waiting(MODEL)).isZero();
    }

    @Test
    void requestIsGrantedWhenAWorkerBecomesReady() {
        registry.register(loading("w"));
        PendingSlot pending = request(REQUEST);

        registry.updateState("w", IDLE);

        assertThat(leaseOf(pending).workerId()).isEqualTo("w");
    }

    @Test
    void blockingAndAsynchronousRequestsAreServedInOneOrder() throws Exception {
        registry.register(idle("w", 1));
        SlotLease held = registry.tryAcquire(MODEL).orElseThrow();
        PendingSlot first = request(REQUEST);
        try (ManyThreads threads = new ManyThreads()) {
            var second = threads.start(() -> registry.acquire(REQUEST, MINUTE));
            while (registry.waiting(MODEL) < 2) {
                Thread.onSpinWait();
            }
            PendingSlot third = request(REQUEST);

            held.close();
            assertThat(second.isDone()).isFalse();
            leaseOf(first).close();
            SlotLease lease = ManyThreads.resultOf(second);
            assertThat(isPending(third)).isTrue();
            lease.close();
            leaseOf(third).close();
        }
    }

    @Test
    void higherPriorityIsServedFirst() {
        registry.register(idle("w", 1));
        SlotLease held = registry.tryAcquire(MODEL).orElseThrow();
        PendingSlot low = request(REQUEST.priority(Integer.MIN_VALUE));
        PendingSlot normal = request(REQUEST);
        PendingSlot high = request(REQUEST.priority(Integer.MAX_VALUE));
        PendingSlot alsoHigh = request(REQUEST.priority(Integer.MAX_VALUE));
        List<String> served = new ArrayList<>();
        serve(low, "low", served);
        serve(normal, "normal", served);
        serve(high, "high", served);
        serve(alsoHigh, "also high", served);
        assertThat(low.position()).isEqualTo(OptionalInt.of(3));
        assertThat(alsoHigh.position()).isEqualTo(OptionalInt.of(1));

        held.close();

        assertThat(served).containsExactly("high", "also high", "normal", "low");
    }

    private static void serve(PendingSlot pending, String name, List<String> served) {
        pending.lease().thenAccept(lease -> {
            served.add(name);
            lease.close();
        });
    }

    @Test
    void requestThatNoSlotFitsDoesNotHoldUpThoseBehindIt() {
        registry.register(worker("cpu").state(IDLE).backend("cpu").build());
        registry.register(worker("cuda").state(LOADING).backend("cuda").build());
        SlotLease held = registry.tryAcquireFrom("cpu").orElseThrow();
        PendingSlot cuda = request(REQUEST.onBackend("cuda").priority(9));
        PendingSlot any = request(REQUEST);

        held.close();

        assertThat(leaseOf(any).workerId()).isEqualTo("cpu");
        assertThat(isPending(cuda)).isTrue();
    }

    @Test
    void chainOfReleasesInCompletionsDoesNotDeepenTheStack() {
        registry.register(idle("w", 1));
        WorkerRegistry large =
                WorkerRegistry.builder().waitQueueCapacity(200_000).build();
        large.register(idle("w", 1));
        SlotLease held = large.tryAcquire(MODEL).orElseThrow();
        AtomicInteger served = new AtomicInteger();
        int chain = 100_000;
        for (int i = 0; i < chain; i++) {
            large.acquireAsync(REQUEST, MINUTE, Runnable::run).lease().thenAccept(lease -> {
                served.incrementAndGet();
                lease.close();
            });
        }

        held.close();

        assertThat(served).hasValue(chain);
        assertThat(large.stats().slotsInUse()).isZero();
        assertThat(large.stats().granted()).isEqualTo(chain);
    }

    @Test
    void completionsRunWithNoLockHeld() throws Exception {
        registry.register(idle("w", 2));
        List<SlotLease> held = List.of(
                registry.tryAcquire(MODEL).orElseThrow(),
                registry.tryAcquire(MODEL).orElseThrow());
        try (ManyThreads threads = new ManyThreads()) {
            AtomicReference<Throwable> failure = new AtomicReference<>();
            request(REQUEST).lease().thenAccept(lease -> {
                try { // another thread uses queue and registry meanwhile
                    ManyThreads.resultOf(threads.start(() -> {
                        request(REQUEST).cancel();
                        registry.register(idle("other", 1));
                        return registry.list();
                    }));
                } catch (Throwable t) {
                    failure.set(t);
                }
            });

            held.get(0).close();

            assertThat(failure.get()).isNull();
        }
    }

    @Test
    void completionsFollowTheEventsOfADeferredAction() {
        List<String> order = new ArrayList<>();
        registry.register(loading("w"));
        registry.subscribe(event -> order.add(event.getClass().getSimpleName()), Runnable::run);
        request(REQUEST).lease().thenAccept(lease -> order.add("granted"));

        registry.supervision().deferEvents(() -> {
            registry.updateState("w", IDLE);
            order.add("action ends");
        });

        assertThat(order).containsExactly("action ends", "BecameReady", "granted");
    }

    @Test
    void leaksAreReportedWithTheStackOfTheRequest() {
        UnexpectedWarnings.expect("has been open for more than");
        WorkerRegistry watched = WorkerRegistry.builder()
                .clock(time)
                .timer(time)
                .leaseLeakThreshold(MINUTE)
                .build();
        watched.register(idle("w", 1));
        watched.acquireAsync(REQUEST, MINUTE, Runnable::run);

        time.advance(Duration.ofMinutes(2));
        watched.supervision().reportLeaks();
    }

    // ---- cancellation ----

    @Test
    void cancelledRequestFreesItsPlace() {
        registry.register(idle("w", 1));
        SlotLease held = registry.tryAcquire(MODEL).orElseThrow();
        PendingSlot first = request(REQUEST);
        PendingSlot second = request(REQUEST);

        assertThat(first.cancel()).isTrue();
        assertThat(failureOf(first)).isInstanceOf(CancellationException.class);
        assertThat(first.position()).isEmpty();
        assertThat(first.cancel()).isFalse();

        held.close();
        assertThat(leaseOf(second).isValid()).isTrue();
        assertThat(registry.stats().cancelled()).isEqualTo(1);
        assertThat(registry.stats().granted()).isEqualTo(1);
    }

    @Test
    void completingOrCancellingADerivedStageDoesNotChangeTheRequest() {
        registry.register(idle("w", 1));
        SlotLease held = registry.tryAcquire(MODEL).orElseThrow();
        PendingSlot pending = request(REQUEST);

        pending.lease().toCompletableFuture().cancel(true);
        pending.lease().toCompletableFuture().complete(held);
        pending.lease().thenApply(SlotLease::url).toCompletableFuture().cancel(true);

        assertThat(pending.position()).isEqualTo(OptionalInt.of(0));
        held.close();
        assertThat(leaseOf(pending).isValid()).isTrue();
    }

    // ---- timeout ----

    @Test
    void requestTimesOutInTheTimeOfTheTimer() {
        registry.register(loading("w"));
        PendingSlot pending = request(REQUEST);

        time.advance(MINUTE.minusMillis(1));
        assertThat(isPending(pending)).isTrue();
        time.advance(Duration.ofMillis(1));

        assertThat(failureOf(pending)).isInstanceOfSatisfying(SlotTimeoutException.class, timeout -> {
            assertThat(timeout.timeout()).isEqualTo(MINUTE);
            assertThat(timeout.waited()).isEqualTo(MINUTE);
            assertThat(timeout.modelRef()).isEqualTo(MODEL);
        });
        assertThat(registry.waiting(MODEL)).isZero();
        assertThat(registry.stats().timedOut()).isEqualTo(1);
        assertThat(registry.stats().timeWaited()).isEqualTo(MINUTE);
    }

    @Test
    void blockingCallerTimesOutInTheTimeOfTheTimer() throws Exception {
        registry.register(loading("w"));
        try (ManyThreads threads = new ManyThreads()) {
            var caller = threads.start(() -> catchThrowable(() -> registry.acquire(MODEL, MINUTE)));
            while (time.pendingTasks() == 0) {
                Thread.onSpinWait();
            }

            time.advance(MINUTE);

            assertThat(ManyThreads.resultOf(caller)).isInstanceOf(SlotTimeoutException.class);
        }
    }

    @Test
    void zeroTimeoutDoesNotWait() {
        registry.register(loading("w"));

        PendingSlot pending = registry.acquireAsync(REQUEST, Duration.ZERO, Runnable::run);

        assertThat(failureOf(pending)).isInstanceOf(SlotTimeoutException.class);
        assertThat(time.pendingTasks()).isZero();
    }

    @Test
    void longestTimeoutIsAccepted() {
        registry.register(loading("w"));

        PendingSlot pending = registry.acquireAsync(REQUEST, Duration.ofSeconds(Long.MAX_VALUE), Runnable::run);

        time.advance(Duration.ofDays(365));
        assertThat(isPending(pending)).isTrue();
        registry.updateState("w", IDLE);
        assertThat(leaseOf(pending).isValid()).isTrue();
    }

    @Test
    void requestTimesOutInRealTimeWithoutATimer() throws Exception {
        WorkerRegistry real = WorkerRegistry.create();
        real.register(loading("w"));

        CompletableFuture<SlotLease> lease = real.acquireAsync(REQUEST, Duration.ofMillis(20), Runnable::run)
                .lease()
                .toCompletableFuture();

        assertThat(catchThrowable(() -> lease.get(30, TimeUnit.SECONDS)))
                .hasCauseInstanceOf(SlotTimeoutException.class);
    }

    // ---- failure ----

    @Test
    void unservableRequestFailsByTheStage() {
        assertThat(failureOf(request(REQUEST))).isInstanceOf(NoWorkerException.class);

        registry.register(loading("w"));
        PendingSlot pending = request(REQUEST);
        registry.remove("w");

        assertThat(failureOf(pending)).isInstanceOf(NoWorkerException.class);
        assertThat(registry.stats().refused()).isEqualTo(2);
    }

    @Test
    void requestThatWaitsIfAbsentIsServedByALaterWorker() {
        PendingSlot pending = request(REQUEST.waitIfAbsent());
        registry.register(loading("w"));
        registry.remove("w");
        assertThat(isPending(pending)).isTrue();

        registry.register(idle("other", 1));

        assertThat(leaseOf(pending).workerId()).isEqualTo("other");
    }

    @Test
    void fullQueueRefuses() {
        WorkerRegistry small = WorkerRegistry.builder()
                .clock(time)
                .timer(time)
                .waitQueueCapacity(1)
                .build();
        small.register(loading("w"));
        small.acquireAsync(REQUEST, MINUTE, Runnable::run);

        PendingSlot refused = small.acquireAsync(REQUEST, MINUTE, Runnable::run);

        assertThat(failureOf(refused)).isInstanceOf(SlotQueueFullException.class);
        assertThat(small.waiting(MODEL)).isEqualTo(1);
        assertThat(small.stats().refused()).isEqualTo(1);
    }

    @Test
    void onlyBadArgumentsThrow() {
        assertThatExceptionOfType(IllegalArgumentException.class)
                .isThrownBy(() -> registry.acquireAsync(REQUEST, Duration.ofNanos(-1), Runnable::run))
                .withMessageContaining("timeout must be >= 0, was PT-0.000000001S");
    }

    // ---- the executor ----

    @Test
    void completionRunsOnTheExecutor() {
        List<Runnable> tasks = new ArrayList<>();
        registry.register(idle("w", 1));

        PendingSlot pending = registry.acquireAsync(REQUEST, MINUTE, tasks::add);

        assertThat(isPending(pending)).isTrue();
        tasks.forEach(Runnable::run);
        assertThat(leaseOf(pending).isValid()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void refusalOfTheExecutorPassesTheSlotOn(boolean atOnce) {
        Executor refusing = task -> {
            throw new RejectedExecutionException("shut down");
        };
        registry.register(idle("w", 1));
        SlotLease held = registry.tryAcquire(MODEL).orElseThrow();
        if (atOnce) {
            held.close();
        }
        PendingSlot refused = registry.acquireAsync(REQUEST, MINUTE, refusing);
        PendingSlot next = request(REQUEST);

        held.close();

        assertThat(failureOf(refused))
                .isInstanceOf(RejectedExecutionException.class)
                .hasMessage("shut down");
        assertThat(leaseOf(next).isValid()).isTrue();
        leaseOf(next).close();
        assertThat(registry.stats().slotsInUse()).isZero();
    }

    @Test
    void executorThatRunsTheTaskAndThenThrowsCompletesOnce() {
        registry.register(idle("w", 1));

        PendingSlot pending = registry.acquireAsync(REQUEST, MINUTE, task -> {
            task.run();
            task.run();
            throw new IllegalStateException("broken");
        });

        assertThat(leaseOf(pending).isValid()).isTrue();
    }

    @Test
    void completionThatThrowsHarmsNoOther() {
        registry.register(idle("w", 2));
        List<SlotLease> held = List.of(
                registry.tryAcquire(MODEL).orElseThrow(),
                registry.tryAcquire(MODEL).orElseThrow());
        request(REQUEST).lease().thenAccept(lease -> {
            throw new AssertionError("broken");
        });
        PendingSlot second = request(REQUEST);

        held.forEach(SlotLease::close);

        assertThat(leaseOf(second).isValid()).isTrue();
    }
}
