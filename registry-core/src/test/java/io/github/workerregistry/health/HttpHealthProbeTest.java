package io.github.workerregistry.health;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import java.io.IOException;
import java.net.http.HttpClient;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(UnexpectedWarnings.class)
class HttpHealthProbeTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(20);
    private static final String OK = RawServer.status(200);

    private final HttpHealthProbe probe = HttpHealthProbe.at("/v1/health");

    @ParameterizedTest
    @ValueSource(ints = {200, 202, 204, 299})
    void every2xxIsHealthy(int code) {
        try (RawServer worker = RawServer.saying(RawServer.status(code))) {
            assertThat(ask(worker)).isEqualTo(HealthStatus.healthy());
            assertThat(worker.requests()).containsExactly("GET /v1/health HTTP/1.1");
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {300, 304, 400, 404, 429, 500, 503})
    void anyOtherStatusIsUnhealthyAndNamed(int code) {
        try (RawServer worker = RawServer.saying(RawServer.status(code))) {
            assertThat(ask(worker)).isEqualTo(HealthStatus.unhealthy("status " + code));
        }
    }

    @Test
    void refusedConnectionIsUnhealthy() {
        RawServer worker = RawServer.saying(OK);
        worker.close();
        assertThat(ask(worker)).isInstanceOf(HealthStatus.Unhealthy.class);
    }

    /** The client of JDK 17 does not close this connection; that of JDK 25 does. */
    @Test
    void invalidHttpIsUnhealthy() {
        try (RawServer worker = RawServer.saying("hello?\r\n\r\n")) {
            assertThat(ask(worker)).isInstanceOf(HealthStatus.Unhealthy.class);
        }
    }

    /** The JDK's exception contains the invalid status line, and the reason is logged. */
    @Test
    void textOfAWorkerIsSanitisedInTheReason() {
        try (RawServer worker = RawServer.saying("HTTP/1.1 \u001b[31mevil\r\n\r\n")) {
            assertThat(ask(worker))
                    .isInstanceOfSatisfying(
                            HealthStatus.Unhealthy.class,
                            unhealthy -> assertThat(unhealthy.reason())
                                    .contains("\\u001b[31mevil")
                                    .doesNotContainPattern("\\p{Cntrl}"));
        }
    }

    @Test
    void truncatedBodyIsUnhealthy() {
        try (RawServer worker = RawServer.saying("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")) {
            assertThat(ask(worker)).isInstanceOf(HealthStatus.Unhealthy.class);
        }
    }

    /**
     * The JDK's client completes an exchange in the common pool. Regression: all probes timed out while it was full.
     */
    @Test
    void answerIsReceivedWhileTheCommonPoolIsFull() {
        CountDownLatch release = new CountDownLatch(1);
        try (RawServer worker = RawServer.saying(OK)) {
            for (int i = 0; i < 64; i++) {
                ForkJoinPool.commonPool().execute(() -> awaitQuietly(release));
            }
            assertThat(probe.probe(worker(worker.url()), TIMEOUT).toCompletableFuture())
                    .succeedsWithin(TIMEOUT.dividedBy(2))
                    .isEqualTo(HealthStatus.healthy());
        } finally {
            release.countDown();
        }
    }

    @Test
    void timeoutIsUnhealthy() {
        try (RawServer worker = RawServer.silent()) {
            assertThat(probe.probe(worker(worker.url()), Duration.ofMillis(100)).toCompletableFuture())
                    .succeedsWithin(TIMEOUT)
                    .isInstanceOf(HealthStatus.Unhealthy.class);
        }
    }

    @Test
    void endlessBodyIsNotReadToItsEnd() {
        String block = "x".repeat(8192);
        AtomicBoolean hungUp = new AtomicBoolean();
        RawServer.Answer endless = (request, client) -> {
            RawServer.say(client, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            try {
                while (true) {
                    RawServer.say(client, block);
                }
            } finally {
                hungUp.set(true);
            }
        };
        try (RawServer worker = new RawServer(endless)) {
            assertThat(ask(worker)).isEqualTo(HealthStatus.healthy());
            await().atMost(TIMEOUT).untilTrue(hungUp);
        }
    }

    @Test
    void cancelledProbeClosesItsConnection() {
        AtomicBoolean hungUp = new AtomicBoolean();
        RawServer.Answer halfAnAnswer = (request, client) -> {
            RawServer.say(client, "HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n");
            try {
                hungUp.set(client.getInputStream().read() < 0);
            } catch (IOException reset) {
                hungUp.set(true);
            }
        };
        try (RawServer worker = new RawServer(halfAnAnswer)) {
            CompletableFuture<HealthStatus> answer =
                    probe.probe(worker(worker.url()), TIMEOUT).toCompletableFuture();
            await().atMost(TIMEOUT).until(() -> !worker.requests().isEmpty());
            answer.cancel(true);
            await().atMost(TIMEOUT).untilTrue(hungUp);
        }
    }

    @Test
    void redirectWithinTheWorkerIsFollowed() {
        RawServer.Answer moved = (request, client) -> RawServer.say(
                client, request.contains("/v1/health ") ? RawServer.status(307, "Location: /healthz") : OK);
        try (RawServer worker = new RawServer(moved)) {
            assertThat(ask(worker)).isEqualTo(HealthStatus.healthy());
            assertThat(worker.requests()).containsExactly("GET /v1/health HTTP/1.1", "GET /healthz HTTP/1.1");
        }
    }

    /** Scheme and host are case-insensitive. */
    @Test
    void redirectWithinTheWorkerIsFollowedWhateverTheCaseOfItsUrl() {
        RawServer.Answer moved = (request, client) -> RawServer.say(
                client,
                request.contains("/v1/health ")
                        ? RawServer.status(307, "Location: http://localhost:" + client.getLocalPort() + "/healthz")
                        : OK);
        try (RawServer worker = new RawServer(moved)) {
            String url = worker.url().replace("http://127.0.0.1", "HTTP://LOCALHOST");

            assertThat(probe.probe(worker(url), TIMEOUT).toCompletableFuture().join())
                    .isEqualTo(HealthStatus.healthy());
        }
    }

    @Test
    void redirectToAnotherServerIsNotFollowed() {
        try (RawServer elsewhere = RawServer.saying(OK);
                RawServer worker =
                        RawServer.saying(RawServer.status(302, "Location: " + elsewhere.url() + "/v1/health"))) {
            assertThat(ask(worker)).isEqualTo(HealthStatus.unhealthy("status 302"));
            assertThat(elsewhere.requests()).isEmpty();
        }
    }

    @Test
    void redirectLoopEnds() {
        try (RawServer worker = RawServer.saying(RawServer.status(302, "Location: /v1/health"))) {
            assertThat(ask(worker)).isEqualTo(HealthStatus.unhealthy("status 302"));
            assertThat(worker.requests()).hasSize(4);
        }
    }

    @Test
    void malformedRedirectIsUnhealthy() {
        try (RawServer worker = RawServer.saying(RawServer.status(302, "Location: http://["))) {
            assertThat(ask(worker)).isEqualTo(HealthStatus.unhealthy("status 302"));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"not a url", "ftp://127.0.0.1", "/relative", "http://"})
    void invalidUrlIsUnhealthyAndNotAnError(String url) {
        assertThat(probe.probe(worker(url), TIMEOUT).toCompletableFuture())
                .succeedsWithin(TIMEOUT)
                .isInstanceOf(HealthStatus.Unhealthy.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"health", "", "/a b", "/\n"})
    void invalidPathIsRejected(String path) {
        assertThatThrownBy(() -> HttpHealthProbe.at(path)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void clientThatFollowsRedirectsIsRejected() {
        HttpClient client = HttpClient.newBuilder()
                .followRedirects(HttpClient.Redirect.NORMAL)
                .build();
        assertThatThrownBy(() -> HttpHealthProbe.at("/", client))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("NORMAL");
    }

    private HealthStatus ask(RawServer worker) {
        return probe.probe(worker(worker.url()), TIMEOUT).toCompletableFuture().join();
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static WorkerInfo worker(String url) {
        return WorkerInfo.builder().id("w").url(url).modelRef("m").build();
    }
}
