package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.util.function.BiFunction;
import java.util.function.UnaryOperator;

/** Hives with one port and restarts without jitter. Asserts that a removed worker leaves no record, process or port. */
final class OnePort {

    /** A worker that needs the port. */
    static final WorkerSpec SPEC = WorkerSpec.builder()
            .modelRef("tiny")
            .command("serve", "{port}")
            .slots(2)
            .build();

    final PortPool ports = FreePorts.range(1);

    VirtualHive hive() {
        return hive(UnaryOperator.identity());
    }

    VirtualHive hive(UnaryOperator<WorkerSupervisor.Builder> settings) {
        return hive((self, builder) -> settings.apply(builder));
    }

    VirtualHive hive(BiFunction<VirtualHive, WorkerSupervisor.Builder, WorkerSupervisor.Builder> settings) {
        return new VirtualHive((self, builder) -> settings.apply(
                self,
                builder.restartPolicy(RestartPolicy.builder().jitter(0).build()).ports(ports)));
    }

    static WorkerSpec withId(String id) {
        return WorkerSpec.builder()
                .id(id)
                .modelRef("tiny")
                .command("serve", "{port}")
                .build();
    }

    static String spawnReady(VirtualHive hive) {
        String id = hive.supervisor.spawn(SPEC).id();
        hive.supervisor.reportReady(id);
        return id;
    }

    /** Spawns a worker that crashes and backs off for a second. */
    static String spawnCrashed(VirtualHive hive) {
        UnexpectedWarnings.expect(Warnings.CRASHED);
        String id = spawnReady(hive);
        hive.processes.exit(id, 1);
        return id;
    }

    void assertNothingLeft(VirtualHive hive, String id) {
        assertThat(hive.isRemoved(id)).as("no record").isTrue();
        assertNoProcessAndNoPort(hive);
    }

    void assertNoProcessAndNoPort(VirtualHive hive) {
        assertThat(hive.processes.running()).as("no process").isEmpty();
        assertPortIsFree();
    }

    void assertPortIsFree() {
        assertThat(ports.acquire()).as("the port is free").isPositive();
    }
}
