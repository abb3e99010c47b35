package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A service manager stops a hive and signals all its processes: workers that exit by the signal have not crashed. */
@ExtendWith(UnexpectedWarnings.class)
class SignalledWithHiveTest {

    private static final Duration DEADLINE = Duration.ofSeconds(20);

    private final VirtualHive hive = new VirtualHive();

    /** With the hook, an exit by SIGTERM waits 200 ms for a shutdown. */
    private final VirtualHive hooked = new VirtualHive(builder -> builder.shutdownHook(DEADLINE));

    @AfterEach
    void removeTheHook() {
        hooked.supervisor.closeNow();
    }

    /** As by a service manager that signals all processes of a hive. */
    @ParameterizedTest
    @ValueSource(ints = {130, 143})
    void aWorkerSignalledWithTheHiveHasNotCrashed(int code) {
        String busy = hive.spawnReady();
        SlotLease lease = hive.lease(busy);
        hive.supervisor.shutdown(DEADLINE);

        hive.processes.exit(busy, code);

        assertThat(lease.isValid()).isFalse();
        assertThat(hive.supervisor.recentExits()).singleElement().satisfies(exit -> {
            assertThat(exit.cause()).isEqualTo(Exit.Cause.SHUTDOWN);
            assertThat(exit.status()).isEqualTo(ExitStatus.unrequested(code));
        });
    }

    /** With the hook, such an exit waits for a shutdown that may begin. */
    @Test
    void aWorkerSignalledShortlyBeforeTheHiveHasNotCrashed() {
        String id = hooked.spawnReady();

        hooked.processes.exit(id, 143);
        hooked.advance(Duration.ofMillis(100));
        assertThat(hooked.supervisor.recentExits()).isEmpty();
        CompletableFuture<ShutdownReport> report = hooked.shutdown(DEADLINE);
        hooked.advance(Duration.ofMillis(100));

        assertThat(report).isCompletedWithValue(new ShutdownReport(1, 0, 1, 0, 0));
        assertThat(hooked.supervisor.recentExits()).extracting(Exit::cause).containsExactly(Exit.Cause.SHUTDOWN);
    }

    /** Regression: its slots were leased until the exit was reported, 200 ms later. */
    @Test
    void aWorkerWhoseExitWaitsForAShutdownIsNotLeased() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", signal 15");
        String id = hooked.spawnReady();

        hooked.processes.exit(id, 143);

        assertThat(hooked.registry.tryAcquire("tiny")).isEmpty();
        assertThat(hooked.registry.tryAcquireFrom(id)).isEmpty();
        hooked.advance(Duration.ofMillis(300));
        assertThat(hooked.isRemoved(id)).isTrue();
    }

    @Test
    void aWorkerSignalledAloneHasCrashed() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", signal 15");
        String id = hooked.spawnReady();

        hooked.processes.exit(id, 143);
        hooked.advance(Duration.ofMillis(300));

        assertThat(hooked.isRemoved(id)).isTrue();
    }

    @Test
    void aWorkerThatExitsByAnotherSignalHasCrashed() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", signal 11");
        String busy = hive.spawnReady();
        hive.lease(busy);
        hive.supervisor.shutdown(DEADLINE);

        hive.processes.exit(busy, 139);

        assertThat(hive.supervisor.recentExits()).extracting(Exit::cause).containsExactly(Exit.Cause.CRASHED);
    }
}
