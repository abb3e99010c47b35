package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.exit;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatNullPointerException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(UnexpectedWarnings.class)
class WorkerRegistryTest {

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().node("gpu-1").clock(time).build();

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    private void later() {
        time.advance(Duration.ofSeconds(1));
    }

    private RecordingListener listen() {
        RecordingListener heard = new RecordingListener();
        registry.subscribe(heard, Runnable::run);
        return heard;
    }

    @Nested
    class Membership {

        @Test
        void aNewRegistryIsEmpty() {
            assertThat(registry.list()).isEmpty();
            assertThat(registry.idleWorkers()).isEmpty();
            assertThat(registry.get("w")).isEmpty();
            assertThat(registry.clear()).isEmpty();
        }

        @Test
        void aRegistryInALogTellsItsNodeAndHowManyWorkersAreInWhichState() {
            assertThat(registry).hasToString("WorkerRegistry[node gpu-1, workers: none]");
            registry.register(loading("l"));
            registry.register(idle("i", 2));
            registry.register(idle("b", 2));
            registry.register(idle("c", 1));
            registry.tryAcquireFrom("b");
            registry.updateState("c", backingOff(idle("c", 1)));
            registry.register(worker("s").state(STOPPING).build());
            registry.register(worker("r").state(BUSY).build());

            assertThat(registry)
                    .hasToString(
                            "WorkerRegistry[node gpu-1, workers: 1 loading, 1 idle, 2 busy, 1 backing_off, 1 stopping]");
        }

        @Test
        void aWorkerIsStoredAsGiven() {
            WorkerInfo worker = worker("w")
                    .backend("cuda")
                    .device(2)
                    .slotsTotal(4)
                    .pid(4711)
                    .generation(7)
                    .restarts(3)
                    .failedHealthChecks(2)
                    .lastHeartbeat(START.minusSeconds(1))
                    .build();
            registry.register(worker);

            assertThat(registry.get("w")).contains(worker);
            assertThat(registry.list()).containsExactly(worker);
        }

        @Test
        void anIdCanBeTakenOnce() {
            registry.register(idle("w", 4));
            RecordingListener heard = listen();

            assertThatExceptionOfType(DuplicateWorkerException.class)
                    .isThrownBy(() -> registry.register(loading("w")))
                    .withMessage("worker w is registered already")
                    .returns("w", DuplicateWorkerException::workerId);

            assertThat(registry.list()).containsExactly(idle("w", 4));
            assertThat(registry.tryAcquire(MODEL)).isPresent();
            assertThat(registry.stats().registered()).isEqualTo(1);
            assertThat(heard.events()).isEmpty();
        }

        @Test
        void aRefusedDuplicateIsNotFoundByItsModel() {
            registry.register(idle("w", 1));
            WorkerInfo duplicate = idle("w", 1).toBuilder().modelRef("other").build();

            assertThatExceptionOfType(DuplicateWorkerException.class).isThrownBy(() -> registry.register(duplicate));
            assertThat(registry.findIdleWorker("other")).isEmpty();
            assertThat(registry.tryAcquire("other")).isEmpty();
        }

        @Test
        void listKeepsTheOrderOfRegistration() {
            for (String id : List.of("c", "a", "b")) {
                registry.register(loading(id));
            }
            registry.updateState("a", IDLE);
            registry.heartbeat("b");
            assertThat(registry.list()).extracting(WorkerInfo::id).containsExactly("c", "a", "b");

            registry.remove("c");
            registry.register(loading("c"));
            assertThat(registry.list()).extracting(WorkerInfo::id).containsExactly("a", "b", "c");
        }

        @Test
        void aListIsOneMomentAndCannotBeChanged() {
            registry.register(loading("a"));
            List<WorkerInfo> before = registry.list();
            registry.register(loading("b"));
            registry.updateState("a", IDLE);

            assertThat(before).containsExactly(loading("a"));
            assertThat(before).isUnmodifiable();
            assertThat(registry.idleWorkers()).isUnmodifiable();
            assertThat(registry.clear()).isUnmodifiable();
        }

        @Test
        void aRemovedWorkerIsGoneFromEveryView() {
            registry.register(idle("w", 2));

            assertThat(registry.remove("w")).contains(idle("w", 2));

            assertThat(registry.remove("w")).isEmpty();
            assertThat(registry.get("w")).isEmpty();
            assertThat(registry.list()).isEmpty();
            assertThat(registry.idleWorkers()).isEmpty();
            assertThat(registry.findIdleWorker(MODEL)).isEmpty();
            assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).isEmpty();
            assertThat(registry.tryAcquire(MODEL)).isEmpty();
            assertThat(registry.tryAcquireFrom("w")).isEmpty();
            assertThat(registry.stats().workers()).isZero();
        }

        /** Not even the index of its model keeps it: hosts live long and workers come and go. */
        @Test
        void aRemovedWorkerIsForgotten() throws InterruptedException {
            registry.register(idle("another of the model", 1));
            ReferenceQueue<WorkerInfo> forgotten = new ReferenceQueue<>();
            WeakReference<WorkerInfo> worker = registerAndRemove(forgotten);

            for (int i = 0; i < 100 && !worker.refersTo(null); i++) {
                System.gc();
                forgotten.remove(100);
            }
            assertThat(worker.refersTo(null)).isTrue();
        }

        private WeakReference<WorkerInfo> registerAndRemove(ReferenceQueue<WorkerInfo> forgotten) {
            WorkerInfo worker = idle("w", 1);
            registry.register(worker);
            registry.remove("w");
            return new WeakReference<>(worker, forgotten);
        }

        @Test
        void removeTellsTheWorkerAsItWasLast() {
            registry.register(idle("w", 2));
            registry.tryAcquireFrom("w");

            WorkerInfo removed = registry.remove("w").orElseThrow();

            assertThat(removed.state()).isEqualTo(BUSY);
            assertThat(removed.slotsInUse()).isEqualTo(1);
        }

        @Test
        void clearRemovesAllInOrderOfRegistration() {
            registry.register(loading("b"));
            registry.register(idle("a", 1));

            assertThat(registry.clear()).containsExactly(loading("b"), idle("a", 1));
            assertThat(registry.list()).isEmpty();
            assertThat(registry.tryAcquire(MODEL)).isEmpty();
        }

        @Test
        void aWorkerWithoutAProcessOfItsGenerationIsNotRemovedByTheExitOfAnother() {
            registry.register(loading("w"));
            Exit old = crash(now("w"));
            registry.updateState("w", backingOff(now("w")));
            registry.updateState("w", LOADING);

            assertThat(registry.removeExited(old)).isEmpty();
            assertThat(registry.get("w")).isPresent();

            assertThat(registry.removeExited(crash(now("w")))).isPresent();
            assertThat(registry.get("w")).isEmpty();
            assertThat(registry.removeExited(crash(loading("w")))).isEmpty();
        }

        @Test
        void aRegistryKnowsItsNodeAndItsClock() {
            assertThat(registry.node()).isEqualTo("gpu-1");
            assertThat(registry.clock().instant()).isEqualTo(time.instant());
            assertThat(WorkerRegistry.create().node()).isEqualTo("local");
            assertThat(WorkerRegistry.create().clock().instant())
                    .isBetween(Instant.now().minusSeconds(10), Instant.now().plusSeconds(10));
        }

        @Test
        void theBuilderRejectsABadNodeAndAQueueWithoutRoom() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> WorkerRegistry.builder().node("gpu\n1"))
                    .withMessageStartingWith("node ");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> WorkerRegistry.builder().eventQueueCapacity(0))
                    .withMessage("eventQueueCapacity must be >= 1, was 0");
        }
    }

    @Nested
    class Transitions {

        @Test
        void aReadyWorkerHasAFreshStart() {
            registry.register(worker("w").slotsTotal(2).failedHealthChecks(2).build());
            later();

            WorkerInfo ready = registry.updateState("w", IDLE).orElseThrow();

            assertThat(ready)
                    .isEqualTo(idle("w", 2).toBuilder()
                            .lastActivity(time.instant())
                            .build())
                    .isEqualTo(now("w"));
        }

        @Test
        void anUnknownWorkerHasNoTransitions() {
            assertThat(registry.updateState("w", IDLE)).isEmpty();
            assertThat(registry.updateStateIfUnchanged(loading("w"), IDLE)).isEmpty();
        }

        @Test
        void reportingIdleTwiceChangesNothing() {
            registry.register(loading("w"));
            registry.updateState("w", IDLE);
            WorkerInfo before = now("w");
            RecordingListener heard = listen();
            later();

            assertThat(registry.updateState("w", IDLE)).contains(before);
            assertThat(now("w")).isEqualTo(before);
            assertThat(heard.events()).isEmpty();
        }

        @Test
        void reportingBusyTwiceChangesNothing() {
            registry.register(idle("w", 3));
            registry.updateState("w", BUSY);
            WorkerInfo before = now("w");
            later();

            assertThat(registry.updateState("w", BUSY)).contains(before);
            assertThat(now("w")).isEqualTo(before);
        }

        @Test
        void aReportedBusyWorkerHasNoSlotToLeaseUntilItReportsIdle() {
            registry.register(idle("w", 3));
            later();

            WorkerInfo busy = registry.updateState("w", BUSY).orElseThrow();

            assertThat(busy.slotsInUse()).isEqualTo(3);
            assertThat(busy.slotsAvailable()).isZero();
            assertThat(busy.lastActivity()).isEqualTo(time.instant());
            assertThat(registry.tryAcquire(MODEL)).isEmpty();
            assertThat(registry.tryAcquireFrom("w")).isEmpty();
            assertThat(registry.findIdleWorker(MODEL)).isEmpty();

            later();
            assertThat(registry.updateState("w", IDLE)).contains(now("w"));
            assertThat(now("w").lastActivity()).isEqualTo(time.instant());
            assertThat(registry.tryAcquire(MODEL)).isPresent();
        }

        @Test
        void aWorkerRegisteredAsBusyIsItsHostsToReport() {
            registry.register(
                    worker("w").state(BUSY).slotsTotal(4).slotsInUse(1).build());

            assertThat(registry.tryAcquire(MODEL)).isEmpty();
            assertThat(registry.tryAcquireFrom("w")).isEmpty();

            registry.updateState("w", IDLE);
            assertThat(registry.tryAcquire(MODEL)).isPresent();
        }

        @Test
        void whileLeasesAreOpenTheHostReportsNoOccupancy() {
            registry.register(idle("w", 3));
            SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
            WorkerInfo before = now("w");

            for (WorkerState reported : List.of(IDLE, BUSY)) {
                assertThatExceptionOfType(IllegalTransitionException.class)
                        .isThrownBy(() -> registry.updateState("w", reported))
                        .withMessage(
                                "worker w cannot go from busy to %s: 1 slots are leased, and leases count them",
                                reported.label());
            }
            assertThat(now("w")).isEqualTo(before);
            assertThat(lease.isValid()).isTrue();

            lease.close();
            assertThat(registry.updateState("w", BUSY)).isPresent();
        }

        @Test
        void aWorkerThatBacksOffHasNoProcessAndNoWork() {
            registry.register(
                    worker("w").state(IDLE).pid(4711).failedHealthChecks(2).build());
            registry.tryAcquireFrom("w");

            WorkerInfo backingOff =
                    registry.updateState("w", backingOff(now("w"))).orElseThrow();

            assertThat(backingOff.pid()).isEmpty();
            assertThat(backingOff.slotsInUse()).isZero();
            assertThat(backingOff.failedHealthChecks()).isZero();
            assertThat(backingOff.generation()).isEqualTo(1);
            assertThat(now("w")).isEqualTo(backingOff);
        }

        @Test
        void aRestartIsANewGenerationWithNothingOfTheOld() {
            registry.register(worker("w").state(IDLE).pid(4711).slotsTotal(2).build());
            registry.heartbeat("w");
            registry.updateState("w", backingOff(now("w")));
            later();
            Instant since = time.instant().minusMillis(5);

            WorkerInfo restarted = registry.updateState("w", new Loading(since)).orElseThrow();

            assertThat(restarted)
                    .isEqualTo(worker("w")
                            .slotsTotal(2)
                            .generation(2)
                            .restarts(1)
                            .startedAt(since)
                            .lastActivity(time.instant())
                            .build())
                    .isEqualTo(now("w"));
        }

        @Test
        void aStoppingWorkerKeepsItsOpenLeasesAndTakesNoMore() {
            registry.register(idle("w", 2));
            SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();

            WorkerInfo stopping = registry.updateState("w", STOPPING).orElseThrow();

            assertThat(stopping.slotsInUse()).isEqualTo(1);
            assertThat(registry.tryAcquireFrom("w")).isEmpty();
            assertThat(registry.tryAcquire(MODEL)).isEmpty();
            assertThat(lease.isValid()).isTrue();

            lease.close();
            assertThat(now("w").slotsInUse()).isZero();
            assertThat(now("w").state()).isEqualTo(STOPPING);
        }
    }

    @Nested
    class Finding {

        @Test
        void findIdleWorkerTakesTheFirstThatHasNothingToDo() {
            registry.register(loading("loading"));
            registry.register(idle("busy", 2));
            registry.register(idle("other", 1).toBuilder().modelRef("other").build());
            registry.register(idle("first", 1));
            registry.register(idle("second", 1));
            registry.tryAcquireFrom("busy");

            assertThat(registry.findIdleWorker(MODEL)).map(WorkerInfo::id).contains("first");
            assertThat(registry.findIdleWorker("other")).map(WorkerInfo::id).contains("other");
            assertThat(registry.findIdleWorker("unknown")).isEmpty();
        }

        @Test
        void findIdleWorkerTakesNothing() {
            registry.register(idle("w", 1));

            assertThat(registry.findIdleWorker(MODEL)).contains(idle("w", 1));
            assertThat(registry.findIdleWorker(MODEL)).contains(idle("w", 1));
        }

        @Test
        void idleWorkersAreThoseOfAnyModelWithNothingToDoInOrder() {
            registry.register(idle("b", 1));
            registry.register(loading("loading"));
            registry.register(idle("a", 1).toBuilder().modelRef("other").build());
            registry.register(idle("busy", 2));
            registry.tryAcquireFrom("busy");

            assertThat(registry.idleWorkers()).extracting(WorkerInfo::id).containsExactly("b", "a");
        }

        @Test
        void findByNodeAndModelPrefersTheWorkerThatCanServeSoonest() {
            registry.register(loading("stopping"));
            registry.updateState("stopping", STOPPING);
            registry.register(loading("backing off"));
            registry.updateState("backing off", backingOff(now("backing off")));
            assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).isEmpty();

            registry.register(loading("loading"));
            assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).contains(now("loading"));

            registry.register(idle("full", 1));
            registry.tryAcquireFrom("full");
            assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).contains(now("full"));

            registry.register(idle("partly free", 2));
            registry.tryAcquireFrom("partly free");
            assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).contains(now("partly free"));

            registry.register(idle("idle", 1));
            registry.register(idle("idle too", 1));
            assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).contains(now("idle"));
        }

        @Test
        void findByNodeAndModelKnowsNoOtherNodeAndNoOtherModel() {
            registry.register(idle("w", 1));

            assertThat(registry.findByNodeAndModel("gpu-2", MODEL)).isEmpty();
            assertThat(registry.findByNodeAndModel("gpu-1", "other")).isEmpty();
            assertThat(registry.findByNodeAndModel("gpu-1", MODEL)).isPresent();
        }
    }

    @Nested
    class HealthChecksAndHeartbeats {

        @Test
        void failedHealthChecksAreCountedAndSetBack() {
            registry.register(idle("w", 1));

            assertThat(registry.incrementFailedHealthChecks("w")).hasValue(1);
            assertThat(registry.incrementFailedHealthChecks("w")).hasValue(2);
            assertThat(now("w").failedHealthChecks()).isEqualTo(2);
            assertThat(registry.resetFailedHealthChecks("w")).isTrue();
            assertThat(now("w").failedHealthChecks()).isZero();
            assertThat(registry.incrementFailedHealthChecks("w")).hasValue(1);
        }

        @Test
        void theCountOfFailedHealthChecksDoesNotOverflow() {
            registry.register(worker("w").failedHealthChecks(Integer.MAX_VALUE).build());

            assertThat(registry.incrementFailedHealthChecks("w")).hasValue(Integer.MAX_VALUE);
        }

        @Test
        void anUnknownWorkerHasNoHealth() {
            assertThat(registry.incrementFailedHealthChecks("w")).isEmpty();
            assertThat(registry.incrementFailedHealthChecksIfUnchanged(loading("w")))
                    .isEmpty();
            assertThat(registry.resetFailedHealthChecks("w")).isFalse();
            assertThat(registry.heartbeat("w")).isFalse();
        }

        /**
         * The original wrote back the state it had read before the check, and stamped the activity: no worker was ever
         * idle for long.
         */
        @Test
        void healthChecksMoveNeitherStateNorLastActivity() {
            registry.register(idle("w", 2));
            later();

            registry.incrementFailedHealthChecks("w");
            assertThat(now("w"))
                    .isEqualTo(idle("w", 2).toBuilder().failedHealthChecks(1).build());
            registry.resetFailedHealthChecks("w");
            assertThat(now("w")).isEqualTo(idle("w", 2));
        }

        @Test
        void aHealthCheckOfABusyWorkerLeavesItsLeasesAlone() {
            registry.register(idle("w", 2));
            SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();

            registry.incrementFailedHealthChecks("w");
            registry.resetFailedHealthChecks("w");

            assertThat(now("w").slotsInUse()).isEqualTo(1);
            assertThat(lease.isValid()).isTrue();
        }

        @Test
        void aHeartbeatIsStampedAndIsNoWork() {
            registry.register(idle("w", 1));
            later();

            assertThat(registry.heartbeat("w")).isTrue();
            assertThat(now("w"))
                    .isEqualTo(idle("w", 1).toBuilder()
                            .lastHeartbeat(time.instant())
                            .build());
        }

        @Test
        void aPidBelongsToAGeneration() {
            registry.register(loading("w"));

            assertThat(registry.setPid("w", 1, 4711)).contains(now("w"));
            assertThat(now("w").pid()).hasValue(4711);
            assertThat(now("w").lastActivity()).isEqualTo(START);

            registry.updateState("w", backingOff(now("w")));
            registry.updateState("w", LOADING);
            assertThat(registry.setPid("w", 1, 4712)).isEmpty();
            assertThat(now("w").pid()).isEmpty();
            assertThat(registry.setPid("w", 2, 4713).orElseThrow().pid()).hasValue(4713);
            assertThat(registry.setPid("unknown", 1, 4714)).isEmpty();
        }

        @Test
        void aPidMustBePositiveAndIsNotStoredOtherwise() {
            registry.register(loading("w"));

            assertThatIllegalArgumentException()
                    .isThrownBy(() -> registry.setPid("w", 1, 0))
                    .withMessage("pid must be > 0, was 0");
            assertThatIllegalArgumentException().isThrownBy(() -> registry.setPid("unknown", 1, 0));
            assertThat(now("w").pid()).isEqualTo(OptionalLong.empty());
            assertThat(registry.setPid("w", 1, 1)).isPresent();
        }
    }

    @Nested
    class LastActivity {

        @Test
        void onlyWorkMovesIt() {
            registry.register(idle("w", 2));
            later();

            registry.heartbeat("w");
            registry.incrementFailedHealthChecks("w");
            registry.resetFailedHealthChecks("w");
            registry.setPid("w", 1, 4711);
            registry.findIdleWorker(MODEL);
            registry.findByNodeAndModel("gpu-1", MODEL);
            registry.idleWorkers();
            registry.list();
            registry.stats();

            assertThat(now("w").lastActivity()).isEqualTo(START);
        }

        @Test
        void aLeaseMovesItWhenItIsTakenAndWhenItIsClosedAndNotInBetween() {
            registry.register(idle("w", 2));
            later();
            SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
            assertThat(now("w").lastActivity()).isEqualTo(START.plusSeconds(1));

            later();
            assertThat(now("w").lastActivity()).isEqualTo(START.plusSeconds(1));

            later();
            lease.close();
            assertThat(now("w").lastActivity()).isEqualTo(START.plusSeconds(3));

            later();
            assertThat(now("w").lastActivity()).isEqualTo(START.plusSeconds(3));
        }

        @Test
        void aVoidLeaseDoesNotMoveIt() {
            registry.register(idle("w", 2));
            SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();
            later();
            lease.close();
            now("w");
            later();

            lease.close();

            assertThat(now("w").lastActivity()).isEqualTo(START.plusSeconds(1));
        }

        @Test
        void everyLookStampsWorkThatWasDoneSinceTheLastLook() {
            Map<String, Consumer<String>> looks = Map.of(
                    "get", id -> registry.get(id),
                    "list", id -> registry.list(),
                    "idleWorkers", id -> registry.idleWorkers(),
                    "findByNodeAndModel", id -> registry.findByNodeAndModel("gpu-1", id),
                    "findIdleWorker", id -> registry.findIdleWorker(id));
            looks.forEach((name, look) -> {
                registry.register(idle(name, 1).toBuilder().modelRef(name).build());
                registry.tryAcquireFrom(name).orElseThrow().close();
                later();
                Instant looked = time.instant();
                look.accept(name);
                later();

                assertThat(now(name).lastActivity()).as(name).isEqualTo(looked);
            });
        }

        /** Work that nobody had looked at yet was forgotten when the worker went to another state. */
        @Test
        void workBeforeATransitionIsNotForgotten() {
            registry.register(idle("w", 1));
            later();
            registry.tryAcquireFrom("w").orElseThrow().close();

            assertThat(registry.updateState("w", STOPPING).orElseThrow().lastActivity())
                    .isEqualTo(START.plusSeconds(1));
            assertThat(now("w").lastActivity()).isEqualTo(START.plusSeconds(1));
        }
    }

    /** The overloads that take a {@link WorkerInfo} in place of an id. */
    @Test
    void aLookReadsNoClockUnlessTheWorkerWasUsed() {
        AtomicInteger readings = new AtomicInteger();
        WorkerRegistry registry = WorkerRegistry.builder()
                .clock(() -> {
                    readings.incrementAndGet();
                    return time.instant();
                })
                .build();
        readings.set(0); // the builder reads it, to know later whether it was set back
        registry.register(idle("w", 1));
        registry.get("w");
        assertThat(readings).hasValue(0);

        registry.tryAcquireFrom("w");
        registry.get("w");

        assertThat(readings).hasValue(1);
    }

    @Test
    void theSlotsThatTheHostReportedEndWithTheWorkerAndThoseOfLeasesDoNot() {
        registry.register(idle("reported", 2));
        registry.register(idle("leased", 2));
        registry.updateState("reported", BUSY);
        registry.tryAcquireFrom("leased");

        registry.updateState("reported", STOPPING);
        registry.updateState("leased", STOPPING);

        assertThat(now("reported").slotsInUse()).isZero();
        assertThat(now("leased").slotsInUse()).isEqualTo(1);
    }

    @Nested
    class OnlyIfNothingHappenedSince {

        @Test
        void aWorkerIsMovedAsItselfWhateverItHasDoneSince() {
            registry.register(idle("w", 1));
            WorkerInfo seen = now("w");
            registry.tryAcquire(seen.modelRef()).orElseThrow().close();

            assertThat(registry.updateStateIfUnchanged(seen, STOPPING)).isEmpty();
            assertThat(registry.updateStateOf(seen, STOPPING)).contains(now("w"));
        }

        @Test
        void anotherWorkerUnderTheSameIdIsNotMovedInItsPlace() {
            registry.register(idle("w", 1));
            WorkerInfo seen = now("w");
            registry.remove("w");
            registry.register(idle("w", 1).toBuilder()
                    .startedAt(seen.startedAt().plusNanos(1))
                    .build());

            assertThat(registry.updateStateOf(seen, STOPPING)).isEmpty();
            assertThat(now("w").state()).isEqualTo(IDLE);
        }

        private final Exit.Cause reason = Exit.Cause.IDLE_TIMEOUT;

        /** Nothing may be done to the worker on the ground of what was seen. */
        private void assertOutOfDate(WorkerInfo seen) {
            List<WorkerInfo> before = registry.list();
            long failed = registry.stats().healthChecksFailed();

            assertThat(registry.updateStateIfUnchanged(seen, STOPPING)).isEmpty();
            assertThat(registry.removeIfUnchanged(seen, reason)).isEmpty();
            assertThat(registry.incrementFailedHealthChecksIfUnchanged(seen)).isEmpty();

            assertThat(registry.list()).isEqualTo(before);
            assertThat(registry.stats().healthChecksFailed()).isEqualTo(failed);
        }

        @Test
        void aWorkerThatDidNothingIsStopped() {
            registry.register(idle("w", 1));
            WorkerInfo seen = now("w");
            later();
            registry.heartbeat("w");
            registry.incrementFailedHealthChecks("w");

            assertThat(registry.updateStateIfUnchanged(seen, STOPPING)).contains(now("w"));
            assertThat(now("w").state()).isEqualTo(STOPPING);
        }

        @Test
        void aWorkerThatDidNothingIsRemoved() {
            registry.register(idle("w", 1));
            WorkerInfo seen = now("w");

            assertThat(registry.removeIfUnchanged(seen, reason)).contains(seen);
            assertThat(registry.get("w")).isEmpty();
            assertThat(registry.stats().endedBy()).containsExactly(Map.entry(reason, 1L));
        }

        @Test
        void aFailedCheckOfAWorkerThatDidNothingCounts() {
            registry.register(idle("w", 1));
            WorkerInfo seen = now("w");

            assertThat(registry.incrementFailedHealthChecksIfUnchanged(seen)).hasValue(1);
            assertThat(registry.incrementFailedHealthChecksIfUnchanged(seen)).hasValue(2);
        }

        @Test
        void aWorkerWithAnOpenLeaseHasMovedOn() {
            registry.register(idle("w", 2));
            WorkerInfo seen = now("w");
            registry.tryAcquireFrom("w");

            assertOutOfDate(seen);
        }

        @Test
        void aLeaseTakenAndReturnedInBetweenCounts() {
            registry.register(idle("w", 1));
            WorkerInfo seen = now("w");
            later();
            registry.tryAcquireFrom("w").orElseThrow().close();

            assertOutOfDate(seen);
        }

        @Test
        void aLeaseTakenAndReturnedAndLookedAtInBetweenCounts() {
            registry.register(idle("w", 1));
            WorkerInfo seen = now("w");
            later();
            registry.tryAcquireFrom("w").orElseThrow().close();
            registry.list();

            assertOutOfDate(seen);
        }

        /**
         * A second look in the same instant (or by a clock read earlier) wiped out the mark of the work and did not
         * move the time.
         */
        @Test
        void aLeaseTakenAndReturnedAndLookedAtInTheSameInstantCounts() {
            registry.register(idle("w", 1));
            WorkerInfo seen = now("w");
            registry.tryAcquireFrom("w").orElseThrow().close();
            registry.list();

            assertOutOfDate(seen);
        }

        @Test
        void aWorkerThatTheHostReportedBusyHasMovedOn() {
            registry.register(idle("w", 1));
            WorkerInfo seen = now("w");
            later();
            registry.updateState("w", BUSY);
            assertOutOfDate(seen);

            registry.updateState("w", IDLE);
            assertOutOfDate(seen);
        }

        @Test
        void aWorkerThatBacksOffIsRestartedAtAnotherUrl() {
            registry.register(idle("w", 1));
            registry.updateState("w", backingOff(now("w")));
            WorkerInfo seen = now("w");
            RecordingListener heard = listen();

            WorkerInfo restarted = registry.restartIfUnchanged(seen, new Loading(time.instant()), "http://b")
                    .orElseThrow();

            assertThat(restarted.url()).isEqualTo("http://b");
            assertThat(restarted.generation()).isEqualTo(seen.generation() + 1);
            assertThat(restarted.state()).isEqualTo(new Loading(time.instant()));
            assertThat(restarted).isEqualTo(now("w"));
            assertThat(heard.events()).containsExactly(new WorkerEvent.Restarted(restarted));
        }

        @Test
        void aWorkerThatDoesNotBackOffIsNotRestartedAtAnotherUrl() {
            registry.register(idle("w", 1));
            WorkerInfo seen = now("w");

            assertThatExceptionOfType(IllegalTransitionException.class)
                    .isThrownBy(() -> registry.restartIfUnchanged(seen, new Loading(time.instant()), "http://b"));
            assertThat(now("w")).isEqualTo(seen);
            registry.tryAcquireFrom("w");
            assertThat(registry.restartIfUnchanged(seen, new Loading(time.instant()), "http://b"))
                    .isEmpty();
            assertThat(registry.tryAcquireFrom("w")).isEmpty();
        }

        @Test
        void aRestartAtWhatIsNoUrlChangesNothing() {
            registry.register(idle("w", 1));
            registry.updateState("w", backingOff(now("w")));
            WorkerInfo seen = now("w");

            assertThatIllegalArgumentException()
                    .isThrownBy(() -> registry.restartIfUnchanged(seen, new Loading(time.instant()), "a\nb"))
                    .withMessageContaining("url");
            assertThat(now("w")).isEqualTo(seen);
        }

        @Test
        void aWorkerThatWasRestartedHasMovedOn() {
            registry.register(idle("w", 1));
            WorkerInfo seen = now("w");
            registry.updateState("w", backingOff(seen));
            assertOutOfDate(seen);

            registry.updateState("w", LOADING);
            registry.updateState("w", IDLE);
            assertOutOfDate(seen);
        }

        @Test
        void aWorkerThatHasLeftIsNotStopped() {
            registry.register(idle("w", 1));
            WorkerInfo seen = now("w");
            registry.remove("w");

            assertOutOfDate(seen);
        }

        /**
         * A worker of the same id starts with generation 1 again: generation and state alone took it for the one that
         * had left.
         */
        @Test
        void aWorkerThatHasLeftIsNotTakenForItsSuccessor() {
            registry.register(idle("w", 2));
            registry.tryAcquireFrom("w");
            WorkerInfo seen = now("w");
            registry.remove("w");
            later();
            registry.register(idle("w", 2).toBuilder().startedAt(time.instant()).build());
            registry.tryAcquireFrom("w");

            assertOutOfDate(seen);
        }

        @Test
        void aWorkerThatMovedOnIsNoIllegalTransition() {
            registry.register(loading("w"));
            WorkerInfo seen = now("w");
            registry.updateState("w", STOPPING);

            assertThat(registry.updateStateIfUnchanged(seen, IDLE)).isEmpty();
        }

        @Test
        void anEdgeThatIsNotThereIsRefused() {
            registry.register(loading("w"));

            assertThatExceptionOfType(IllegalTransitionException.class)
                    .isThrownBy(() -> registry.updateStateIfUnchanged(now("w"), BUSY))
                    .withMessage("worker w cannot go from loading to busy: the life of a worker has no such edge");
        }

        @Test
        void aBusyWorkerMayTakeMoreWorkMeanwhile() {
            registry.register(idle("w", 3));
            registry.tryAcquireFrom("w");
            WorkerInfo seen = now("w");
            later();
            registry.tryAcquireFrom("w");

            assertThat(registry.incrementFailedHealthChecksIfUnchanged(seen)).hasValue(1);
            assertThat(registry.updateStateIfUnchanged(seen, STOPPING)
                            .orElseThrow()
                            .slotsInUse())
                    .isEqualTo(2);
        }
    }

    @Nested
    class Stats {

        @Test
        void countTheStatesAndTheSlotsOfThoseThatTakeRequests() {
            registry.register(worker("loading").slotsTotal(100).build());
            registry.register(idle("idle", 2));
            registry.register(idle("busy", 4));
            registry.tryAcquireFrom("busy");
            registry.register(idle("reported", 8));
            registry.updateState("reported", BUSY);
            registry.register(idle("backing off", 100));
            registry.updateState("backing off", backingOff(now("backing off")));
            registry.register(idle("stopping", 100));
            registry.tryAcquireFrom("stopping");
            registry.updateState("stopping", STOPPING);

            RegistryStats stats = registry.stats();

            assertThat(stats.loading()).isEqualTo(1);
            assertThat(stats.idle()).isEqualTo(1);
            assertThat(stats.busy()).isEqualTo(2);
            assertThat(stats.backingOff()).isEqualTo(1);
            assertThat(stats.stopping()).isEqualTo(1);
            assertThat(stats.workers()).isEqualTo(6);
            assertThat(stats.slotsTotal()).isEqualTo(14);
            assertThat(stats.slotsInUse()).isEqualTo(9);
        }

        @Test
        void refuseANegativeNumberOfOrphans() {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> registry.noteReapedOrphans(-1))
                    .withMessageContainingAll("processes", "-1");
            assertThat(registry.stats().orphansReaped()).isZero();
        }

        @Test
        void countWhatHappenedSinceTheRegistryWasCreated() {
            registry.register(loading("w"));
            registry.updateState("w", IDLE);
            registry.incrementFailedHealthChecks("w");
            registry.incrementFailedHealthChecks("w");
            registry.resetFailedHealthChecks("w");
            registry.updateState("w", backingOff(now("w")));
            registry.updateState("w", LOADING);
            registry.updateState("w", IDLE);
            registry.removeExited(crash(now("w")));
            registry.register(loading("v"));
            registry.remove("v");
            registry.noteReapedOrphans(3);
            registry.register(loading("u"));
            assertThat(registry.noteUnknownHealthCheck("u")).isTrue();
            assertThat(registry.noteUnknownHealthCheck("nobody")).isFalse();
            registry.remove("u");

            assertThat(registry.stats())
                    .isEqualTo(new RegistryStats(
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            0,
                            3,
                            2,
                            2,
                            1,
                            2,
                            1,
                            0,
                            3,
                            Map.of(Exit.Cause.CRASHED, 2L, Exit.Cause.DEREGISTERED, 2L)));
            assertThat(registry.stats().ended(Exit.Cause.CRASHED)).isEqualTo(2);
            assertThat(registry.stats().ended(Exit.Cause.UNHEALTHY)).isZero();
        }

        @Test
        void aCrashIsCountedOnceThoughTheBreakerRemovesTheWorkerAfterIt() {
            registry.register(idle("w", 1));
            Exit crash = crash(now("w"));
            registry.updateState("w", backingOff(now("w")));
            registry.removeExited(crash);

            assertThat(registry.stats().crashed()).isEqualTo(1);
            assertThat(registry.stats().endedBy()).containsExactly(Map.entry(Exit.Cause.CRASHED, 1L));
        }

        @Test
        void anEndThatWasAskedForIsNoCrash() {
            registry.register(idle("w", 1));
            registry.removeExited(exit(now("w"), Exit.Cause.REQUESTED, 143));

            assertThat(registry.stats().crashed()).isZero();
        }

        @Test
        void areNotChangedByWhatHappensAfter() {
            registry.register(idle("w", 1));
            registry.remove("w");
            RegistryStats before = registry.stats();
            registry.register(idle("w", 1));
            registry.remove("w");

            assertThat(before.ended(Exit.Cause.DEREGISTERED)).isEqualTo(1);
            assertThat(before.endedBy()).isUnmodifiable();
        }
    }

    static Stream<Arguments> nulls() {
        WorkerInfo seen = loading("w");
        return Stream.of(
                withNull("worker", registry -> registry.register(null)),
                withNull("id", registry -> registry.updateState(null, IDLE)),
                withNull("next", registry -> registry.updateState("w", null)),
                withNull("seen", registry -> registry.updateStateIfUnchanged(null, IDLE)),
                withNull("next", registry -> registry.updateStateIfUnchanged(seen, null)),
                withNull("worker", registry -> registry.updateStateOf(null, IDLE)),
                withNull("next", registry -> registry.updateStateOf(seen, null)),
                withNull("seen", registry -> registry.restartIfUnchanged(null, new Loading(Instant.EPOCH), "u")),
                withNull("load", registry -> registry.restartIfUnchanged(seen, null, "u")),
                withNull("url", registry -> registry.restartIfUnchanged(seen, new Loading(Instant.EPOCH), null)),
                withNull("id", registry -> registry.get(null)),
                withNull("id", registry -> registry.remove(null)),
                withNull("exit", registry -> registry.removeExited(null)),
                withNull("seen", registry -> registry.removeIfUnchanged(null, Exit.Cause.REQUESTED)),
                withNull("reason", registry -> registry.removeIfUnchanged(seen, null)),
                withNull("id", registry -> registry.setPid(null, 1, 1)),
                withNull("id", registry -> registry.incrementFailedHealthChecks(null)),
                withNull("seen", registry -> registry.incrementFailedHealthChecksIfUnchanged(null)),
                withNull("id", registry -> registry.resetFailedHealthChecks(null)),
                withNull("id", registry -> registry.heartbeat(null)),
                withNull("id", registry -> registry.heartbeat(null, 1)),
                withNull("modelRef", registry -> registry.findIdleWorker(null)),
                withNull("node", registry -> registry.findByNodeAndModel(null, MODEL)),
                withNull("modelRef", registry -> registry.findByNodeAndModel("gpu-1", null)),
                withNull("modelRef", registry -> registry.tryAcquire(null)),
                withNull("id", registry -> registry.tryAcquireFrom(null)),
                withNull("listener", registry -> registry.subscribe(null, Runnable::run)),
                withNull("executor", registry -> registry.subscribe(event -> {}, null)),
                withNull("node", registry -> WorkerRegistry.builder().node(null)),
                withNull("clock", registry -> WorkerRegistry.builder().clock(null)));
    }

    private static Arguments withNull(String parameter, Consumer<WorkerRegistry> call) {
        return arguments(parameter, call);
    }

    @ParameterizedTest
    @MethodSource("nulls")
    void nullIsRefusedByTheNameOfTheParameter(String parameter, Consumer<WorkerRegistry> call) {
        registry.register(idle("w", 1));

        assertThatNullPointerException().isThrownBy(() -> call.accept(registry)).withMessage(parameter);
    }
}
