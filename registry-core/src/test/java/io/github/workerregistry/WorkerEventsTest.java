package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.STOPPING_BECAUSE_UNHEALTHY;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.exit;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.WorkerEvent.BecameReady;
import io.github.workerregistry.WorkerEvent.Crashed;
import io.github.workerregistry.WorkerEvent.HealthCheckFailed;
import io.github.workerregistry.WorkerEvent.IdleTimedOut;
import io.github.workerregistry.WorkerEvent.OfWorker;
import io.github.workerregistry.WorkerEvent.Overflowed;
import io.github.workerregistry.WorkerEvent.Registered;
import io.github.workerregistry.WorkerEvent.Removed;
import io.github.workerregistry.WorkerEvent.RestartScheduled;
import io.github.workerregistry.WorkerEvent.Restarted;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.lang.ref.WeakReference;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class WorkerEventsTest {

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).eventQueueCapacity(100).build();
    private final RecordingListener heard = new RecordingListener();

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    /** Registers this many workers and gives their ids. */
    private List<String> registerMany(String prefix, int count) {
        List<String> ids = IntStream.range(0, count).mapToObj(i -> prefix + i).toList();
        ids.forEach(id -> registry.register(loading(id)));
        return ids;
    }

    private static List<String> ids(List<WorkerEvent> events) {
        return events.stream()
                .map(event -> event instanceof OfWorker one ? one.worker().id() : event.toString())
                .toList();
    }

    /** An executor whose tasks run when the test says so. */
    private static final class Later implements Executor {
        private final Queue<Runnable> tasks = new ArrayDeque<>();
        private int rejections;

        @Override
        public void execute(Runnable task) {
            if (rejections > 0) {
                rejections--;
                throw new RejectedExecutionException("full");
            }
            tasks.add(task);
        }

        void runOne() {
            tasks.remove().run();
        }

        void runAll() {
            while (!tasks.isEmpty()) {
                runOne();
            }
        }
    }

    @Nested
    class ALife {

        @Test
        void isToldInOrderOnceWithTheWorkerAsItWasAfterEachEdge() {
            registry.subscribe(heard, Runnable::run);
            List<WorkerEvent> expected = new ArrayList<>();

            registry.register(loading("w"));
            expected.add(new Registered(loading("w")));

            registry.updateState("w", IDLE);
            expected.add(new BecameReady(now("w")));

            registry.tryAcquireFrom("w");
            registry.list(); // a look stamps the work
            registry.incrementFailedHealthChecks("w");
            expected.add(new HealthCheckFailed(now("w")));
            assertThat(now("w").slotsInUse()).isEqualTo(1);
            assertThat(now("w").failedHealthChecks()).isEqualTo(1);

            BackingOff backingOff = backingOff(now("w"));
            registry.updateState("w", backingOff);
            expected.add(new Crashed(now("w"), backingOff.cause()));
            expected.add(new RestartScheduled(now("w"), backingOff.attempt(), backingOff.retryAt()));

            registry.updateState("w", LOADING);
            expected.add(new Restarted(now("w")));

            registry.updateState("w", IDLE);
            expected.add(new BecameReady(now("w")));

            registry.updateState("w", STOPPING);
            expected.add(new WorkerEvent.Stopping(now("w"), Exit.Cause.REQUESTED));

            WorkerInfo last = now("w");
            Exit exit = exit(last, Exit.Cause.REQUESTED, 143);
            registry.removeExited(exit);
            expected.add(new Removed(last, Exit.Cause.REQUESTED, Optional.of(exit)));

            assertThat(heard.events()).isEqualTo(expected);
        }

        @Test
        void thatEndsForIdlenessSaysSoFirst() {
            registry.register(idle("w", 1));
            registry.subscribe(heard, Runnable::run);
            registry.updateState("w", new WorkerState.Stopping(Exit.Cause.IDLE_TIMEOUT));

            assertThat(heard.events())
                    .containsExactly(
                            new IdleTimedOut(now("w")), new WorkerEvent.Stopping(now("w"), Exit.Cause.IDLE_TIMEOUT));
        }

        @Test
        void thatEndsWithACrashTellsTheCrashBeforeTheRemoval() {
            registry.register(idle("w", 1));
            registry.subscribe(heard, Runnable::run);
            Exit crash = crash(now("w"));
            registry.removeExited(crash);

            assertThat(heard.events())
                    .containsExactly(
                            new Crashed(idle("w", 1), crash),
                            new Removed(idle("w", 1), Exit.Cause.CRASHED, Optional.of(crash)));
        }

        @Test
        void thatEndsWhileBackingOffDoesNotTellTheCrashTwice() {
            registry.register(idle("w", 1));
            Exit crash = crash(now("w"));
            registry.updateState("w", backingOff(now("w")));
            registry.subscribe(heard, Runnable::run);
            registry.removeExited(crash);

            assertThat(heard.historyOf("w")).containsExactly("Removed");
        }

        @Test
        void ofAWorkerEndedBecauseItFailedTellsTheCrashWhenItsProcessHasGone() {
            registry.register(idle("w", 1));
            registry.subscribe(heard, Runnable::run);
            registry.updateState("w", STOPPING_BECAUSE_UNHEALTHY);
            registry.updateState("w", backingOff(now("w")));

            assertThat(heard.historyOf("w")).containsExactly("Stopping", "Crashed", "RestartScheduled");
        }

        @Test
        void underSuspicionIsToldSoOnceAndClearedOnce() {
            registry.register(loading("w"));
            registry.subscribe(heard, Runnable::run);

            assertThat(registry.suspect("w", Exit.Cause.UNHEALTHY)).isTrue();
            assertThat(registry.suspect("w", Exit.Cause.HEARTBEAT_MISSED)).isFalse();
            assertThat(registry.clearSuspicion("w")).isTrue();
            assertThat(registry.clearSuspicion("w")).isFalse();

            assertThat(heard.events())
                    .containsExactly(
                            new WorkerEvent.Suspected(now("w"), Exit.Cause.UNHEALTHY),
                            new WorkerEvent.Cleared(now("w")));
            assertThat(registry.stats().suspected()).isEqualTo(1);
        }

        @Test
        void startedAgainIsUnderNoSuspicionForWhatItsPredecessorDid() {
            registry.register(loading("w"));
            registry.suspect("w", Exit.Cause.UNHEALTHY);

            registry.updateState("w", SomeWorkers.backingOff(now("w")));
            assertThat(registry.suspect("w", Exit.Cause.UNHEALTHY)).isFalse();
            registry.updateState("w", SomeWorkers.LOADING);

            assertThat(registry.suspect("w", Exit.Cause.UNHEALTHY)).isTrue();
        }

        @Test
        void takenOutOfTheRegistryByTheHostHasNoExit() {
            registry.register(idle("w", 2));
            registry.subscribe(heard, Runnable::run);
            registry.tryAcquireFrom("w");
            WorkerInfo last = now("w");
            registry.remove("w");

            assertThat(heard.events()).containsExactly(new Removed(last, Exit.Cause.DEREGISTERED, Optional.empty()));
        }

        @Test
        void isToldForEachWorkerThatClearRemoves() {
            registry.register(loading("b"));
            registry.register(loading("a"));
            registry.subscribe(heard, Runnable::run);
            registry.clear();

            assertThat(heard.events())
                    .containsExactly(
                            new Removed(loading("b"), Exit.Cause.DEREGISTERED, Optional.empty()),
                            new Removed(loading("a"), Exit.Cause.DEREGISTERED, Optional.empty()));
        }

        @Test
        void hasNoEventsForWorkHeartbeatsAndRefusedSteps() {
            registry.register(idle("w", 2));
            registry.subscribe(heard, Runnable::run);

            registry.tryAcquireFrom("w").orElseThrow().close();
            registry.heartbeat("w");
            registry.resetFailedHealthChecks("w");
            registry.setPid("w", 1, 4711);
            registry.updateState("w", BUSY);
            registry.updateState("w", IDLE);
            registry.updateStateIfUnchanged(loading("w"), STOPPING);
            registry.incrementFailedHealthChecksIfUnchanged(loading("w"));
            registry.removeIfUnchanged(loading("w"), Exit.Cause.REQUESTED);
            registry.remove("unknown");
            registry.list();

            assertThat(heard.events()).isEmpty();
        }
    }

    @Nested
    class AListener {

        @Test
        void hearsWhatHappensAfterItSubscribed() {
            registry.register(loading("before"));
            registry.subscribe(heard, Runnable::run);
            registry.register(loading("after"));

            assertThat(ids(heard.events())).containsExactly("after");
        }

        @Test
        void hearsNothingAfterItsSubscriptionIsClosed() {
            Later executor = new Later();
            Subscription subscription = registry.subscribe(heard, executor);
            registerMany("delivered", 2);
            executor.runAll();
            registerMany("enqueued", 2);

            subscription.close();
            subscription.close();
            registerMany("late", 2);
            executor.runAll();

            assertThat(ids(heard.events())).containsExactly("delivered0", "delivered1");
            assertThat(executor.tasks).isEmpty();
        }

        @Test
        void isNotHeldOnceItsSubscriptionIsClosed() {
            WeakReference<WorkerListener> listener = closedSubscription();

            await().until(() -> {
                System.gc();
                return listener.get() == null;
            });
        }

        private WeakReference<WorkerListener> closedSubscription() {
            WorkerListener listener = new RecordingListener();
            registry.subscribe(listener, Runnable::run).close();
            return new WeakReference<>(listener);
        }

        @Test
        void mayCloseItsOwnSubscription() {
            List<Subscription> subscription = new ArrayList<>();
            Later executor = new Later();
            subscription.add(registry.subscribe(
                    event -> {
                        heard.onEvent(event);
                        subscription.get(0).close();
                    },
                    executor));
            registerMany("w", 3);
            executor.runAll();

            assertThat(ids(heard.events())).containsExactly("w0");
        }

        @Test
        void thatThrowsIsLoggedAndHearsTheNextEvent() {
            UnexpectedWarnings.expect(
                    "listener " + getClass().getName(), "failed on Registered of worker w0", "of worker w2");
            RecordingListener other = new RecordingListener();
            registry.subscribe(
                    event -> {
                        heard.onEvent(event);
                        throw new IllegalStateException("listener's own fault");
                    },
                    Runnable::run);
            registry.subscribe(other, Runnable::run);

            List<String> ids = registerMany("w", 3);

            assertThat(ids(heard.events())).isEqualTo(ids);
            assertThat(ids(other.events())).isEqualTo(ids);
        }

        @Test
        void thatThrowsAnErrorDoesNotHarmTheCallerOfTheRegistry() {
            UnexpectedWarnings.expect("failed on Registered");
            registry.subscribe(
                    event -> {
                        heard.onEvent(event);
                        throw new StackOverflowError("not really");
                    },
                    Runnable::run);

            assertThat(ids(heard.events())).isEqualTo(List.of());
            assertThat(registerMany("w", 2)).isEqualTo(ids(heard.events()));
        }

        /** The error of the log ended the feed. */
        @Test
        void thatFailsAndCannotEvenBeLoggedHearsOfTheNextAllTheSame() {
            registry.subscribe(
                    event -> {
                        heard.onEvent(event);
                        throw new OutOfMemoryError("not really");
                    },
                    Runnable::run);

            try (BrokenLog unused = new BrokenLog(ListenerQueue.class)) {
                assertThat(registerMany("w", 2)).isEqualTo(ids(heard.events()));
            }
        }

        @Test
        void isSubscribedTwiceIfItSubscribesTwice() {
            Subscription first = registry.subscribe(heard, Runnable::run);
            registry.subscribe(heard, Runnable::run);
            registry.register(loading("a"));
            first.close();
            registry.register(loading("b"));

            assertThat(ids(heard.events())).containsExactly("a", "a", "b");
        }

        @Test
        void mayCallTheRegistryAndHearsOfThatAfterwards() {
            registry.subscribe(
                    event -> {
                        heard.onEvent(event);
                        if (event instanceof Registered registered) {
                            registry.updateState(registered.worker().id(), IDLE);
                            registry.remove(registered.worker().id());
                        }
                        assertThat(registry.list()).isEmpty();
                    },
                    Runnable::run);

            registry.register(loading("w"));

            assertThat(heard.historyOf("w")).containsExactly("Registered", "BecameReady", "Removed");
        }

        /** A listener that is called with the lock held would keep the other thread out for ever. */
        @Test
        void isCalledWithNoLockHeld() {
            List<String> unlocked = new ArrayList<>();
            registry.subscribe(
                    event -> {
                        if (event instanceof OfWorker one && one.worker().id().equals("w")) {
                            CompletableFuture.runAsync(
                                            () -> {
                                                registry.register(loading("another"));
                                                registry.updateState("another", IDLE);
                                                registry.list();
                                                registry.remove("another");
                                            },
                                            task -> new Thread(task, "another").start())
                                    .orTimeout(10, TimeUnit.SECONDS)
                                    .join();
                            unlocked.add(event.getClass().getSimpleName());
                        }
                    },
                    Runnable::run);

            registry.register(loading("w"));
            registry.updateState("w", IDLE);
            registry.incrementFailedHealthChecks("w");
            registry.updateState("w", backingOff(now("w")));
            registry.updateState("w", LOADING);
            registry.updateState("w", new WorkerState.Stopping(Exit.Cause.IDLE_TIMEOUT));
            registry.remove("w");
            registry.register(loading("w"));
            registry.clear();

            assertThat(unlocked)
                    .containsExactly(
                            "Registered",
                            "BecameReady",
                            "HealthCheckFailed",
                            "Crashed",
                            "RestartScheduled",
                            "Restarted",
                            "IdleTimedOut",
                            "Stopping",
                            "Removed",
                            "Registered",
                            "Removed");
        }

        @Test
        void thatIsBlockedDelaysNeitherTheRegistryNorOthers() throws Exception {
            ExecutorService blockedThread = Executors.newSingleThreadExecutor();
            CountDownLatch reached = new CountDownLatch(1);
            CountDownLatch release = new CountDownLatch(1);
            try {
                RecordingListener blocked = new RecordingListener();
                registry.subscribe(
                        event -> {
                            reached.countDown();
                            awaitUninterruptibly(release);
                            blocked.onEvent(event);
                        },
                        blockedThread);
                registry.subscribe(heard, Runnable::run);

                List<String> ids = registerMany("w", 50);
                assertThat(reached.await(30, TimeUnit.SECONDS)).isTrue();
                assertThat(ids(heard.events())).isEqualTo(ids);
                assertThat(blocked.events()).isEmpty();

                release.countDown();
                blockedThread.shutdown();
                assertThat(blockedThread.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
                assertThat(ids(blocked.events())).isEqualTo(ids);
            } finally {
                release.countDown();
                blockedThread.shutdownNow();
            }
        }

        private static void awaitUninterruptibly(CountDownLatch latch) {
            try {
                latch.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }

        @Test
        void isNeverCalledTwiceAtATimeAndLosesNoOrderOnManyThreads() throws Exception {
            ExecutorService threads = Executors.newFixedThreadPool(4);
            WorkerRegistry roomy =
                    WorkerRegistry.builder().eventQueueCapacity(100_000).build();
            CountDownLatch all = new CountDownLatch(2_000);
            List<String> order = new ArrayList<>(); // not thread-safe, on purpose
            try {
                roomy.subscribe(
                        event -> {
                            order.add(((OfWorker) event).worker().id());
                            all.countDown();
                        },
                        threads);
                List<String> ids =
                        IntStream.range(0, 2_000).mapToObj(i -> "w" + i).toList();
                ids.forEach(id -> roomy.register(loading(id)));

                assertThat(all.await(30, TimeUnit.SECONDS)).isTrue();
                assertThat(order).isEqualTo(ids);
            } finally {
                threads.shutdownNow();
            }
        }

        @Test
        void givesASharedExecutorsThreadAwayAfterEveryBatch() {
            Later shared = new Later();
            registry.subscribe(heard, shared);
            registerMany("w", 90);
            RecordingListener other = new RecordingListener();
            registry.subscribe(other, shared);
            registry.register(loading("last"));

            shared.runOne();
            assertThat(heard.events()).hasSizeLessThan(91).isNotEmpty();
            shared.runOne();
            assertThat(other.events()).hasSize(1);
            shared.runAll();
            assertThat(heard.events()).hasSize(91);
        }
    }

    @Nested
    class AListenerThatFallsBehind {

        private final Later executor = new Later();

        @Test
        void isToldHowManyEventsItLost() {
            registry.subscribe(heard, executor);
            List<String> ids = registerMany("w", 103);
            executor.runAll();

            assertThat(heard.events()).hasSize(101).endsWith(new Overflowed(3));
            assertThat(ids(heard.events().subList(0, 100))).isEqualTo(ids.subList(0, 100));
        }

        @Test
        void isNotToldOfAnOverflowWhenItsQueueIsJustFull() {
            registry.subscribe(heard, executor);
            List<String> ids = registerMany("w", 100);
            executor.runAll();

            assertThat(ids(heard.events())).isEqualTo(ids);
        }

        @Test
        void losesAllUpToTheMomentWhenItHasWorkedItsQueueOff() {
            registry.subscribe(heard, executor);
            registerMany("w", 101);
            executor.runOne();
            assertThat(heard.events()).hasSizeBetween(1, 99);
            registry.register(loading("late"));
            executor.runAll();
            registry.register(loading("next"));
            executor.runAll();

            assertThat(heard.events()).hasSize(102);
            assertThat(heard.events().get(100)).isEqualTo(new Overflowed(2));
            assertThat(ids(heard.events())).endsWith("next").doesNotContain("late");
        }

        @Test
        void isToldAgainWhenItFallsBehindAgain() {
            registry.subscribe(heard, executor);
            registerMany("a", 105);
            executor.runAll();
            registerMany("b", 107);
            executor.runAll();

            assertThat(heard.events())
                    .filteredOn(Overflowed.class::isInstance)
                    .containsExactly(new Overflowed(5), new Overflowed(7));
            assertThat(heard.events()).hasSize(202).endsWith(new Overflowed(7));
        }

        @Test
        void makesNoOtherLoseAnything() {
            RecordingListener other = new RecordingListener();
            registry.subscribe(heard, executor);
            registry.subscribe(other, Runnable::run);

            assertThat(registerMany("w", 150)).isEqualTo(ids(other.events()));
        }

        @Test
        void canHaveRoomForOneEvent() {
            WorkerRegistry tight =
                    WorkerRegistry.builder().eventQueueCapacity(1).build();
            tight.subscribe(heard, executor);
            tight.register(loading("a"));
            tight.register(loading("b"));
            executor.runAll();
            tight.register(loading("c"));
            executor.runAll();

            assertThat(ids(heard.events())).containsExactly("a", new Overflowed(1).toString(), "c");
        }

        /** The second of two events was lost: a crash without its restart, an idle timeout without its stop. */
        @Test
        void withRoomForOneEventGetsBothEventsOfOneStep() {
            WorkerRegistry tight =
                    WorkerRegistry.builder().eventQueueCapacity(1).build();
            WorkerInfo idle = idle("idle", 1);
            tight.register(idle("crashes", 1));
            tight.register(idle("ends", 1));
            tight.register(idle);
            tight.subscribe(heard, executor);

            tight.updateState("crashes", backingOff(idle("crashes", 1)));
            executor.runAll();
            tight.removeExited(crash(idle("ends", 1)));
            executor.runAll();
            tight.updateState("idle", new WorkerState.Stopping(Exit.Cause.IDLE_TIMEOUT));
            executor.runAll();

            assertThat(kinds())
                    .containsExactly("Crashed", "RestartScheduled", "Crashed", "Removed", "IdleTimedOut", "Stopping");
        }

        @Test
        void losesBothEventsOfAStepOrNone() {
            WorkerRegistry tight =
                    WorkerRegistry.builder().eventQueueCapacity(2).build();
            tight.register(idle("a", 1));
            tight.register(idle("b", 1));
            tight.subscribe(heard, executor);

            tight.register(idle("c", 1));
            tight.updateState("a", backingOff(idle("a", 1)));
            tight.updateState("b", backingOff(idle("b", 1)));
            executor.runAll();

            assertThat(kinds()).containsExactly("Registered", "Crashed", "RestartScheduled", "Overflowed");
            assertThat(heard.events()).endsWith(new Overflowed(2));
        }

        private List<String> kinds() {
            return heard.events().stream()
                    .map(event -> event.getClass().getSimpleName())
                    .toList();
        }
    }

    @Nested
    class AnExecutor {

        @Test
        void thatRejectsDelaysTheEventsUntilTheNext() {
            Later executor = new Later();
            executor.rejections = 2;
            registry.subscribe(heard, executor);
            registerMany("w", 3);
            executor.runAll();

            assertThat(ids(heard.events())).containsExactly("w0", "w1", "w2");
        }

        /**
         * The queue was empty but for the count of what was lost; nothing woke it up any more, and no event ever got in
         * again.
         */
        @Test
        void thatRejectsWhenOnlyTheOverflowIsLeftToTellDoesNotEndTheFeed() {
            WorkerRegistry batch =
                    WorkerRegistry.builder().eventQueueCapacity(64).build();
            Later executor = new Later();
            batch.subscribe(heard, executor);
            for (int i = 0; i < 65; i++) {
                batch.register(loading("w" + i));
            }
            executor.rejections = 1;
            executor.runAll();
            assertThat(ids(heard.events())).hasSize(64);

            batch.register(loading("next"));
            executor.runAll();
            assertThat(ids(heard.events())).hasSize(65).endsWith(new Overflowed(2).toString());

            batch.register(loading("after"));
            executor.runAll();
            assertThat(ids(heard.events())).endsWith("after");
        }

        /** The caller of the registry saw the error, and the listener heard nothing ever after. */
        @Test
        void thatThrowsAnythingElseHarmsNeitherTheCallerNorTheFeed() {
            UnexpectedWarnings.expect("executor");
            List<RuntimeException> failures = new ArrayList<>(List.of(new IllegalStateException("no thread left")));
            registry.subscribe(heard, task -> {
                if (!failures.isEmpty()) {
                    throw failures.remove(0);
                }
                task.run();
            });

            List<String> ids = registerMany("w", 2);

            assertThat(ids(heard.events())).isEqualTo(ids);
        }

        /** Its queue was kept, and filled, for ever. */
        @Test
        void thatHasBeenShutDownIsNeverAskedAgain() {
            UnexpectedWarnings.expect("is dropped: its executor has been shut down; 1 events are lost");
            AtomicInteger refused = new AtomicInteger();
            ExecutorService executor =
                    new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), (task, pool) -> {
                        refused.incrementAndGet();
                        throw new RejectedExecutionException("shut down");
                    });
            registry.subscribe(heard, executor);
            executor.shutdown();

            registerMany("w", 3);

            assertThat(refused).hasValue(1);
            assertThat(heard.events()).isEmpty();
        }

        /** Nothing refused it, so nothing told that it was lost. */
        @Test
        void thatEndsWithOurTaskInItsQueueIsNotWaitedFor() throws Exception {
            ExecutorService executor = Executors.newSingleThreadExecutor();
            CompletableFuture<Void> busy = new CompletableFuture<>();
            executor.execute(busy::join); // which no interrupt ends
            registry.subscribe(heard, executor);
            registry.register(loading("w"));

            assertThat(executor.shutdownNow()).hasSize(1);
            registry.updateState("w", IDLE); // it may have been taken out to be run by the hive itself
            busy.complete(null);
            assertThat(executor.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
            UnexpectedWarnings.expect("is dropped: its executor has ended with a task of ours; 3 events are lost");
            registry.remove("w");
        }

        @Test
        void thatRefusesForAMinuteIsGivenUp() {
            UnexpectedWarnings.expect("is dropped: its executor has refused every task since 2026-01-01T00:00:00Z");
            Later executor = new Later();
            executor.rejections = 1_000;
            registry.subscribe(heard, executor);

            registerMany("a", 150);
            time.advance(Duration.ofMinutes(1).minusNanos(1));
            registerMany("b", 150);
            assertThat(executor.rejections).as("asked each time").isEqualTo(700);
            time.advance(Duration.ofNanos(1));
            registerMany("c", 3);

            assertThat(executor.rejections).isEqualTo(699);
        }

        /** As often as fails to be for good, for any time, and then again: nothing is lost. */
        @Test
        void thatRefusesNowAndThenIsNotGivenUp() {
            Later executor = new Later();
            registry.subscribe(heard, executor);
            List<String> ids = new ArrayList<>();
            for (String round : List.of("a", "b", "c")) {
                executor.rejections = 99;
                for (int i = 0; i < 100; i++) {
                    time.advance(Duration.ofHours(1));
                    ids.addAll(registerMany(round + i + "-", 1));
                }
                executor.runAll();
            }

            assertThat(ids(heard.events())).isEqualTo(ids);
        }

        /** Each event wrote a warning to the log, for ever. */
        @Test
        void thatFailsForAMinuteIsGivenUpToo() {
            UnexpectedWarnings.expect("executor of", "is dropped: its executor has refused every task");
            AtomicInteger asked = new AtomicInteger();
            registry.subscribe(heard, task -> {
                asked.incrementAndGet();
                throw new IllegalStateException("no thread left");
            });

            registerMany("a", 99);
            time.advance(Duration.ofMinutes(1));
            registerMany("b", 10);

            assertThat(asked).hasValue(100);
        }

        @Test
        void whoseShutdownCannotBeAskedIsKept() {
            UnexpectedWarnings.expect("executor of");
            ExecutorService broken = (ExecutorService) Proxy.newProxyInstance(
                    getClass().getClassLoader(), new Class<?>[] {ExecutorService.class}, (proxy, method, args) -> {
                        throw new UnsupportedOperationException(method.getName());
                    });
            registry.subscribe(heard, broken);

            assertThat(registerMany("w", 2)).hasSize(2);
        }

        @Test
        void thatRunsTasksOnTheSpotDeliversBeforeTheCallReturns() {
            registry.subscribe(heard, Runnable::run);
            registry.register(worker("w").startedAt(START).build());

            assertThat(ids(heard.events())).containsExactly("w");
        }
    }
}
