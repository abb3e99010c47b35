package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.RegistryStats;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.lifecycle.ModelCheckedHive.Lease;
import io.github.workerregistry.lifecycle.ModelCheckedHive.PendingStop;
import java.util.Comparator;
import java.util.List;

/** Compares everything that is observable of a {@link ModelCheckedHive} with its models. */
final class ModelComparison {

    private final ModelCheckedHive hive;

    ModelComparison(ModelCheckedHive hive) {
        this.hive = hive;
    }

    void compare() {
        hive.models.values().forEach(WorkerModel::requireAllReceived);
        compareRecords();
        compareProcesses();
        compareLeases();
        comparePendingStops();
        compareStats();
        compareExits();
    }

    private void compareRecords() {
        List<String> members = hive.models.values().stream()
                .filter(WorkerModel::hasRecord)
                .map(ModelComparison::text)
                .toList();
        assertThat(hive.registry.list()).extracting(ModelComparison::text).containsExactlyInAnyOrderElementsOf(members);
    }

    private static String text(WorkerInfo worker) {
        return worker.id() + " #" + worker.generation() + " " + worker.state().label() + " " + worker.slotsInUse()
                + (worker.pid().isPresent() ? " with a process" : "");
    }

    private static String text(WorkerModel model) {
        return model.id + " #" + model.generation + " " + model.state() + " " + model.leases
                + (model.process().isRunning() ? " with a process" : "");
    }

    private void compareProcesses() {
        assertThat(hive.processes.running())
                .containsExactlyInAnyOrderElementsOf(hive.models.values().stream()
                        .filter(model -> model.process().isAlive())
                        .map(model -> model.id)
                        .toList());
    }

    private void compareLeases() {
        for (Lease lease : hive.leases) {
            assertThat(lease.lease().isValid()).isEqualTo(lease.mustBeValid());
        }
    }

    private void comparePendingStops() {
        for (PendingStop pending : hive.pendingStops) {
            assertThat(pending.stage().isDone())
                    .as("the end of %s", pending.model())
                    .isEqualTo(pending.model().isOver(pending.generation())
                            || pending.model().isUnkillable(pending.attempt()));
        }
    }

    private void compareStats() {
        RegistryStats stats = hive.registry.stats();
        assertThat(stats.workers()).isEqualTo(hive.registry.list().size());
        assertThat(List.of(stats.loading(), stats.idle(), stats.busy(), stats.backingOff(), stats.stopping()))
                .isEqualTo(List.of(
                        count("loading"), count("idle"), count("busy"), count("backing_off"), count("stopping")));
        assertThat(stats.registered()).isEqualTo(received(WorkerEvent.Registered.class));
        assertThat(stats.becameReady()).isEqualTo(received(WorkerEvent.BecameReady.class));
        assertThat(stats.crashed()).isEqualTo(received(WorkerEvent.Crashed.class));
        assertThat(stats.restarted()).isEqualTo(received(WorkerEvent.Restarted.class));
    }

    private long received(Class<? extends WorkerEvent> event) {
        return hive.received.getOrDefault(event, 0L);
    }

    private int count(String state) {
        return (int) hive.models.values().stream()
                .filter(model -> model.state().equals(state))
                .count();
    }

    /** In order for each worker; exits of several workers at one instant have no order. */
    private void compareExits() {
        assertThat(byWorker(hive.supervisor.recentExits())).isEqualTo(byWorker(hive.exits));
    }

    private static List<Exit> byWorker(List<Exit> exits) {
        return exits.stream()
                .map(ModelComparison::comparable)
                .sorted(Comparator.comparing(Exit::workerId))
                .toList();
    }

    /** The output of a failed start depends on the controller. */
    private static Exit comparable(Exit exit) {
        boolean started = exit.status().code().orElse(0) != 127;
        return new Exit(
                exit.incarnation(),
                exit.modelRef(),
                exit.cause(),
                exit.status(),
                started ? exit.output() : List.of(),
                exit.at());
    }
}
