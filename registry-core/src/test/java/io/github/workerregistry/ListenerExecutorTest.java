package io.github.workerregistry;

import static io.github.workerregistry.SomeEvents.ids;
import static io.github.workerregistry.SomeEvents.registerMany;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.github.workerregistry.WorkerEvent.Overflowed;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Executors of listeners that reject tasks, fail or are shut down. */
@ExtendWith(UnexpectedWarnings.class)
class ListenerExecutorTest {

    /** The name of the listener in a message. */
    private static final String LISTENER = RecordingListener.class.getName();

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).eventQueueCapacity(100).build();
    private final RecordingListener heard = new RecordingListener();

    @Test
    void rejectedTaskDelaysEventsUntilTheNextEvent() {
        ManualExecutor executor = new ManualExecutor();
        executor.rejectNext(2);
        registry.subscribe(heard, executor);
        registerMany(registry, "w", 3);
        executor.runAll();

        assertThat(ids(heard.events())).containsExactly("w0", "w1", "w2");
    }

    /** Regression: with only the count of lost events pending, no later event was delivered. */
    @Test
    void rejectionWithOnlyAnOverflowPendingDoesNotEndTheDelivery() {
        WorkerRegistry batch = WorkerRegistry.builder().eventQueueCapacity(64).build();
        ManualExecutor executor = new ManualExecutor();
        batch.subscribe(heard, executor);
        for (int i = 0; i < 65; i++) {
            batch.register(loading("w" + i));
        }
        executor.rejectNext(1);
        executor.runAll();
        assertThat(ids(heard.events())).hasSize(64);

        batch.register(loading("next"));
        executor.runAll();
        assertThat(ids(heard.events())).hasSize(65).endsWith(new Overflowed(2).toString());

        batch.register(loading("after"));
        executor.runAll();
        assertThat(ids(heard.events())).endsWith("after");
    }

    /** Regression: the caller of the registry got the error, and no later event was delivered. */
    @Test
    void failureOfTheExecutorAffectsNeitherTheCallerNorTheDelivery() {
        UnexpectedWarnings.expect(ListenerQueue.class, Level.WARN, LISTENER);
        List<RuntimeException> failures = new ArrayList<>(List.of(new IllegalStateException("no thread left")));
        registry.subscribe(heard, task -> {
            if (!failures.isEmpty()) {
                throw failures.remove(0);
            }
            task.run();
        });

        List<String> ids = registerMany(registry, "w", 2);

        assertThat(ids(heard.events())).isEqualTo(ids);
    }

    /** Regression: its queue was retained and filled. */
    @Test
    void listenerIsDroppedWhenItsExecutorIsShutDown() {
        UnexpectedWarnings.expect(ListenerQueue.class, Level.WARN, LISTENER, " 1 events");
        AtomicInteger refused = new AtomicInteger();
        ExecutorService executor =
                new ThreadPoolExecutor(1, 1, 0, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), (task, pool) -> {
                    refused.incrementAndGet();
                    throw new RejectedExecutionException("shut down");
                });
        registry.subscribe(heard, executor);
        executor.shutdown();

        registerMany(registry, "w", 3);

        assertThat(refused).hasValue(1);
        assertThat(heard.events()).isEmpty();
    }

    /** Regression: no rejection reported the loss, and no warning was logged. */
    @Test
    void listenerIsDroppedWhenItsExecutorTerminatesWithTheTaskQueued() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        CompletableFuture<Void> busy = new CompletableFuture<>();
        executor.execute(busy::join); // ignores interrupts
        registry.subscribe(heard, executor);
        registry.register(loading("w"));

        assertThat(executor.shutdownNow()).hasSize(1);
        registry.updateState("w", IDLE); // the hive may still run the tasks that it drained
        busy.complete(null);
        assertThat(executor.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
        UnexpectedWarnings.expect(ListenerQueue.class, Level.WARN, LISTENER, " 3 events");
        registry.remove("w");
    }

    @Test
    void listenerIsDroppedAfterAMinuteOfRejections() {
        UnexpectedWarnings.expect(ListenerQueue.class, Level.WARN, LISTENER, START.toString());
        ManualExecutor executor = new ManualExecutor();
        executor.rejectNext(1_000);
        registry.subscribe(heard, executor);

        registerMany(registry, "a", 150);
        time.advance(Duration.ofMinutes(1).minusNanos(1));
        registerMany(registry, "b", 150);
        assertThat(executor.rejectionsLeft()).as("one task for each event").isEqualTo(700);
        time.advance(Duration.ofNanos(1));
        registerMany(registry, "c", 3);

        assertThat(executor.rejectionsLeft()).isEqualTo(699);
    }

    /** Almost as many rejections as drop a listener, repeatedly and over hours: no event is lost. */
    @Test
    void occasionalRejectionsDoNotDropTheListener() {
        ManualExecutor executor = new ManualExecutor();
        registry.subscribe(heard, executor);
        List<String> ids = new ArrayList<>();
        for (String prefix : List.of("a", "b", "c")) {
            executor.rejectNext(99);
            for (int i = 0; i < 100; i++) {
                time.advance(Duration.ofHours(1));
                ids.addAll(registerMany(registry, prefix + i + "-", 1));
            }
            executor.runAll();
        }

        assertThat(ids(heard.events())).isEqualTo(ids);
    }

    /** Regression: each event logged a warning, without an end. */
    @Test
    void listenerIsDroppedAfterAMinuteOfFailures() {
        UnexpectedWarnings.expect(ListenerQueue.class, Level.WARN, LISTENER, START.toString());
        AtomicInteger attempts = new AtomicInteger();
        registry.subscribe(heard, task -> {
            attempts.incrementAndGet();
            throw new IllegalStateException("no thread left");
        });

        registerMany(registry, "a", 99);
        time.advance(Duration.ofMinutes(1));
        registerMany(registry, "b", 10);

        assertThat(attempts).hasValue(100);
    }

    @Test
    void listenerIsKeptIfTheStateOfItsExecutorCannotBeRead() {
        UnexpectedWarnings.expect(ListenerQueue.class, Level.WARN, LISTENER);
        ExecutorService broken = (ExecutorService) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ExecutorService.class}, (proxy, method, args) -> {
                    throw new UnsupportedOperationException(method.getName());
                });
        registry.subscribe(heard, broken);

        assertThat(registerMany(registry, "w", 2)).hasSize(2);
    }

    @Test
    void directExecutorDeliversBeforeTheCallReturns() {
        registry.subscribe(heard, Runnable::run);
        registry.register(worker("w").startedAt(START).build());

        assertThat(ids(heard.events())).containsExactly("w");
    }
}
