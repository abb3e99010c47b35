package io.github.workerregistry.examples.eventloop;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.RegistryStats;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.vertx.core.Context;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.PoolOptions;
import io.vertx.core.http.RequestOptions;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/**
 * A hive on one Vert.x event loop: 10,000 requests over HTTP to two workers with four slots each. The library never
 * blocks the event loop: its calls take less than a millisecond of CPU time, and none waits for a lock.
 */
class EventLoopHiveIT {

    private static final int REQUESTS = 10_000;
    private static final int WARM_UP = 1_000;
    private static final int SLOTS = 4;
    private static final long MILLISECOND = TimeUnit.MILLISECONDS.toNanos(1);
    private static final SlotRequest REQUEST = SlotRequest.forModel("demo");

    private final Vertx vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(2));
    private final Context eventLoop = vertx.getOrCreateContext();
    private final HttpClient client = vertx.createHttpClient(new PoolOptions().setHttp1MaxSize(2 * SLOTS));
    private final WorkerRegistry registry =
            WorkerRegistry.builder().waitQueueCapacity(REQUESTS).build();

    private final CompletableFuture<Void> done = new CompletableFuture<>();

    // used by the event loop only
    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    private int answered;
    private int inFlight;
    private int mostInFlight;
    private int longCalls;
    private long waits;

    @AfterEach
    void close() throws Exception {
        vertx.close().toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
    }

    private void startWorker(String id) throws Exception {
        HttpServer server = vertx.createHttpServer()
                .requestHandler(request -> request.body()
                        .onSuccess(body -> request.response()
                                .end(Buffer.buffer("answer to ").appendBuffer(body))))
                .listen(0, "127.0.0.1")
                .toCompletionStage()
                .toCompletableFuture()
                .get(60, TimeUnit.SECONDS);
        registry.register(WorkerInfo.builder()
                .id(id)
                .url("http://127.0.0.1:" + server.actualPort())
                .modelRef("demo")
                .slotsTotal(SLOTS)
                .state(new Idle())
                .build());
    }

    private CompletableFuture<String> send(String url, String prompt) {
        mostInFlight = Math.max(mostInFlight, ++inFlight);
        CompletableFuture<String> answer = new CompletableFuture<>();
        client.request(new RequestOptions().setMethod(HttpMethod.POST).setAbsoluteURI(url))
                .compose(request -> request.send(prompt))
                .compose(HttpClientResponse::body)
                .onComplete(body -> {
                    inFlight--;
                    measured(
                            () -> { // the slot is released in this call
                                if (body.succeeded()) {
                                    answer.complete(body.result().toString());
                                } else {
                                    answer.completeExceptionally(body.cause());
                                }
                            });
                });
        return answer;
    }

    private void request(int number) {
        measured(() -> registry.withSlot(
                        REQUEST,
                        Duration.ofMinutes(2),
                        this::onEventLoop,
                        slot -> send(slot.url(), "request " + number))
                .whenComplete((text, failure) -> answered(number, text, failure)));
    }

    private void onEventLoop(Runnable task) {
        eventLoop.runOnContext(ignored -> task.run());
    }

    private void answered(int number, String text, Throwable failure) {
        if (failure != null) {
            done.completeExceptionally(failure);
        } else if (!text.equals("answer to request " + number)) {
            done.completeExceptionally(new AssertionError(text));
        } else if (++answered == WARM_UP) {
            onEventLoop(this::requestTheOthers);
        } else if (answered == REQUESTS) {
            done.complete(null);
        }
    }

    /** After the first ones, which load classes. */
    private void requestTheOthers() {
        longCalls = 0;
        waits = 0;
        for (int i = WARM_UP; i < REQUESTS; i++) {
            request(i);
        }
    }

    /**
     * In CPU time: another process that takes the core for a while is none of the library's. A virtual machine that is
     * not run for a while is in it all the same, so a few calls may take longer.
     */
    private void measured(Runnable call) {
        long waitedBefore = waited();
        long before = threads.getCurrentThreadCpuTime();
        call.run();
        longCalls += threads.getCurrentThreadCpuTime() - before < MILLISECOND ? 0 : 1;
        waits += waited() - waitedBefore;
    }

    private long waited() {
        ThreadInfo self = threads.getThreadInfo(Thread.currentThread().getId());
        return self.getBlockedCount() + self.getWaitedCount();
    }

    @Test
    void thousandsOfRequestsAreServedFromOneEventLoopThatIsNeverBlocked() throws Exception {
        startWorker("w1");
        startWorker("w2");
        onEventLoop(() -> {
            for (int i = 0; i < WARM_UP; i++) {
                request(i);
            }
        });
        done.get(120, TimeUnit.SECONDS);

        assertThat(mostInFlight).isEqualTo(2 * SLOTS);
        assertThat(longCalls).as("calls of a millisecond or more").isLessThan(REQUESTS / 1_000);
        assertThat(waits).as("how often a call waited for a lock").isZero();
        RegistryStats stats = registry.stats();
        assertThat(stats.slotsInUse()).isZero();
        assertThat(stats.granted()).isEqualTo(REQUESTS - 4 * SLOTS); // both times the first eight did not wait
    }
}
