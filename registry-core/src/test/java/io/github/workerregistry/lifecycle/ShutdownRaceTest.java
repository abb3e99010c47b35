package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.testing.ForwardingProcess;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** A shutdown that begins in the middle of an exit or meets starts that were held. */
@ExtendWith(UnexpectedWarnings.class)
class ShutdownRaceTest {

    private static final Duration DEADLINE = Duration.ofSeconds(5);

    private final OnePort onePort = new OnePort();

    /** The held starts run while the shutdown signals another worker. */
    @Test
    void startsDuringAShutdownAreStoppedByIt() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        List<Runnable> held = new ArrayList<>();
        VirtualHive holding = onePort.hive((self, builder) -> builder.blockingExecutor(held::add)
                .processController(spec -> new ForwardingProcess(self.processes.start(spec)) {
                    @Override
                    public void terminate() {
                        List<Runnable> starts = List.copyOf(held);
                        held.clear();
                        starts.forEach(Runnable::run);
                        super.terminate();
                    }
                }));
        holding.spawnReady("a"); // the first that the shutdown stops
        List<String> ids = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            ids.add(holding.spawnReady());
        }
        ids.forEach(id -> holding.processes.exit(id, 1));
        holding.advanceSeconds(1);

        CompletableFuture<ShutdownReport> report = holding.shutdown(DEADLINE);
        holding.advanceSeconds(60);

        assertThat(holding.processes.starts()).as("four and then three").isEqualTo(7);
        assertThat(report).isCompletedWithValue(new ShutdownReport(4, 0, 4, 0, 0));
        assertThat(holding.registry.list()).isEmpty();
        assertThat(holding.processes.running()).isEmpty();
    }

    /**
     * Regression: the shutdown did not wait for a worker that was no longer supervised, but whose record was not yet
     * removed.
     */
    @Test
    void aShutdownWaitsForAnExitInProgress() throws InterruptedException {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        PortPool ports = PortPool.of(20_000, 20_100);
        VirtualHive hive = onePort.hive(
                builder -> builder.restartPolicy(RestartPolicy.never()).ports(ports));
        String id = hive.supervisor
                .spawn(WorkerSpec.builder()
                        .modelRef("tiny")
                        .command("serve", "{port}")
                        .build())
                .id();
        CompletableFuture<ShutdownReport> report;
        Thread exit = new Thread(() -> hive.processes.exit(id, 1));

        synchronized (ports) { // it is no longer supervised when it releases its port
            exit.start();
            await().until(() -> exit.getState() == Thread.State.BLOCKED);
            report = hive.shutdown(DEADLINE);
            assertThat(report).isNotDone();
        }

        exit.join();
        assertThat(report).isCompletedWithValue(new ShutdownReport(0, 0, 0, 0, 0));
        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.processes.running()).isEmpty();
    }
}
