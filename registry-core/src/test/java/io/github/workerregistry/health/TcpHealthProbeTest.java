package io.github.workerregistry.health;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import java.net.URI;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(UnexpectedWarnings.class)
class TcpHealthProbeTest {

    private static final Duration TIMEOUT = Duration.ofSeconds(20);

    private final TcpHealthProbe probe = TcpHealthProbe.create();

    @Test
    void openPortIsHealthy() {
        try (RawServer worker = RawServer.silent()) {
            assertThat(ask(worker.url())).isEqualTo(HealthStatus.healthy());
        }
    }

    @Test
    void closedPortIsUnhealthy() {
        RawServer worker = RawServer.silent();
        worker.close();
        assertThat(ask(worker.url())).isInstanceOf(HealthStatus.Unhealthy.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"not a url", "no-host", "http://127.0.0.1:99999", "http://host.invalid:80"})
    void unreachableUrlIsUnhealthyAndNotAnError(String url) {
        assertThat(ask(url)).isInstanceOf(HealthStatus.Unhealthy.class);
    }

    /** Regression: a worker at HTTPS://… was probed at port 80. */
    @ParameterizedTest
    @CsvSource({"http://h,80", "HTTPS://h,443", "https://h,443", "https://h:8443,8443", "http://[::1],80"})
    void urlWithoutAPortUsesThatOfItsScheme(URI url, int port) {
        assertThat(TcpHealthProbe.port(url)).isEqualTo(port);
    }

    private HealthStatus ask(String url) {
        WorkerInfo worker = WorkerInfo.builder().id("w").url(url).modelRef("m").build();
        return probe.probe(worker, TIMEOUT).toCompletableFuture().join();
    }
}
