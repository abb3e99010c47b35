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

/** Keeps the number of workers constant: replaces removed ones. */
final class Crew implements Runnable {

    /** The environment variable that identifies processes of the run, independent of the library's mark. */
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

    /** Spawns missing workers. */
    @Override
    public void run() {
        List<WorkerInfo> there = registry.list();
        for (Purpose purpose : Purpose.values()) {
            for (long i = count(there, purpose); i < purpose.among(workers); i++) {
                spawn(purpose);
            }
        }
    }

    /** Number of missing or surplus workers; temporarily nonzero after an exit. */
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

    /** Starts a worker; false if it could not be started. */
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
            spec.command(FaultWorker.crashingCommand()).url("http://127.0.0.1:9"); // the discard port, never probed
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
        } catch (IllegalStateException e) { // the supervisor is shutting down after Ctrl-C
            ledger.notSpawned(id);
            return false;
        }
    }

    /** Number of workers started, without restarts. */
    synchronized int spawned() {
        return spawned - refused;
    }

    synchronized int refused() {
        return refused;
    }
}
