package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.Exit;
import io.github.workerregistry.RegistryStats;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.lifecycle.HiveBesideItsModel.Lease;
import io.github.workerregistry.lifecycle.HiveBesideItsModel.Promise;
import java.util.Comparator;
import java.util.List;

/** Holds everything that can be seen of a {@link HiveBesideItsModel} against its models. */
final class HiveComparison {

    private final HiveBesideItsModel hive;

    HiveComparison(HiveBesideItsModel hive) {
        this.hive = hive;
    }

    void compare() {
        hive.lives.values().forEach(ModelledLife::requireAllTold);
        compareRecords();
        compareProcesses();
        compareLeases();
        comparePromises();
        compareStats();
        compareExits();
    }

    private void compareRecords() {
        List<String> members = hive.lives.values().stream()
                .filter(ModelledLife::hasRecord)
                .map(HiveComparison::text)
                .toList();
        assertThat(hive.registry.list()).extracting(HiveComparison::text).containsExactlyInAnyOrderElementsOf(members);
    }

    private static String text(WorkerInfo worker) {
        return worker.id() + " #" + worker.generation() + " " + worker.state().label() + " " + worker.slotsInUse()
                + (worker.pid().isPresent() ? " with a process" : "");
    }

    private static String text(ModelledLife life) {
        return life.id + " #" + life.generation + " " + life.state() + " " + life.leases
                + (life.process().isRunning() ? " with a process" : "");
    }

    private void compareProcesses() {
        assertThat(hive.processes.running())
                .containsExactlyInAnyOrderElementsOf(hive.lives.values().stream()
                        .filter(life -> life.process().isThere())
                        .map(life -> life.id)
                        .toList());
    }

    private void compareLeases() {
        for (Lease lease : hive.leases) {
            assertThat(lease.lease().isValid()).isEqualTo(lease.mustBeValid());
        }
    }

    private void comparePromises() {
        for (Promise promise : hive.promises) {
            assertThat(promise.gone().isDone())
                    .as("the end of %s", promise.life())
                    .isEqualTo(promise.life().isOver(promise.generation())
                            || promise.life().isGivenUp(promise.attempt()));
        }
    }

    private void compareStats() {
        RegistryStats stats = hive.registry.stats();
        assertThat(stats.workers()).isEqualTo(hive.registry.list().size());
        assertThat(List.of(stats.loading(), stats.idle(), stats.busy(), stats.backingOff(), stats.stopping()))
                .isEqualTo(List.of(
                        count("loading"), count("idle"), count("busy"), count("backing_off"), count("stopping")));
        assertThat(stats.registered()).isEqualTo(told(WorkerEvent.Registered.class));
        assertThat(stats.becameReady()).isEqualTo(told(WorkerEvent.BecameReady.class));
        assertThat(stats.crashed()).isEqualTo(told(WorkerEvent.Crashed.class));
        assertThat(stats.restarted()).isEqualTo(told(WorkerEvent.Restarted.class));
    }

    private long told(Class<? extends WorkerEvent> event) {
        return hive.told.getOrDefault(event, 0L);
    }

    private int count(String state) {
        return (int) hive.lives.values().stream()
                .filter(life -> life.state().equals(state))
                .count();
    }

    /** Of each worker in order; what happens to several at one moment has none. */
    private void compareExits() {
        assertThat(byWorker(hive.supervisor.recentExits())).isEqualTo(byWorker(hive.exits));
    }

    private static List<Exit> byWorker(List<Exit> exits) {
        return exits.stream()
                .map(HiveComparison::comparable)
                .sorted(Comparator.comparing(Exit::workerId))
                .toList();
    }

    /** What a failed start says is the controller's affair. */
    private static Exit comparable(Exit exit) {
        boolean started = exit.status().code() != 127;
        return new Exit(
                exit.workerId(),
                exit.modelRef(),
                exit.generation(),
                exit.cause(),
                exit.status(),
                started ? exit.output() : List.of(),
                exit.at());
    }
}
