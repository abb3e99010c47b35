package io.github.workerregistry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Waiting for a slot, with real threads. */
@ExtendWith(UnexpectedWarnings.class)
class AcquireTest {

    private static final Duration LONG = Duration.ofSeconds(30);
    private static final Duration SHORT = Duration.ofMillis(20);

    private WorkerRegistry registry = WorkerRegistry.create();
    private final List<Caller> callers = new ArrayList<>();

    /** A thread that waits for a slot, and what it got. */
    private static final class Caller {
        final CompletableFuture<SlotLease> result = new CompletableFuture<>();
        final Thread thread;

        Caller(Callable<SlotLease> acquire) {
            thread = new Thread(() -> {
                try {
                    result.complete(acquire.call());
                } catch (Throwable t) {
                    result.completeExceptionally(t);
                }
            });
            thread.setDaemon(true);
            thread.start();
        }

        SlotLease lease() throws Exception {
            return result.get(LONG.toSeconds(), TimeUnit.SECONDS);
        }

        Throwable failure() throws Exception {
            try {
                return new AssertionError("got " + result.get(LONG.toSeconds(), TimeUnit.SECONDS));
            } catch (ExecutionException e) {
                return e.getCause();
            }
        }
    }

    @AfterEach
    void endWhatIsLeft() {
        callers.forEach(caller -> caller.thread.interrupt());
    }

    private void register(String id, WorkerState state) {
        registry.register(WorkerInfo.builder()
                .id(id)
                .url("http://h")
                .modelRef("m")
                .state(state)
                .build());
    }

    /** A caller that has got in line. */
    private Caller waiting(Duration timeout) {
        return waiting(SlotFilter.any(), timeout);
    }

    private Caller waiting(SlotFilter filter, Duration timeout) {
        Caller caller = new Caller(() -> registry.acquire("m", filter, timeout));
        callers.add(caller);
        await().pollDelay(Duration.ZERO)
                .pollInterval(Duration.ofMillis(1))
                .until(() -> caller.thread.getState() == Thread.State.TIMED_WAITING);
        return caller;
    }

    private static Exit exit(String id, Exit.Cause cause) {
        return new Exit(id, "m", 1, cause, ExitStatus.unrequested(3), List.of("no memory"), java.time.Instant.EPOCH);
    }

    /** What a message says of the state of a model, as a regular expression. */
    private static String shortage(String workers, int waiting) {
        return "\\(workers: " + workers + "; callers waiting: " + waiting + "; waited PT[\\d.]+S\\)";
    }

    @Test
    void aFreeSlotIsGivenAtOnce() throws InterruptedException {
        register("w", new Idle());

        assertThat(registry.acquire("m", Duration.ZERO).workerId()).isEqualTo("w");
        assertThatThrownBy(() -> registry.acquire("m", Duration.ZERO))
                .isInstanceOf(SlotTimeoutException.class)
                .hasMessageContaining("no slot of m within PT0S")
                .satisfies(e -> {
                    SlotTimeoutException late = (SlotTimeoutException) e;
                    assertThat(late.modelRef()).isEqualTo("m");
                    assertThat(late.timeout()).isZero();
                });
    }

    @Test
    void whoeverWaitsGetsTheSlotThatIsGivenBack() throws Exception {
        register("w", new Idle());
        SlotLease first = registry.tryAcquire("m").orElseThrow();
        Caller caller = waiting(LONG);

        first.close();

        assertThat(caller.lease().isValid()).isTrue();
        assertThat(registry.tryAcquire("m")).isEmpty();
    }

    @Test
    void whoeverWaitsGetsASlotOfAWorkerThatBecomesReady() throws Exception {
        register("w", new Loading(registry.clock().instant()));
        Caller caller = waiting(LONG);

        registry.updateState("w", new Idle());

        assertThat(caller.lease().workerId()).isEqualTo("w");
    }

    @Test
    void aWorkerThatIsRegisteredReadyServesWhoeverWaits() throws Exception {
        register("w", new Loading(registry.clock().instant()));
        Caller caller = waiting(LONG);

        register("v", new Idle());

        assertThat(caller.lease().workerId()).isEqualTo("v");
    }

    @Test
    void firstComeFirstServed() throws Exception {
        register("w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        List<Caller> line = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            line.add(waiting(LONG));
        }

        for (Caller next : line) {
            assertThat(next.result).isNotDone();
            lease.close();
            lease = next.lease();
        }
    }

    /** The slot is free all the time, and its filter lets the one who waits have it without anybody telling. */
    @Test
    void whoeverAsksLaterStandsBehindThoseWhoWait() throws Exception {
        register("w", new Idle());
        AtomicBoolean wanted = new AtomicBoolean();
        Caller first = waiting(SlotFilter.any().where(worker -> wanted.get()), LONG);

        wanted.set(true);

        assertThat(registry.tryAcquire("m")).isEmpty();
        assertThat(first.lease().workerId()).isEqualTo("w");
    }

    @Test
    void soDoesWhoeverAsksWithAFilter() throws Exception {
        register("w", new Idle());
        AtomicBoolean wanted = new AtomicBoolean();
        Caller first = waiting(SlotFilter.any().where(worker -> wanted.get()), LONG);

        wanted.set(true);

        assertThat(registry.tryAcquire("m", SlotFilter.any().onBackend("cpu"))).isEmpty();
        assertThat(first.lease().workerId()).isEqualTo("w");
    }

    @Test
    void whoeverAsksOneWorkerGetsTheSlotThatThoseWhoWaitDoNotWant() throws Exception {
        register("w", new Idle());
        waiting(SlotFilter.any().where(worker -> worker.pid().isPresent()), LONG);

        assertThat(registry.tryAcquireFrom("w")).isPresent();
    }

    @Test
    void whoeverAsksOneWorkerStandsBehindThoseWhoWaitForAny() throws Exception {
        register("w", new Idle());
        AtomicBoolean wanted = new AtomicBoolean();
        Caller first = waiting(SlotFilter.any().where(worker -> wanted.get()), LONG);

        wanted.set(true);

        assertThat(registry.tryAcquireFrom("w")).isEmpty();
        assertThat(first.lease().workerId()).isEqualTo("w");
    }

    @Test
    void whoeverIsPickyLetsThoseBehindPass() throws Exception {
        register("w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        registry.register(WorkerInfo.builder()
                .id("gpu")
                .url("http://h")
                .modelRef("m")
                .backend("cuda")
                .state(new Loading(registry.clock().instant()))
                .build());
        Caller picky = waiting(SlotFilter.any().onBackend("cuda"), LONG);
        Caller behind = waiting(LONG);

        lease.close();
        assertThat(behind.lease().workerId()).isEqualTo("w");
        assertThat(picky.result).isNotDone();
        behind.lease().close();
        assertThat(registry.tryAcquire("m")).as("a slot that nobody waits for").isPresent();
        registry.updateState("gpu", new Idle());

        assertThat(picky.lease().workerId()).isEqualTo("gpu");
    }

    @Test
    void aFilterThatThrowsFailsItsOwnCallerOnly() throws Exception {
        register("w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        Caller broken = waiting(
                SlotFilter.any().where(worker -> {
                    throw new IllegalStateException("no");
                }),
                LONG);
        Caller behind = waiting(LONG);

        lease.close();

        assertThat(broken.failure()).hasMessage("no");
        assertThat(behind.lease().workerId()).isEqualTo("w");
    }

    @Test
    void aFilterThatThrowsWhenItIsAskedAgainHoldsUpNobodyBehind() throws Exception {
        register("w", new Idle());
        SlotLease taken = registry.tryAcquire("m").orElseThrow();
        AtomicBoolean asked = new AtomicBoolean();
        waiting(
                SlotFilter.any().where(worker -> {
                    if (asked.getAndSet(true)) {
                        throw new IllegalStateException("asked again");
                    }
                    return false;
                }),
                LONG);
        Caller behind = waiting(LONG);

        taken.close();

        assertThat(behind.lease().workerId()).isEqualTo("w");
    }

    @Test
    void aSlotThatAFilterFreesIsOfferedToThoseWhoWait() throws Exception {
        register("w", new Idle());
        register("v", new Idle());
        SlotLease first = registry.tryAcquireFrom("w").orElseThrow();
        SlotLease second = registry.tryAcquireFrom("v").orElseThrow();
        Caller picky = waiting(
                SlotFilter.any().where(worker -> {
                    second.close();
                    return worker.id().equals("v");
                }),
                LONG);

        first.close();

        assertThat(picky.lease().workerId()).isEqualTo("v");
    }

    /** It came out of the lease's close, in place of the slot for those behind. */
    @Test
    void aFilterThatFailsWithAnErrorFailsItsOwnCallerOnly() throws Exception {
        register("w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        Caller broken = waiting(
                SlotFilter.any().where(worker -> {
                    throw new AssertionError("no");
                }),
                LONG);
        Caller behind = waiting(LONG);

        lease.close();

        assertThat(broken.failure()).isInstanceOf(AssertionError.class).hasMessage("no");
        assertThat(behind.lease().workerId()).isEqualTo("w");
    }

    /** It walked the line within the walk, and was served twice. */
    @Test
    void aFilterThatAsksForSlotsItselfFailsItsOwnCallerOnly() throws Exception {
        register("w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        Caller greedy = waiting(
                SlotFilter.any().where(worker -> registry.tryAcquire("m").isPresent()), LONG);
        Caller behind = waiting(LONG);

        lease.close();

        assertThat(greedy.failure()).isInstanceOf(IllegalStateException.class).hasMessageContaining("filter");
        assertThat(behind.lease().workerId()).isEqualTo("w");
    }

    @Test
    void whoeverIsOutOfTimeLeavesTheLine() throws Exception {
        register("w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();

        assertThatThrownBy(() -> registry.acquire("m", SHORT)).isInstanceOf(SlotTimeoutException.class);
        Caller next = waiting(LONG);
        lease.close();

        assertThat(next.lease().isValid()).isTrue();
    }

    @Test
    void whoeverIsInterruptedLeavesTheLine() throws Exception {
        register("w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        Caller first = waiting(LONG);
        Caller second = waiting(LONG);

        first.thread.interrupt();

        assertThat(first.failure()).isInstanceOf(InterruptedException.class);
        lease.close();
        assertThat(second.lease().isValid()).isTrue();
    }

    @Test
    void anInterruptedThreadDoesNotWaitAtAll() {
        register("w", new Idle());
        Thread.currentThread().interrupt();

        assertThatThrownBy(() -> registry.acquire("m", LONG)).isInstanceOf(InterruptedException.class);
        assertThat(Thread.currentThread().isInterrupted()).isFalse();
        assertThat(registry.tryAcquire("m")).isPresent();
    }

    @Test
    void theLineIsBounded() throws Exception {
        registry = WorkerRegistry.builder().waitQueueCapacity(2).build();
        register("w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        Caller first = waiting(LONG);
        Caller second = waiting(LONG);

        assertThatThrownBy(() -> registry.acquire("m", LONG))
                .isInstanceOf(SlotQueueFullException.class)
                .hasMessageContaining("2 callers")
                .satisfies(e -> {
                    SlotQueueFullException full = (SlotQueueFullException) e;
                    assertThat(full.modelRef()).isEqualTo("m");
                    assertThat(full.capacity()).isEqualTo(2);
                });
        lease.close();
        first.lease().close();
        assertThat(second.lease().isValid()).isTrue();
    }

    @Test
    void withoutAnyWorkerToWaitForNobodyWaits() {
        assertThatThrownBy(() -> registry.acquire("m", LONG))
                .isInstanceOf(NoSuchModelException.class)
                .hasMessageMatching("no worker serves m, and none is loading " + shortage("none", 0))
                .satisfies(
                        e -> assertThat(((NoSuchModelException) e).modelRef()).isEqualTo("m"));
        register("w", new Idle());
        registry.updateState("w", new Stopping(Exit.Cause.IDLE_TIMEOUT));
        assertThatThrownBy(() -> registry.acquire("m", LONG)).isInstanceOf(NoSuchModelException.class);
        register("v", new Loading(registry.clock().instant()));
        assertThatThrownBy(() -> registry.acquire("m", SlotFilter.any().onBackend("rocm"), LONG))
                .isInstanceOf(NoSuchModelException.class);
        assertThatThrownBy(() -> registry.acquire("m", SHORT)).isInstanceOf(SlotTimeoutException.class);
    }

    @Test
    void whoeverComesWhenOnlyStoppingWorkersAreLeftIsToldHowTheLastOneEnded() {
        register("w", new Idle());
        register("v", new Idle());
        registry.updateState("v", new Stopping(Exit.Cause.REQUESTED));
        registry.removeExited(exit("w", Exit.Cause.CRASH_LOOP));

        assertThatThrownBy(() -> registry.acquire("m", LONG))
                .isInstanceOf(NoSuchModelException.class)
                .hasMessageContainingAll("CRASH_LOOP", "exit code 3");
    }

    @Test
    void whoeverWaitsIsToldTheCauseWhenTheLastWorkerHasGone() throws Exception {
        register("w", new Loading(registry.clock().instant()));
        Caller first = waiting(LONG);
        Caller second = waiting(LONG);

        registry.removeExited(exit("w", Exit.Cause.CRASH_LOOP));

        assertThat(first.failure())
                .isInstanceOf(NoSuchModelException.class)
                .hasMessageContainingAll("CRASH_LOOP", "exit code 3")
                .satisfies(e -> assertThat(((NoSuchModelException) e)
                                .lastExit()
                                .orElseThrow()
                                .output())
                        .containsExactly("no memory"));
        assertThat(second.failure()).isInstanceOf(NoSuchModelException.class);
    }

    @Test
    void aWorkerThatBacksOffIsWorthWaitingFor() throws Exception {
        register("w", new Loading(registry.clock().instant()));
        Caller caller = waiting(LONG);

        registry.updateState("w", new BackingOff(1, registry.clock().instant(), exit("w", Exit.Cause.CRASHED)));
        registry.updateState("w", new Loading(registry.clock().instant()));
        registry.updateState("w", new Idle());

        assertThat(caller.lease().generation()).isEqualTo(2);
    }

    @Test
    void aHostThatStartsWorkersOnDemandMayLetItsCallersWaitForNobody() throws Exception {
        registry = WorkerRegistry.builder().failIfAbsent(false).build();
        Caller caller = waiting(LONG);
        Caller impatient = waiting(Duration.ofMillis(200));
        assertThat(impatient.failure()).isInstanceOf(SlotTimeoutException.class);

        register("w", new Loading(registry.clock().instant()));
        registry.clear();
        register("v", new Idle());

        assertThat(caller.lease().workerId()).isEqualTo("v");
    }

    @Test
    void aTimeoutThatIsNegativeIsRefusedAndOneThatIsHugeIsNot() throws Exception {
        assertThatThrownBy(() -> registry.acquire("m", Duration.ofNanos(-1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("timeout");
        register("w", new Idle());
        SlotLease lease = registry.tryAcquire("m").orElseThrow();
        Caller patient = waiting(Duration.ofSeconds(Long.MAX_VALUE));
        lease.close();
        assertThat(patient.lease().isValid()).isTrue();
        assertThatThrownBy(() -> WorkerRegistry.builder().waitQueueCapacity(-1))
                .hasMessageContaining("waitQueueCapacity");
    }

    /** A check that passes, a beat, a pid: each used to leave him asleep, though the worker was free throughout. */
    @Test
    void whoeverWaitsForAWorkerToLookBetterHearsOfIt() throws Exception {
        register("w", new Idle());
        registry.incrementFailedHealthChecks("w");

        Caller healthy = waiting(SlotFilter.any().where(worker -> worker.failedHealthChecks() == 0), LONG);
        registry.resetFailedHealthChecks("w");
        healthy.lease().close();

        Caller alive =
                waiting(SlotFilter.any().where(worker -> worker.lastHeartbeat().isPresent()), LONG);
        registry.heartbeat("w");
        alive.lease().close();

        Caller known = waiting(SlotFilter.any().where(worker -> worker.pid().isPresent()), LONG);
        registry.setPid("w", 1, 4711);
        known.lease().close();

        Caller morbid = waiting(SlotFilter.any().where(worker -> worker.failedHealthChecks() > 0), LONG);
        registry.incrementFailedHealthChecks("w");
        morbid.lease().close();
    }

    /** Each used to look at every worker for every waiter. */
    @Test
    void whoeverTakesAndGivesWhileOthersWaitForAnotherKindLooksAtFewWorkers() throws Exception {
        register("w", new Idle());
        SlotLease wanted = registry.tryAcquire("m").orElseThrow();
        AtomicInteger looks = new AtomicInteger();
        Caller choosy = waiting(
                SlotFilter.any().where(worker -> {
                    looks.incrementAndGet();
                    return worker.id().equals("w");
                }),
                LONG);
        for (int i = 0; i < 1000; i++) {
            register("v" + i, new Idle());
        }
        looks.set(0);

        registry.tryAcquire("m").orElseThrow().close();

        assertThat(looks.get()).isLessThan(10);
        wanted.close();
        assertThat(choosy.lease().workerId()).isEqualTo("w");
    }

    @Test
    void whoeverWaitsInVainIsToldOfNoEndButThatOfTheWorkerHeWaitedFor() throws Exception {
        register("old", new Idle());
        register("w", new Loading(registry.clock().instant()));
        registry.removeExited(exit("old", Exit.Cause.CRASHED));
        Caller caller = waiting(SlotFilter.any().onDevice(0), LONG);
        registry.register(WorkerInfo.builder()
                .id("other")
                .url("http://h")
                .modelRef("m")
                .device(1)
                .state(new Loading(registry.clock().instant()))
                .build());

        registry.remove("w");

        assertThat(caller.failure())
                .isInstanceOf(NoSuchModelException.class)
                .hasMessageMatching("no worker serves m on device 0, and none is loading " + shortage("1 loading", 0)
                        + "; last failure PT\\d+S ago: worker old, generation 1, CRASHED, exit code 3: no memory")
                .satisfies(
                        e -> assertThat(((NoSuchModelException) e).lastExit()).isEmpty());
        registry.removeExited(exit("other", Exit.Cause.CRASH_LOOP));
        assertThatThrownBy(() -> registry.acquire("m", SlotFilter.any().onBackend("rocm"), LONG))
                .hasMessageMatching("no worker serves m on backend rocm, and none is loading " + shortage("none", 0));
    }
}
