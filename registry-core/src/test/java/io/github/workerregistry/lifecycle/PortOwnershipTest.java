package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.github.workerregistry.LoggedLines;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.ForwardingProcess;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Ownership of the listener that answers the health check of a loading worker. */
@ExtendWith(UnexpectedWarnings.class)
class PortOwnershipTest {

    private static final String FOREIGN_LISTENER = "is not ready: another process answers its health checks, on port";

    private static final String SLOW = Warnings.NOT_READY;

    @RegisterExtension
    private final LoggedLines logged = new LoggedLines();

    private final List<InetSocketAddress> asked = new ArrayList<>();
    private Function<InetSocketAddress, Optional<Boolean>> answer = address -> Optional.of(true);
    private VirtualHive hive;

    private WorkerProcess asking(WorkerProcess process) {
        return new ForwardingProcess(process) {
            @Override
            public Optional<Boolean> ownsListener(InetSocketAddress address) {
                asked.add(address);
                return answer.apply(address);
            }
        };
    }

    private void spawn(WorkerSpec.Builder spec) {
        PortPool ports = FreePorts.range(2);
        hive = new VirtualHive(builder -> builder.processController(started -> asking(hive.processes.start(started)))
                .ports(ports)
                .restartPolicy(RestartPolicy.builder().jitter(0).build()));
        hive.supervisor.spawn(spec.build());
    }

    private static WorkerSpec.Builder spec() {
        return WorkerSpec.builder().id("w1").modelRef("tiny").command("serve", "{port}");
    }

    private boolean isReady() {
        return hive.state("w1").equals(new Idle());
    }

    @Test
    void aWorkerThatOwnsItsListenerIsReadyAfterItsFirstPassedCheck() {
        spawn(spec());

        hive.advanceSeconds(1);

        assertThat(isReady()).isTrue();
        assertThat(asked)
                .singleElement()
                .satisfies(address -> assertThat(hive.worker("w1").url())
                        .isEqualTo("http:/" + address.getAddress() + ":" + address.getPort()));
        assertThat(logged.said(Level.INFO))
                .contains("worker w1 (tiny, generation 1) is ready: it answered its first health check");
    }

    /** Regression: requests of one hive went to the worker of another one. */
    @Test
    void aForeignServerKeepsAWorkerLoadingAndIsLoggedOnce() {
        UnexpectedWarnings.expect(FOREIGN_LISTENER, SLOW);
        answer = address -> Optional.of(false);
        spawn(spec());

        hive.advanceSeconds(60);

        assertThat(isReady()).isFalse();
        assertThat(hive.registry.tryAcquire("tiny")).isEmpty();
        assertThat(asked).hasSizeGreaterThan(10);
        assertThat(logged.said(Level.WARN))
                .satisfiesExactly(
                        first -> assertThat(first)
                                .contains(
                                        "worker w1",
                                        FOREIGN_LISTENER + " " + asked.get(0).getPort()),
                        slow -> assertThat(slow)
                                .isEqualTo("worker w1 (tiny, generation 1) " + SLOW
                                        + ": another process answers its health checks"));
    }

    @Test
    void aForeignServerIsLoggedForEachGeneration() {
        UnexpectedWarnings.expect(FOREIGN_LISTENER, SLOW, Warnings.CRASHED);
        answer = address -> Optional.of(false);
        spawn(spec());
        hive.advanceSeconds(10);

        hive.processes.exit("w1", 1);
        hive.advanceSeconds(10);

        assertThat(logged.said(Level.WARN))
                .filteredOn(line -> line.contains(FOREIGN_LISTENER))
                .hasSize(2);
    }

    /** It may have answered the probe, and closed before the ownership check. */
    @Test
    void theNextCheckCountsOnceTheForeignServerHasClosed() {
        UnexpectedWarnings.expect(FOREIGN_LISTENER, SLOW);
        answer = address -> Optional.of(false);
        spawn(spec());
        hive.advanceSeconds(10);
        answer = address -> Optional.of(true);
        int before = asked.size();

        while (asked.size() == before) {
            hive.advance(Duration.ofMillis(100));
        }
        assertThat(isReady()).isFalse();
        hive.advanceSeconds(2);

        assertThat(isReady()).isTrue();
        assertThat(asked).hasSize(before + 2);
    }

    @Test
    void withoutKnownOwnershipTheHealthCheckDecidesAndTheLogSaysSo() {
        answer = address -> Optional.empty();
        spawn(spec());

        hive.advanceSeconds(1);

        assertThat(isReady()).isTrue();
        assertThat(logged.said(Level.INFO))
                .anyMatch(line -> line.contains("worker w1 (tiny, generation 1) is ready")
                        && line.contains("cannot be determined"));
    }

    @ParameterizedTest
    @ValueSource(strings = {"http://gpu-1.invalid:80", "http://192.0.2.1:80", "grpc://127.0.0.1"})
    void theListenerOfAnotherHostIsNotChecked(String url) {
        spawn(spec().url(url));

        hive.advanceSeconds(1);

        assertThat(isReady()).isTrue();
        assertThat(asked).isEmpty();
        assertThat(logged.said(Level.INFO))
                .anyMatch(line -> line.contains("worker w1 (tiny, generation 1) is ready")
                        && line.contains("cannot be determined"));
    }

    /** A client may connect to either address. */
    @Test
    void localhostIsCheckedOnBothAddresses() {
        UnexpectedWarnings.expect(FOREIGN_LISTENER, SLOW);
        answer = address -> Optional.of(address.getAddress().getAddress().length == 4);
        spawn(spec().url("http://localhost:{port}"));
        hive.advanceSeconds(10);
        assertThat(isReady()).isFalse();

        answer = address -> address.getAddress().getAddress().length == 4 ? Optional.of(true) : Optional.empty();
        hive.advanceSeconds(3);

        assertThat(isReady()).isTrue();
    }

    @Test
    void aListenerOutsideTheTreeIsNotChecked() {
        answer = address -> Optional.of(false);
        spawn(spec().listenerOutsideTree());

        hive.advanceSeconds(1);

        assertThat(isReady()).isTrue();
        assertThat(asked).isEmpty();
        assertThat(logged.said(Level.INFO))
                .contains("worker w1 (tiny, generation 1) is ready: it answered its first health check");
    }

    @Test
    void aCallBackMakesAWorkerReadyDespiteAForeignServer() {
        UnexpectedWarnings.expect(FOREIGN_LISTENER, SLOW);
        answer = address -> Optional.of(false);
        spawn(spec());
        hive.advanceSeconds(10);

        assertThat(hive.supervisor.reportReady("w1")).isTrue();
        assertThat(isReady()).isTrue();
    }

    @Test
    void theListenerOfAReadyWorkerIsNotChecked() {
        spawn(spec());
        hive.advanceSeconds(1);
        answer = address -> Optional.of(false);
        int before = asked.size();

        hive.advance(Duration.ofMinutes(10));

        assertThat(isReady()).isTrue();
        assertThat(asked).hasSize(before);
    }

    /** For example, no file descriptor is free. */
    @Test
    void aFailedOwnershipCheckIsRepeatedAfterTheNextHealthCheck() {
        answer = address -> {
            throw new IllegalStateException("no descriptor");
        };
        spawn(spec());
        hive.advanceSeconds(9);
        assertThat(isReady()).isFalse();
        assertThat(logged.said(Level.WARN)).isEmpty();

        answer = address -> Optional.of(true);
        hive.advanceSeconds(2);

        assertThat(isReady()).isTrue();
    }

    @Test
    void aNullResultIsAFailedOwnershipCheck() {
        answer = address -> null;
        spawn(spec());

        hive.advanceSeconds(9);

        assertThat(isReady()).isFalse();
    }

    /** The check runs during the evaluation of an answer, and may take long. */
    @Test
    void anOwnershipCheckOvertakenByARestartMakesNoWorkerReady() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        List<WorkerInfo> afterwards = new ArrayList<>();
        answer = address -> {
            answer = later -> Optional.of(false);
            hive.processes.exit("w1", 1);
            hive.supervisor.restart("w1");
            afterwards.add(hive.worker("w1"));
            return Optional.of(true);
        };
        spawn(spec());

        while (afterwards.isEmpty()) {
            hive.advance(Duration.ofMillis(100));
        }

        assertThat(hive.worker("w1").generation()).isEqualTo(2);
        assertThat(isReady()).isFalse();
    }

    @Test
    void theListenerOfARegisteredWorkerIsNotChecked() {
        spawn(spec());
        hive.registry.register(WorkerInfo.builder()
                .id("own")
                .url("http://127.0.0.1:9")
                .modelRef("tiny")
                .startedAt(hive.time.instant())
                .build());
        hive.advanceSeconds(1);

        assertThat(hive.state("own")).isEqualTo(new Idle());
        assertThat(asked).hasSize(1);
    }
}
