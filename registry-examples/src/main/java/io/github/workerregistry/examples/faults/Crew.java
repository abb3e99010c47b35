package io.github.workerregistry.examples.faults;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.lifecycle.PortsExhaustedException;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.process.SpawnException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Keeps the number of workers up: whoever has gone for good is replaced. */
final class Crew implements Runnable {

    /** By this variable a process of the run is known after its end, whatever the library's own mark says. */
    static final String MARK = "FAULT_RUN";

    private final WorkerRegistry registry;
    private final WorkerSupervisor supervisor;
    private final Ledger ledger;
    private final Remarks remarks;
    private final String runId;
    private final List<String> beatingCommand;
    private final int workers;
    private int spawned;
    private int refused;

    Crew(
            WorkerRegistry registry,
            WorkerSupervisor supervisor,
            Ledger ledger,
            Remarks remarks,
            String runId,
            List<String> beatingCommand,
            int workers) {
        this.registry = registry;
        this.supervisor = supervisor;
        this.ledger = ledger;
        this.remarks = remarks;
        this.runId = runId;
        this.beatingCommand = beatingCommand;
        this.workers = workers;
    }

    /** Spawns whoever is missing. */
    @Override
    public void run() {
        List<WorkerInfo> there = registry.list();
        for (Purpose purpose : Purpose.values()) {
            for (long i = count(there, purpose); i < purpose.among(workers); i++) {
                spawn(purpose);
            }
        }
    }

    /** How many are missing or too many now: one that has just ended, or that only crashes, for a moment. */
    long off() {
        List<WorkerInfo> there = registry.list();
        return Arrays.stream(Purpose.values())
                .mapToLong(purpose -> Math.abs(purpose.among(workers) - count(there, purpose)))
                .sum();
    }

    private static long count(List<WorkerInfo> workers, Purpose purpose) {
        return workers.stream()
                .filter(worker -> worker.modelRef().equals(purpose.model()))
                .count();
    }

    /** Starts one that will only ever crash; false if it could not be started. */
    boolean spawnCrashing() {
        return spawn(Purpose.CRASH_LOOP);
    }

    private synchronized boolean spawn(Purpose purpose) {
        String id = purpose.name().toLowerCase(Locale.ROOT) + "-" + ++spawned;
        WorkerSpec.Builder spec = WorkerSpec.builder()
                .id(id)
                .modelRef(purpose.model())
                .slots(purpose.slots())
                .environment(MARK, runId);
        if (purpose == Purpose.CRASH_LOOP) {
            spec.command(FaultWorker.crashingCommand()).url("http://127.0.0.1:9"); // discard: nobody asks
        } else {
            spec.command(purpose == Purpose.BUSY ? beatingCommand : FaultWorker.command());
        }
        ledger.spawning(id, purpose);
        try {
            supervisor.spawn(spec.build());
            return true;
        } catch (SpawnException | PortsExhaustedException e) {
            ledger.notSpawned(id);
            refused++;
            remarks.add("cannot spawn " + id + ": " + e.getMessage());
            return false;
        } catch (IllegalStateException e) { // somebody has pressed Ctrl-C, and the supervisor is shutting down
            ledger.notSpawned(id);
            return false;
        }
    }

    /** How many workers were started, not counting restarts. */
    synchronized int spawned() {
        return spawned - refused;
    }

    synchronized int refused() {
        return refused;
    }
}
