package io.github.workerregistry;

import static io.github.workerregistry.SomeEvents.ids;
import static io.github.workerregistry.SomeEvents.registerMany;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.loading;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import ch.qos.logback.classic.Level;
import io.github.workerregistry.WorkerEvent.OfWorker;
import io.github.workerregistry.WorkerEvent.Registered;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Delivery of events to a listener. */
@ExtendWith(UnexpectedWarnings.class)
class WorkerListenerTest {

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).eventQueueCapacity(100).build();
    private final RecordingListener heard = new RecordingListener();

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    @Test
    void listenerReceivesEventsAfterItsSubscription() {
        registry.register(loading("before"));
        registry.subscribe(heard, Runnable::run);
        registry.register(loading("after"));

        assertThat(ids(heard.events())).containsExactly("after");
    }

    @Test
    void closedSubscriptionDeliversNothing() {
        ManualExecutor executor = new ManualExecutor();
        Subscription subscription = registry.subscribe(heard, executor);
        registerMany(registry, "delivered", 2);
        executor.runAll();
        registerMany(registry, "enqueued", 2);

        subscription.close();
        subscription.close();
        registerMany(registry, "late", 2);
        executor.runAll();

        assertThat(ids(heard.events())).containsExactly("delivered0", "delivered1");
        assertThat(executor.pendingTasks()).isZero();
    }

    @Test
    void closedSubscriptionDoesNotRetainItsListener() {
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
    void listenerMayCloseItsOwnSubscription() {
        List<Subscription> subscription = new ArrayList<>();
        ManualExecutor executor = new ManualExecutor();
        subscription.add(registry.subscribe(
                event -> {
                    heard.onEvent(event);
                    subscription.get(0).close();
                },
                executor));
        registerMany(registry, "w", 3);
        executor.runAll();

        assertThat(ids(heard.events())).containsExactly("w0");
    }

    @Test
    void exceptionOfAListenerIsLoggedAndTheNextEventIsDelivered() {
        UnexpectedWarnings.expect(ListenerQueue.class, Level.WARN, getClass().getName(), "worker w0", "worker w2");
        RecordingListener other = new RecordingListener();
        registry.subscribe(
                event -> {
                    heard.onEvent(event);
                    throw new IllegalStateException("failure of the listener");
                },
                Runnable::run);
        registry.subscribe(other, Runnable::run);

        List<String> ids = registerMany(registry, "w", 3);

        assertThat(ids(heard.events())).isEqualTo(ids);
        assertThat(ids(other.events())).isEqualTo(ids);
    }

    @Test
    void errorOfAListenerDoesNotReachTheCallerOfTheRegistry() {
        UnexpectedWarnings.expect(ListenerQueue.class, Level.WARN, "worker w0", "worker w1");
        registry.subscribe(
                event -> {
                    heard.onEvent(event);
                    throw new StackOverflowError("thrown by the test");
                },
                Runnable::run);

        assertThat(ids(heard.events())).isEqualTo(List.of());
        assertThat(registerMany(registry, "w", 2)).isEqualTo(ids(heard.events()));
    }

    /** Regression: the error of the log ended the delivery. */
    @Test
    void failureThatCannotBeLoggedDoesNotEndTheDelivery() {
        registry.subscribe(
                event -> {
                    heard.onEvent(event);
                    throw new OutOfMemoryError("thrown by the test");
                },
                Runnable::run);

        try (BrokenLog unused = new BrokenLog(ListenerQueue.class)) {
            assertThat(registerMany(registry, "w", 2)).isEqualTo(ids(heard.events()));
        }
    }

    @Test
    void listenerSubscribedTwiceReceivesEachEventTwice() {
        Subscription first = registry.subscribe(heard, Runnable::run);
        registry.subscribe(heard, Runnable::run);
        registry.register(loading("a"));
        first.close();
        registry.register(loading("b"));

        assertThat(ids(heard.events())).containsExactly("a", "a", "b");
    }

    @Test
    void eventsOfCallsFromAListenerAreDeliveredAfterwards() {
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

    /** With a lock held, the other thread would wait for ever. */
    @Test
    void listenerIsCalledWithoutALock() {
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
        registry.updateState("w", new WorkerState.Stopping(StopReason.IDLE_TIMEOUT));
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
                        "StopStarted",
                        "Removed",
                        "Registered",
                        "Removed");
    }

    @Test
    void blockedListenerDelaysNeitherTheRegistryNorOtherListeners() throws Exception {
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

            List<String> ids = registerMany(registry, "w", 50);
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
    void listenerOnManyThreadsIsCalledOneEventAtATimeAndInOrder() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(4);
        WorkerRegistry roomy =
                WorkerRegistry.builder().eventQueueCapacity(100_000).build();
        CountDownLatch all = new CountDownLatch(2_000);
        List<String> order = new ArrayList<>(); // deliberately not thread-safe
        try {
            roomy.subscribe(
                    event -> {
                        order.add(((OfWorker) event).worker().id());
                        all.countDown();
                    },
                    threads);
            List<String> ids = IntStream.range(0, 2_000).mapToObj(i -> "w" + i).toList();
            ids.forEach(id -> roomy.register(loading(id)));

            assertThat(all.await(30, TimeUnit.SECONDS)).isTrue();
            assertThat(order).isEqualTo(ids);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void deliveryYieldsASharedExecutorAfterEachBatch() {
        ManualExecutor shared = new ManualExecutor();
        registry.subscribe(heard, shared);
        registerMany(registry, "w", 90);
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
