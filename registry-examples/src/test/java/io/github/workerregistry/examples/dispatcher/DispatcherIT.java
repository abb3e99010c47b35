package io.github.workerregistry.examples.dispatcher;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotSelection;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.examples.ExpectWarnings;
import io.github.workerregistry.examples.demo.DemoWorker;
import io.github.workerregistry.examples.dispatcher.Dispatcher.Counts;
import io.github.workerregistry.examples.hive.FreePorts;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.lifecycle.PortPool;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The dispatcher with two real workers that are killed during requests. */
@ExpectWarnings("has ended: CRASHED")
class DispatcherIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);
    private static final int SLOTS = 10;

    private final ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(2);
    private final ExecutorService callers = Executors.newCachedThreadPool();
    private final HttpClient client = HttpClient.newHttpClient();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().slotSelection(SlotSelection.SPREAD).build();
    private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
            .healthProbe(HttpHealthProbe.at("/v1/health"))
            .ports(ports())
            .restartPolicy(RestartPolicy.builder()
                    .initial(Duration.ofMillis(100))
                    .max(Duration.ofMillis(100))
                    .limit(20)
                    .build())
            .build();

    private static PortPool ports() {
        String[] range = FreePorts.range(20).split("-", 2);
        return PortPool.of(Integer.parseInt(range[0]), Integer.parseInt(range[1]));
    }

    @BeforeEach
    void startTwoWorkers() {
        List<String> command = new ArrayList<>(DemoWorker.command());
        command.removeIf(argument -> argument.contains("callback") || argument.contains("heartbeat"));
        command.addAll(List.of("--load-time=10ms", "--tokens=6", "--token-delay=100ms"));
        for (int i = 0; i < 2; i++) {
            supervisor.spawn(WorkerSpec.builder()
                    .modelRef("demo")
                    .slots(SLOTS)
                    .command(command)
                    .build());
        }
    }

    @AfterEach
    void end() throws Exception {
        supervisor.close();
        callers.shutdownNow();
        assertThat(callers.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
        scheduler.shutdown();
        assertThat(scheduler.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
    }

    private void awaitBothIdle() {
        await().atMost(PATIENCE)
                .until(() -> registry.list().size() == 2
                        && registry.list().stream().allMatch(worker -> worker.state() instanceof Idle));
    }

    /** Sends a request, and runs an action after the first word of the answer. */
    private String stream(SlotLease slot, String prompt, Runnable afterTheFirstWord) throws IOException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(slot.url() + "/v1/execute"))
                .POST(BodyPublishers.ofString("{\"prompt\": \"" + prompt + "\"}"))
                .build();
        HttpResponse<InputStream> response;
        try {
            response = client.send(request, BodyHandlers.ofInputStream());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted", e);
        }
        StringBuilder answer = new StringBuilder();
        try (BufferedReader lines = new BufferedReader(new InputStreamReader(response.body(), UTF_8))) {
            answer.append(lines.readLine());
            afterTheFirstWord.run();
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                answer.append(line);
            }
        }
        if (!answer.toString().contains("done")) {
            throw new IOException("the answer is not complete: " + answer);
        }
        return answer.toString();
    }

    private static void kill9(SlotLease slot) {
        try {
            int code = new ProcessBuilder(
                            "kill", "-9", Long.toString(slot.worker().pid().orElseThrow()))
                    .start()
                    .waitFor();
            assertThat(code).isZero();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /**
     * Regression: none of ten was answered. The connection broke before the exit was detected, and the failure was
     * attributed to the request.
     */
    @Test
    void requestsWhoseWorkerIsKilledAreAnsweredByTheOther() throws Exception {
        List<String> receivers = new ArrayList<>();
        boolean[] killed = new boolean[1];
        Dispatcher<String, String> dispatcher = new Dispatcher<>(
                registry,
                (slot, prompt) -> stream(slot, prompt, () -> {
                    receivers.add(slot.workerId());
                    if (!killed[0]) {
                        killed[0] = true;
                        kill9(slot);
                    }
                }),
                PATIENCE,
                2);
        for (int round = 0; round < 10; round++) {
            awaitBothIdle();
            receivers.clear();
            killed[0] = false;

            assertThat(dispatcher.dispatch("demo", "round " + round)).contains("round " + round, "done");

            assertThat(receivers).as("round %s", round).hasSize(2).doesNotHaveDuplicates();
        }
        assertThat(dispatcher.counts()).isEqualTo(new Counts(10, 10, 0));
    }

    @Test
    void concurrentRequestsAreAnsweredAlthoughAWorkerIsKilled() throws Exception {
        awaitBothIdle();
        CountDownLatch answering = new CountDownLatch(10);
        Set<String> victims = ConcurrentHashMap.newKeySet();
        Dispatcher<String, String> dispatcher = new Dispatcher<>(
                registry,
                (slot, prompt) -> stream(slot, prompt, () -> {
                    answering.countDown();
                    if (prompt.equals("kill")) {
                        awaitAll(answering);
                        if (victims.isEmpty()) {
                            victims.add(slot.workerId());
                            kill9(slot);
                        }
                    }
                }),
                PATIENCE,
                2);
        List<Future<String>> answers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            String prompt = i == 0 ? "kill" : "request " + i;
            answers.add(callers.submit(() -> dispatcher.dispatch("demo", prompt)));
        }

        for (Future<String> answer : answers) {
            assertThat(answer.get(PATIENCE.toSeconds(), TimeUnit.SECONDS)).contains("done");
        }
        assertThat(victims).hasSize(1);
        assertThat(dispatcher.counts().answered()).isEqualTo(10);
        assertThat(dispatcher.counts().retried()).isPositive();
    }

    private static void awaitAll(CountDownLatch latch) {
        try {
            assertThat(latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    /** A connection may break for other reasons. */
    @Test
    void requestThatFailsOnALiveWorkerIsNotSentAgainAndTheWorkerIsLeasedAgain() {
        awaitBothIdle();
        List<String> receivers = new ArrayList<>();
        Dispatcher<String, String> dispatcher = new Dispatcher<>(
                registry,
                (slot, prompt) -> {
                    receivers.add(slot.workerId());
                    throw new IOException("connection reset");
                },
                PATIENCE,
                2);

        assertThatThrownBy(() -> dispatcher.dispatch("demo", "hello")).hasMessage("connection reset");

        assertThat(receivers).hasSize(1);
        await().atMost(PATIENCE)
                .until(() -> registry.tryAcquireFrom(receivers.get(0)).isPresent());
        assertThat(supervisor.recentExits()).isEmpty();
    }
}
