package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.MODEL;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.STOPPING_BECAUSE_UNHEALTHY;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.idle;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.LeaseEnd.Lost;
import io.github.workerregistry.LeaseEnd.Released;
import io.github.workerregistry.testing.VirtualTime;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What becomes of leases that fail, and of others' ends, with checks that pass when the test says so. */
@ExtendWith(UnexpectedWarnings.class)
class FailedLeaseTest {

    private static final Duration LONG = Duration.ofHours(1);
    private final IOException refused = new IOException("connection reset");

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).node("here").build();
    private final List<FailedLease> checked = new ArrayList<>();

    /** Whose timers would otherwise stay for an hour. */
    @AfterEach
    void endChecks() {
        checked.forEach(FailedLease::resume);
    }

    private void check() {
        registry.checkFailedLeases(lease -> {
            checked.add(lease);
            return Optional.of(LONG);
        });
    }

    private SlotLease lease(String id) {
        return registry.tryAcquireFrom(id).orElseThrow();
    }

    private static CompletableFuture<LeaseEnd> end(SlotLease lease) {
        return lease.whenEnded().toCompletableFuture();
    }

    private void restart(String id) {
        registry.updateState(id, backingOff(registry.get(id).orElseThrow()));
        registry.updateState(id, LOADING);
        registry.updateState(id, IDLE);
    }

    @Nested
    class AFailedLease {

        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void isAClosedOneWhereNobodyChecks(int slots) {
            registry.register(idle("w", slots));
            SlotLease lease = lease("w");

            lease.fail(refused);

            assertThat(lease.isValid()).isFalse();
            assertThat(registry.tryAcquire(MODEL)).isPresent();
            assertThat(end(lease)).isCompletedWithValue(new Released());
            assertThat(lease.lostWithin(LONG)).isFalse();
        }

        /** The corpse was leased again: 74 of 75 times. */
        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void keepsItsWorkerFromBeingLeasedUntilTheCheckPasses(int slots) {
            check();
            registry.register(idle("w", slots));
            lease("w").fail(refused);

            assertThat(registry.get("w").orElseThrow().state()).isEqualTo(IDLE);
            assertThat(registry.get("w").orElseThrow().slotsInUse()).isZero();
            assertThat(registry.tryAcquire(MODEL)).isEmpty();
            assertThat(registry.tryAcquire(MODEL, SlotFilter.any().where(worker -> true)))
                    .isEmpty();
            assertThat(registry.tryAcquireFrom("w")).isEmpty();
            assertThat(registry.findIdleWorker(MODEL)).isEmpty();
            assertThatThrownBy(() -> registry.acquire(MODEL, Duration.ZERO)).isInstanceOf(SlotTimeoutException.class);

            assertThat(checked.get(0).resume()).isTrue();

            assertThat(registry.findIdleWorker(MODEL)).isPresent();
            for (int i = 0; i < slots; i++) {
                assertThat(registry.tryAcquire(MODEL)).isPresent();
            }
            assertThat(registry.tryAcquire(MODEL)).isEmpty();
            assertThat(checked.get(0).resume()).as("again").isFalse();
        }

        @Test
        void tellsTheCheckerWorkerAndCause() {
            check();
            registry.register(idle("w", 2));
            SlotLease lease = lease("w");

            lease.fail(refused);

            assertThat(checked).singleElement().satisfies(failed -> {
                assertThat(failed.worker().id()).isEqualTo("w");
                assertThat(failed.worker().generation()).isEqualTo(1);
                assertThat(failed.worker().startedAt()).isEqualTo(START);
                assertThat(failed.cause()).isSameAs(refused);
            });
        }

        @Test
        void isLeftAsideForAnotherWorker() {
            check();
            registry.register(idle("w", 2));
            registry.register(idle("v", 2));
            lease("w").fail(refused);

            assertThat(registry.tryAcquire(MODEL).orElseThrow().workerId()).isEqualTo("v");
            assertThat(registry.findIdleWorker(MODEL)).isEmpty();
            assertThat(registry.findByNodeAndModel("here", MODEL).orElseThrow().id())
                    .isEqualTo("v");
            lease("v");
            registry.remove("v");
            assertThat(registry.findByNodeAndModel("here", MODEL).orElseThrow().id())
                    .as("for want of another")
                    .isEqualTo("w");
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void failsOnceAndIsClosedThen(int slots) {
            check();
            registry.register(idle("w", slots));
            SlotLease lease = lease("w");
            lease.fail(refused);

            lease.fail(refused);
            lease.close();
            assertThat(checked).hasSize(1);
            assertThat(lease.isValid()).isFalse();
            checked.get(0).resume();
            SlotLease next = lease("w");
            lease.fail(refused);
            lease.close();

            assertThat(checked).hasSize(1);
            assertThat(next.isValid()).isTrue();
            assertThat(registry.get("w").orElseThrow().slotsInUse()).isEqualTo(1);
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void thatWasClosedBeforeDoesNotFail(int slots) {
            check();
            registry.register(idle("w", slots));
            SlotLease lease = lease("w");
            lease.close();
            SlotLease next = lease("w");

            lease.fail(refused);

            assertThat(checked).isEmpty();
            assertThat(next.isValid()).isTrue();
            assertThat(end(lease)).isCompletedWithValue(new Released());
        }

        /** A request of the crashed generation that hears of it late says nothing about the next. */
        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void ofAnEarlierGenerationHasNoCheck(int slots) {
            check();
            registry.register(idle("w", slots));
            SlotLease lease = lease("w");
            restart("w");
            SlotLease next = lease("w");

            lease.fail(refused);

            assertThat(checked).isEmpty();
            assertThat(next.isValid()).isTrue();
            assertThat(lease.lostWithin(LONG)).isTrue();
        }

        @Test
        void ofARemovedWorkerHasNoCheck() {
            check();
            registry.register(idle("w", 2));
            SlotLease lease = lease("w");
            registry.removeExited(crash(idle("w", 2)));

            lease.fail(refused);

            assertThat(checked).isEmpty();
            assertThat(end(lease)).isCompletedWithValue(new Lost(Optional.of(crash(idle("w", 2)))));
        }

        @Test
        void ofAWorkerThatStopsIsChecked() {
            check();
            registry.register(idle("w", 2));
            SlotLease lease = lease("w");
            registry.updateState("w", STOPPING);

            lease.fail(refused);

            assertThat(checked).hasSize(1);
            assertThat(registry.get("w").orElseThrow().slotsInUse()).isZero();
            registry.remove("w");
            assertThat(end(lease)).isCompletedWithValue(new Lost(Optional.empty()));
        }

        @Test
        void countsAsWorkForTheIdleTimeout() {
            check();
            registry.register(idle("w", 2));
            WorkerInfo before = registry.get("w").orElseThrow();
            lease("w").fail(refused);
            time.advance(Duration.ofSeconds(1));

            assertThat(registry.updateStateIfUnchanged(before, STOPPING)).isEmpty();
            WorkerInfo seen = registry.get("w").orElseThrow();
            assertThat(seen.lastActivity()).isEqualTo(time.instant());
            assertThat(registry.updateStateIfUnchanged(seen, STOPPING))
                    .as("it may be stopped while it is checked")
                    .isPresent();
        }
    }

    @Nested
    class ACheck {

        /** The worker was barred for ever, because its check had no timer yet. */
        @Test
        void thatCannotBeBegunBarsNoWorker() {
            registry.checkFailedLeases(lease -> {
                throw new AssertionError("broken");
            });
            registry.register(idle("w", 1));
            SlotLease lease = lease("w");

            try (BrokenLog unused = new BrokenLog(LeaseChecks.class)) {
                lease.fail(refused);
            }

            assertThat(registry.tryAcquire(MODEL)).isPresent();
            assertThat(end(lease)).isCompletedWithValue(new Released());
        }

        /** The JDK's own pools have threads that keep their loader if there is a security manager. */
        @Test
        void isTimedFromAThreadWhoseClassLoaderCannotBeSet() throws InterruptedException {
            check();
            registry.register(idle("w", 1));
            SlotLease lease = lease("w");
            Thread thread = new Thread(() -> lease.fail(refused)) {
                @Override
                public void setContextClassLoader(ClassLoader loader) {
                    throw new SecurityException("fixed");
                }
            };

            thread.start();
            thread.join();

            assertThat(registry.tryAcquire(MODEL)).as("it is being checked").isEmpty();
            assertThat(checked).hasSize(1);
        }

        /** Each of them needs a probe that began after it. */
        @Test
        void passesOnlyIfNoLeaseHasFailedSince() {
            check();
            registry.register(idle("w", 3));
            SlotLease first = lease("w");
            SlotLease second = lease("w");
            first.fail(refused);
            second.fail(refused);

            assertThat(checked.get(0).resume()).isFalse();
            assertThat(registry.tryAcquire(MODEL)).isEmpty();
            assertThat(end(first)).isNotDone();

            assertThat(checked.get(1).resume()).isTrue();
            assertThat(registry.tryAcquire(MODEL)).isPresent();
            assertThat(end(first)).isCompletedWithValue(new Released());
            assertThat(end(second)).isCompletedWithValue(new Released());
        }

        @Test
        void isNotEndedByALeaseThatIsClosedMeanwhile() {
            check();
            registry.register(idle("w", 2));
            SlotLease fails = lease("w");
            SlotLease works = lease("w");
            fails.fail(refused);
            assertThat(works.isValid()).isTrue();
            works.close();

            assertThat(registry.tryAcquire(MODEL)).isEmpty();
            checked.get(0).resume();
            assertThat(registry.tryAcquire(MODEL)).isPresent();
            assertThat(registry.tryAcquire(MODEL)).isPresent();
        }

        /** Nobody else would offer these slots to them. */
        @Test
        void servesThoseWhoWaitWithEverySlotThatIsFree() throws Exception {
            check();
            registry.register(idle("w", 3));
            SlotLease fails = lease("w");
            SlotLease works = lease("w");
            SlotLease stays = lease("w");
            List<FutureTask<SlotLease>> waiting = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                FutureTask<SlotLease> task = new FutureTask<>(() -> registry.acquire(MODEL, Duration.ofSeconds(30)));
                Thread thread = new Thread(task);
                thread.start();
                await().until(() -> thread.getState() == Thread.State.TIMED_WAITING);
                waiting.add(task);
            }
            fails.fail(refused);
            works.close();
            assertThat(waiting).noneMatch(FutureTask::isDone);

            checked.get(0).resume();

            assertThat(waiting.get(0).get(30, TimeUnit.SECONDS).isValid()).isTrue();
            assertThat(waiting.get(1).get(30, TimeUnit.SECONDS).isValid()).isTrue();
            assertThat(waiting.get(2)).isNotDone();
            stays.close();
            assertThat(waiting.get(2).get(30, TimeUnit.SECONDS).isValid()).isTrue();
        }

        @Test
        void isOverWithTheGeneration() {
            check();
            registry.register(idle("w", 1));
            SlotLease lease = lease("w");
            lease.fail(refused);
            restart("w");

            assertThat(end(lease)).isCompletedWithValue(new Lost(Optional.of(crash(idle("w", 1)))));
            SlotLease next = lease("w");
            next.fail(refused);
            assertThat(checked.get(0).resume()).as("of the one before").isFalse();
            assertThat(registry.tryAcquireFrom("w")).isEmpty();
            checked.get(1).resume();
            assertThat(registry.tryAcquireFrom("w")).isPresent();
        }

        @Test
        void saysNothingAboutAnotherWorkerUnderTheId() {
            check();
            registry.register(idle("w", 1));
            lease("w").fail(refused);
            registry.remove("w");
            registry.register(idle("w", 1));

            assertThat(lease("w").isValid()).isTrue();
            assertThat(checked.get(0).resume()).isFalse();
        }

        @ParameterizedTest
        @ValueSource(booleans = {true, false})
        void lastsWhateverTheHostReportsOfTheOccupancy(boolean used) {
            check();
            registry.register(idle("w", 2));
            lease("w").fail(refused);
            if (used) {
                registry.updateState("w", BUSY);
            }
            registry.updateState("w", IDLE);

            assertThat(registry.tryAcquire(MODEL)).isEmpty();
            checked.get(0).resume();
            assertThat(registry.tryAcquire(MODEL)).isPresent();
        }

        @Test
        void ofAWorkerThatBacksOffAndComesBackIsOver() {
            check();
            registry.register(idle("w", 2));
            lease("w").fail(refused);
            registry.updateState("w", STOPPING_BECAUSE_UNHEALTHY);
            restart("w");

            assertThat(registry.tryAcquire(MODEL)).isPresent();
        }

        /** The supervisor's scheduler may be blocked, or gone. */
        @Test
        void thatNeverAnswersIsWaitedForNoLongerThanItSaid() {
            registry.checkFailedLeases(lease -> Optional.of(Duration.ofMillis(50)));
            registry.register(idle("w", 1));
            SlotLease lease = lease("w");
            lease.fail(refused);
            assertThat(registry.tryAcquire(MODEL)).isEmpty();

            await().atMost(Duration.ofSeconds(30))
                    .until(() -> registry.tryAcquire(MODEL).isPresent());
            assertThat(lease.lostWithin(Duration.ofSeconds(30))).isFalse();
            assertThat(end(lease)).isCompletedWithValue(new Released());
        }

        @Test
        void thatNeverAnswersKeepsNobodyWaiting() throws Exception {
            registry.checkFailedLeases(lease -> Optional.of(Duration.ofNanos(1)));
            registry.register(idle("w", 1));
            lease("w").fail(refused);

            assertThat(registry.acquire(MODEL, Duration.ofSeconds(30)).isValid())
                    .isTrue();
        }

        @Test
        void mayPassBeforeTheCallReturns() {
            registry.checkFailedLeases(lease -> {
                assertThat(lease.resume()).isTrue();
                return Optional.of(LONG);
            });
            registry.register(idle("w", 1));
            lease("w").fail(refused);

            assertThat(registry.tryAcquire(MODEL)).isPresent();
        }

        @Test
        void mayTakeAHundredYears() {
            registry.checkFailedLeases(lease -> {
                checked.add(lease);
                return Optional.of(Duration.ofSeconds(Long.MAX_VALUE));
            });
            registry.register(idle("w", 1));
            lease("w").fail(refused);

            assertThat(registry.tryAcquire(MODEL)).isEmpty();
        }
    }

    @Nested
    class Checkers {

        @Test
        void areAskedInTheirOrderUpToTheFirstThatChecks() {
            List<String> asked = new ArrayList<>();
            registry.checkFailedLeases(lease -> {
                asked.add("not mine");
                return Optional.empty();
            });
            registry.checkFailedLeases(lease -> {
                asked.add("mine");
                return Optional.of(Duration.ofNanos(1));
            });
            check();
            registry.register(idle("w", 1));
            lease("w").fail(refused);

            assertThat(asked).containsExactly("not mine", "mine");
            assertThat(checked).isEmpty();
        }

        @Test
        void thatDriveTheWorkerAreAskedBeforeOthers() {
            check();
            List<String> asked = new ArrayList<>();
            registry.checkFailedLeases(new LeaseChecker() {
                @Override
                public boolean drives(WorkerInfo worker) {
                    return worker.id().equals("w");
                }

                @Override
                public Optional<Duration> check(FailedLease lease) {
                    asked.add(lease.worker().id());
                    return Optional.of(Duration.ofNanos(1));
                }
            });
            registry.register(idle("w", 1));
            registry.register(idle("v", 1));

            lease("w").fail(refused);
            lease("v").fail(refused);

            assertThat(asked).containsExactly("w");
            assertThat(checked).extracting(lease -> lease.worker().id()).containsExactly("v");
        }

        @Test
        void thatCheckNothingKeepNoSlot() {
            registry.checkFailedLeases(lease -> Optional.empty());
            registry.checkFailedLeases(lease -> Optional.of(Duration.ZERO));
            registry.register(idle("w", 1));
            SlotLease lease = lease("w");
            lease.fail(refused);

            assertThat(registry.tryAcquire(MODEL)).isPresent();
            assertThat(end(lease)).isCompletedWithValue(new Released());
        }

        @Test
        void thatFailAreLoggedAndHarmNobody() {
            UnexpectedWarnings.expect("a checker of failed leases failed");
            registry.checkFailedLeases(lease -> {
                throw new AssertionError("no\nforged");
            });
            registry.checkFailedLeases(lease -> null);
            registry.register(idle("w", 1));
            SlotLease lease = lease("w");

            lease.fail(refused);

            assertThat(registry.tryAcquire(MODEL)).isPresent();
            assertThat(end(lease)).isCompletedWithValue(new Released());
        }

        @Test
        void areAskedNoMoreOnceTheirRegistrationIsClosed() {
            List<FailedLease> asked = new ArrayList<>();
            LeaseChecker checker = lease -> {
                asked.add(lease);
                return Optional.empty();
            };
            Subscription first = registry.checkFailedLeases(checker);
            Subscription second = registry.checkFailedLeases(checker);
            registry.register(idle("w", 1));

            first.close();
            first.close();
            lease("w").fail(refused);
            assertThat(asked).hasSize(1);
            second.close();
            lease("w").fail(refused);

            assertThat(asked).hasSize(1);
        }

        /** Its lease was the last to fail, and its end was that of the check of the one before. */
        @Test
        void thatDoNotCheckASecondLeaseDoNotEndTheCheckOfTheFirst() {
            registry.checkFailedLeases(lease -> {
                checked.add(lease);
                return checked.size() == 1 ? Optional.of(LONG) : Optional.empty();
            });
            registry.register(idle("w", 2));
            SlotLease first = lease("w");
            SlotLease second = lease("w");
            first.fail(refused);
            second.fail(refused);

            assertThat(end(second)).isCompletedWithValue(new Released());
            assertThat(end(first)).isNotDone();
            assertThat(registry.tryAcquire(MODEL)).isEmpty();
            assertThat(checked.get(0).resume()).isTrue();
            assertThat(registry.tryAcquire(MODEL)).isPresent();
        }

        /** It is called with no lock held. */
        @Test
        void mayCallTheRegistry() {
            registry.checkFailedLeases(lease -> {
                registry.removeExited(crash(lease.worker()));
                return Optional.of(LONG);
            });
            registry.register(idle("w", 1));
            SlotLease lease = lease("w");
            lease.fail(refused);

            assertThat(registry.list()).isEmpty();
            assertThat(lease.lostWithin(Duration.ZERO)).isTrue();
        }
    }

    @Nested
    class TheEndOfALease {

        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void isToldWhenItIsClosed(int slots) {
            registry.register(idle("w", slots));
            SlotLease lease = lease("w");
            CompletableFuture<LeaseEnd> first = end(lease);
            CompletableFuture<LeaseEnd> second = end(lease);
            assertThat(lease.lostWithin(Duration.ZERO)).isFalse();
            assertThat(first).isNotDone();

            lease.close();

            assertThat(first).isCompletedWithValue(new Released());
            assertThat(second).isCompletedWithValue(new Released());
            registry.removeExited(crash(idle("w", slots)));
            assertThat(end(lease)).as("it was not lost under it").isCompletedWithValue(new Released());
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void isToldWhenItsWorkerCrashesAndStaysSo(int slots) {
            registry.register(idle("w", slots));
            Exit crash = crash(idle("w", slots));
            SlotLease asked = lease("w");
            CompletableFuture<LeaseEnd> end = end(asked);
            registry.updateState("w", backingOff(idle("w", slots)));

            assertThat(end).isCompletedWithValue(new Lost(Optional.of(crash)));
            assertThat(asked.lostWithin(Duration.ZERO)).isTrue();
            asked.close();
            asked.fail(refused);
            assertThat(asked.lostWithin(Duration.ZERO)).isTrue();
            registry.updateState("w", LOADING);
            registry.updateState("w", IDLE);
            assertThat(end(asked)).as("also to those who ask later").isCompletedWithValue(new Lost(Optional.of(crash)));
            restart("w");
            assertThat(end(asked)).as("of two ends, the last is kept").isCompletedWithValue(new Lost(Optional.empty()));
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void isToldToThoseWhoAskAfterACloseThatCameTooLate(int slots) {
            registry.register(idle("w", slots));
            SlotLease lease = lease("w");
            registry.updateState("w", STOPPING_BECAUSE_UNHEALTHY);
            assertThat(lease.lostWithin(Duration.ZERO))
                    .as("it may be used to its end")
                    .isFalse();
            registry.updateState("w", backingOff(idle("w", slots)));
            lease.close();

            assertThat(end(lease)).isCompletedWithValue(new Lost(Optional.of(crash(idle("w", slots)))));
        }

        @Test
        void isLostWithoutAnExitIfTheHostTookTheRecordAway() {
            registry.register(idle("w", 2));
            SlotLease lease = lease("w");
            CompletableFuture<LeaseEnd> end = end(lease);

            registry.clear();

            assertThat(end).isCompletedWithValue(new Lost(Optional.empty()));
        }

        @Test
        void isNoMattersOfOtherWorkersNorOfOtherLeases() {
            registry.register(idle("w", 2));
            registry.register(idle("v", 2));
            SlotLease lease = lease("w");
            SlotLease other = lease("w");
            CompletableFuture<LeaseEnd> end = end(lease);
            CompletableFuture<LeaseEnd> endOfOther = end(other);

            registry.remove("v");
            other.close();

            assertThat(end).isNotDone();
            assertThat(endOfOther).isDone();
            lease.close();
        }

        @Test
        void cannotBeMadeUpByThoseWhoHearOfIt() {
            registry.register(idle("w", 1));
            SlotLease lease = lease("w");

            end(lease).complete(new Lost(Optional.empty()));
            end(lease).cancel(true);

            assertThat(lease.lostWithin(Duration.ofNanos(1))).isFalse();
            lease.close();
            assertThat(end(lease)).isCompletedWithValue(new Released());
        }

        /** What depends on it is foreign code, and may come back. */
        @Test
        void isToldWithNoLockHeldAndItsHearersMayFail() {
            registry.register(idle("w", 1));
            registry.register(idle("v", 1));
            SlotLease lease = lease("w");
            SlotLease other = lease("v");
            AtomicInteger heard = new AtomicInteger();
            lease.whenEnded().thenRun(() -> {
                CompletableFuture.runAsync(() -> registry.register(idle("u", 1)))
                        .join();
                registry.remove("v");
                heard.incrementAndGet();
                throw new IllegalStateException("no");
            });
            other.whenEnded().thenRun(heard::incrementAndGet);

            registry.remove("w");

            assertThat(heard).hasValue(2);
            assertThat(registry.list()).extracting(WorkerInfo::id).containsExactly("u");
        }

        @Test
        void isWaitedForNoLongerThanWished() {
            registry.register(idle("w", 1));
            SlotLease lease = lease("w");

            assertThat(lease.lostWithin(Duration.ofMillis(5))).isFalse();
            Thread.currentThread().interrupt();
            assertThat(lease.lostWithin(LONG)).isFalse();
            assertThat(Thread.interrupted()).as("it stays interrupted").isTrue();
            assertThatThrownBy(() -> lease.lostWithin(Duration.ofNanos(-1)))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("patience");
            assertThat(lease.isValid()).isTrue();
        }

        @Test
        void isWaitedForUntilItComes() throws Exception {
            check();
            registry.register(idle("w", 1));
            SlotLease lease = lease("w");
            lease.fail(refused);
            FutureTask<Boolean> lost = new FutureTask<>(() -> lease.lostWithin(Duration.ofSeconds(Long.MAX_VALUE)));
            Thread thread = new Thread(lost);
            thread.start();
            await().until(() -> thread.getState() == Thread.State.TIMED_WAITING);

            registry.removeExited(crash(idle("w", 1)));

            assertThat(lost.get(30, TimeUnit.SECONDS)).isTrue();
        }

        /** A hive may ask for the end of each lease in its life. */
        @Test
        void leavesNothingBehind() {
            LeaseEnds ends = new LeaseEnds(Entry::peek);
            registry.register(idle("w", 2));
            for (int i = 0; i < 3; i++) {
                SlotLease lease = lease("w");
                CompletableFuture<LeaseEnd> end = ends.of(lease);
                assertThat(ends.size()).isEqualTo(1);
                lease.close();
                ends.settle(lease);
                assertThat(end).isDone();
                assertThat(ends.size()).isZero();
            }
        }
    }

    @Test
    void nullsAreRefused() {
        registry.register(idle("w", 1));
        SlotLease lease = lease("w");

        assertThatThrownBy(() -> lease.fail(null)).hasMessage("cause");
        assertThatThrownBy(() -> lease.lostWithin(null)).hasMessage("patience");
        assertThatThrownBy(() -> registry.checkFailedLeases(null)).hasMessage("checker");
        assertThat(lease.isValid()).isTrue();
    }
}
