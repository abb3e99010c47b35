package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerState.Busy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class ExitTest {

    private final VirtualHive hive = new VirtualHive();

    @Test
    void aCrashIsDetectedAtOnceWithCauseAndLastOutput() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", signal 9");
        String id = hive.spawnReady();
        hive.processes.print(id, "CUDA error: out of memory");
        SlotLease lease = hive.lease(id);

        hive.processes.exit(id, 137);

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(lease.isValid()).isFalse();
        Exit expected = new Exit(
                lease.incarnation(),
                "tiny",
                Exit.Cause.CRASHED,
                ExitStatus.unrequested(137),
                List.of("CUDA error: out of memory"),
                hive.time.instant());
        assertThat(hive.supervisor.recentExits()).containsExactly(expected);
        assertThat(hive.heard.historyOf(id)).containsExactly("Registered", "BecameReady", "Crashed", "Removed");
        List<WorkerEvent> events = hive.heard.eventsOf(id);
        assertThat(((WorkerEvent.Crashed) events.get(2)).exit()).isEqualTo(expected);
        assertThat(events.get(3)).isInstanceOfSatisfying(WorkerEvent.Removed.class, removed -> {
            assertThat(removed.exit()).hasValue(expected);
            assertThat(removed.worker().state()).isEqualTo(new Busy());
        });
    }

    @Test
    void anExitWithoutNotificationIsDetectedByTheNextTick() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", exit code 1");
        String id = hive.spawnReady();

        hive.processes.exitUnnoticed(id, 1);
        hive.advance(Duration.ofMillis(100));

        assertThat(hive.isRemoved(id)).isTrue();
    }

    @Test
    void aWorkerThatExitsWhileItLoadsIsRemovedWithItsCause() {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", exit code 2");
        String id = hive.spawnLoading();

        hive.processes.exit(id, 2);

        assertThat(hive.isRemoved(id)).isTrue();
        assertThat(hive.heard.historyOf(id)).containsExactly("Registered", "Crashed", "Removed");
    }

    @Test
    void exitCodeZeroIsNoCrash() {
        String id = hive.spawnReady();

        hive.processes.exit(id, 0);

        assertThat(hive.supervisor.recentExits().get(0).cause()).isEqualTo(Exit.Cause.EXITED);
        assertThat(hive.heard.historyOf(id)).containsExactly("Registered", "BecameReady", "Removed");
    }

    /** Regression: a null from foreign code kept the worker in the registry. */
    @Test
    void aWorkerWhoseOutputCannotBeReadIsRemoved() {
        UnexpectedWarnings.expect("its last output cannot be read", Warnings.CRASHED);
        for (Supplier<List<String>> broken :
                List.<Supplier<List<String>>>of(() -> null, () -> Arrays.asList("a", null), () -> {
                    throw new AssertionError("broken");
                })) {
            VirtualHive hive = new VirtualHive();
            BrokenOutput processes = new BrokenOutput(hive.processes, broken);
            WorkerSupervisor supervisor = WorkerSupervisor.builder(hive.registry, hive.time)
                    .processController(processes)
                    .restartPolicy(RestartPolicy.never())
                    .build();
            String id = supervisor.spawn(VirtualHive.SPEC).id();

            hive.processes.exit(id, 1);

            assertThat(hive.isRemoved(id)).isTrue();
            assertThat(supervisor.recentExits().get(0).output()).isEmpty();
        }
    }

    @Test
    void anExitIsInTheHistoryWhenItsEventArrives() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = hive.spawnReady();
        List<List<Exit>> seen = new ArrayList<>();
        hive.registry.subscribe(
                event -> {
                    if (event instanceof WorkerEvent.Crashed) {
                        seen.add(hive.supervisor.recentExits());
                    }
                },
                Runnable::run);

        hive.processes.exit(id, 1);

        assertThat(seen).hasSize(1);
        assertThat(seen.get(0))
                .singleElement()
                .satisfies(exit -> assertThat(exit.incarnation().workerId()).isEqualTo(id));
    }

    @Test
    void anExitNotifiedTwiceIsReportedOnce() {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = hive.spawnReady();

        hive.processes.exitUnnoticed(id, 1);
        hive.advance(Duration.ofMillis(100));
        hive.processes.exit(id, 1);
        hive.advanceSeconds(1);

        assertThat(hive.supervisor.recentExits()).hasSize(1);
        assertThat(hive.heard.historyOf(id)).containsOnlyOnce("Removed");
    }

    @Test
    void theLastHundredExitsAreKeptOldestFirst() {
        for (int i = 0; i < 105; i++) {
            hive.supervisor.spawn(WorkerSpec.builder()
                    .id("w" + i)
                    .modelRef("tiny")
                    .command("serve")
                    .url("http://fake")
                    .build());
            hive.processes.exit("w" + i, 0);
        }

        assertThat(hive.supervisor.recentExits())
                .hasSize(100)
                .extracting(Exit::workerId)
                .startsWith("w5", "w6")
                .endsWith("w104");
    }

    @Test
    void recentExitsContainTheExitWhenTheRemovalIsDelivered() {
        VirtualHive hive = new VirtualHive();
        hive.registry.subscribe(
                event -> {
                    if (event instanceof WorkerEvent.Removed removed) {
                        assertThat(Optional.of(hive.supervisor.recentExits().get(0)))
                                .isEqualTo(removed.exit());
                    }
                },
                Runnable::run);

        hive.processes.exit(hive.spawnReady(), 0);

        assertThat(hive.supervisor.recentExits()).hasSize(1);
    }
}
