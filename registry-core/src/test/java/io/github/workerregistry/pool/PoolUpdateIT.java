package io.github.workerregistry.pool;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.lifecycle.FreePorts;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.SlowHttpServerMain;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.process.ChildJvm;
import io.github.workerregistry.process.LocalProcessController;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Real HTTP servers whose command is edited while callers send them requests: each request is answered, beside the old
 * server and in its place.
 */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class PoolUpdateIT {

    private static final int CALLERS = 3;
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
    private final ExecutorService threads = Executors.newCachedThreadPool();
    private final WorkerRegistry registry = WorkerRegistry.create();
    private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
            .processController(LocalProcessController.builder().discardOutput().build())
            .blockingExecutor(threads)
            .healthProbe(HttpHealthProbe.at("/health"))
            .ports(FreePorts.range(4))
            .lifecycle(LifecycleConfig.builder().noIdleTimeout().build())
            .build();
    private final HttpClient client = HttpClient.newHttpClient();
    private final CountDownLatch end = new CountDownLatch(1);
    private final Queue<String> answers = new ConcurrentLinkedQueue<>();

    @AfterEach
    void close() {
        end.countDown();
        supervisor.close();
        List.of(threads, scheduler).forEach(ExecutorService::shutdownNow);
    }

    private static PoolConfig config(long units, String revision) {
        return PoolConfig.builder()
                .device("cpu", 0, units)
                .model(ModelSpec.builder("tiny")
                        .worker(WorkerSpec.builder()
                                .command(ChildJvm.command(SlowHttpServerMain.class, "{port}", revision))
                                .slots(CALLERS))
                        .build())
                .build();
    }

    private Void call(WorkerPool pool) throws Exception {
        while (end.getCount() > 0) {
            try (SlotLease lease = pool.acquire("tiny", PATIENCE)) {
                HttpRequest request = HttpRequest.newBuilder(URI.create(lease.url() + "/work"))
                        .build();
                HttpResponse<String> answer = client.send(request, HttpResponse.BodyHandlers.ofString());
                assertThat(answer.statusCode()).isEqualTo(200);
                assertThat(lease.isValid()).isTrue();
                answers.add(answer.body());
            }
        }
        return null;
    }

    private void awaitAnswerOf(String revision) {
        await().atMost(PATIENCE).until(() -> answers.contains(revision));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void noRequestIsLostWhileTheCommandIsEdited(long units) throws Exception {
        UnexpectedWarnings.allow("is not ready after"); // real time: a busy machine may be slow
        WorkerPool pool = WorkerPool.builder(registry, supervisor)
                .config(config(units, "first"))
                .build();
        List<Future<Void>> calls = new ArrayList<>();
        for (int i = 0; i < CALLERS; i++) {
            calls.add(threads.submit(() -> call(pool)));
        }
        awaitAnswerOf("first");
        UpdateReport second = pool.update(config(units, "second"));
        second.completion().toCompletableFuture().get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        awaitAnswerOf("second");
        await().atMost(PATIENCE).until(() -> registry.list().size() == 1);
        pool.update(config(units, "third"))
                .completion()
                .toCompletableFuture()
                .get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        awaitAnswerOf("third");
        end.countDown();
        for (Future<Void> call : calls) {
            call.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }

        assertThat(units > 1 ? second.surge() : second.inPlace()).containsExactly("tiny");
        pool.close();
        await().atMost(PATIENCE).until(() -> registry.list().isEmpty());
    }
}
