package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.RawServer;
import java.net.http.HttpClient;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(UnexpectedWarnings.class)
class StopRequestTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private final HttpClient client = HttpClient.newHttpClient();

    @ParameterizedTest
    @CsvSource({"200, true", "202, true", "404, false", "500, false"})
    void a2xxStatusAcceptsTheRequestAndOthersDeclineIt(int status, boolean answer) {
        try (RawServer worker = RawServer.saying(RawServer.status(status))) {
            assertThat(StopRequest.post("/v1/admin/shutdown", client)
                            .ask(worker(worker))
                            .toCompletableFuture())
                    .succeedsWithin(TIMEOUT)
                    .isEqualTo(answer);
            assertThat(worker.requests()).containsExactly("POST /v1/admin/shutdown HTTP/1.1");
        }
    }

    @Test
    void aRefusedConnectionIsAFailure() {
        RawServer worker = RawServer.silent();
        worker.close();
        assertThat(StopRequest.post("/stop", client).ask(worker(worker)).toCompletableFuture())
                .failsWithin(TIMEOUT);
    }

    @Test
    void anInvalidPathIsRefused() {
        assertThatThrownBy(() -> StopRequest.post("stop", client))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("stop");
    }

    private static WorkerInfo worker(RawServer server) {
        return WorkerInfo.builder().id("w").url(server.url()).modelRef("m").build();
    }
}
