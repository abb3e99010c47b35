package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.FailedStage.failureOf;
import static io.github.workerregistry.lifecycle.RealHive.PATIENCE;
import static io.github.workerregistry.lifecycle.RealHive.eventually;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.process.ChildJvm;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Real HTTP servers are replaced while callers send them requests: no request fails and none is cut off. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class ReplaceIT {

    private static final int CALLERS = 3;

    @RegisterExtension
    final RealHive hive = new RealHive();

    private final PortPool ports = FreePorts.range(2);
    private final WorkerSupervisor supervisor =
            hive.supervise(builder -> builder.ports(ports).restartPolicy(RealHive.restarts(Duration.ofMillis(100), 5)));
    private final HttpClient client = HttpClient.newHttpClient();
    private final ExecutorService callers = Executors.newFixedThreadPool(CALLERS);
    private final AtomicBoolean done = new AtomicBoolean();
    private final AtomicInteger answered = new AtomicInteger();
    private final Set<String> revisions = ConcurrentHashMap.newKeySet();

    @AfterEach
    void endCallers() throws InterruptedException {
        done.set(true);
        callers.shutdown();
        assertThat(callers.awaitTermination(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
    }

    private static WorkerSpec spec(String revision) {
        return WorkerSpec.builder()
                .modelRef("tiny")
                .command(ChildJvm.command(SlowHttpServerMain.class, "{port}", revision))
                .slots(CALLERS)
                .build();
    }

    private WorkerInfo spawnReady() {
        String id = supervisor.spawn(spec("first")).id();
        return join(supervisor.whenReady(id).toCompletableFuture());
    }

    private static <T> T join(CompletableFuture<T> stage) {
        return stage.orTimeout(PATIENCE.toSeconds(), TimeUnit.SECONDS).join();
    }

    private List<Future<?>> sendRequests() {
        List<Future<?>> calls = new ArrayList<>();
        for (int i = 0; i < CALLERS; i++) {
            calls.add(callers.submit(() -> {
                while (!done.get()) {
                    revisions.add(request());
                    answered.incrementAndGet();
                }
            }));
        }
        return calls;
    }

    private String request() {
        try (SlotLease lease = hive.registry.acquire("tiny", PATIENCE)) {
            HttpRequest request =
                    HttpRequest.newBuilder(URI.create(lease.url() + "/work")).build();
            HttpResponse<String> response = client.send(request, HttpResponse.BodyHandlers.ofString());
            assertThat(response.statusCode()).isEqualTo(200);
            assertThat(lease.isValid()).isTrue();
            return response.body();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        }
    }

    private void awaitAnswerOf(String revision) {
        revisions.clear();
        eventually().until(() -> revisions.contains(revision));
    }

    private void endRequests(List<Future<?>> calls) throws Exception {
        done.set(true);
        for (Future<?> call : calls) {
            call.get(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        }
        assertThat(answered.get()).isPositive();
    }

    @Test
    void noRequestFailsWhileAServerIsReplacedByAnother() throws Exception {
        WorkerInfo first = spawnReady();
        List<Future<?>> calls = sendRequests();
        awaitAnswerOf("first");

        WorkerInfo second = join(supervisor.replace(first.id(), spec("second")).toCompletableFuture());

        awaitAnswerOf("second");
        hive.awaitRemoved(first);
        WorkerInfo third = join(supervisor.replace(second.id(), spec("third")).toCompletableFuture());
        hive.awaitRemoved(second);
        awaitAnswerOf("third");
        assertThat(revisions).doesNotContain("first");
        endRequests(calls);
        assertThat(hive.registry.list()).extracting(WorkerInfo::id).containsExactly(third.id());
        assertThat(supervisor.recentExits()).extracting(Exit::cause).containsOnly(Exit.Cause.REPLACED);
        assertThat(RealHive.isRunning(first)).isFalse();
    }

    @Test
    void noRequestFailsWhileAServerIsReplacedInPlace() throws Exception {
        WorkerInfo first = spawnReady();
        List<Future<?>> calls = sendRequests();
        awaitAnswerOf("first");

        WorkerInfo second =
                join(supervisor.replaceInPlace(first.id(), spec("second")).toCompletableFuture());

        awaitAnswerOf("second");
        endRequests(calls);
        assertThat(second.id()).isEqualTo(first.id());
        assertThat(second.url()).isEqualTo(first.url());
        assertThat(second.pid()).isNotEqualTo(first.pid());
        assertThat(RealHive.isRunning(first)).isFalse();
    }

    @Test
    void noRequestFailsIfTheReplacementCannotServe() throws Exception {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        WorkerInfo first = spawnReady();
        List<Future<?>> calls = sendRequests();
        awaitAnswerOf("first");
        WorkerSpec broken = spec("second").toBuilder()
                .command("sh", "-c", "echo no memory on device 0, port {port}; exit 3")
                .build();

        CompletableFuture<WorkerInfo> replaced =
                supervisor.replace(first.id(), broken).toCompletableFuture();
        eventually().until(replaced::isDone);

        assertThat(failureOf(replaced))
                .isInstanceOf(WorkerEndedException.class)
                .hasMessageContaining("no memory on device 0");
        awaitAnswerOf("first");
        endRequests(calls);
        assertThat(hive.registry.list()).extracting(WorkerInfo::id).containsExactly(first.id());
    }
}
