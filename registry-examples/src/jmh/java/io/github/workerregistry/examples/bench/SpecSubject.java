package io.github.workerregistry.examples.bench;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerState;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantReadWriteLock;
import org.openjdk.jmh.infra.Blackhole;

/**
 * The design of the specification in Java: a hash map with one read-write lock. {@code find_idle_worker} scans the map
 * under the read lock; {@code update_state} to Busy and back to Idle takes the write lock and sets
 * {@code last_activity}, from which the original counts its idle timeout.
 *
 * <p>Two costs are omitted: it returns no copy of the record, and a worker that was acquired concurrently is detected
 * under the lock that is held anyway.
 */
final class SpecSubject implements Subject {

    private static final WorkerState IDLE = new Idle();
    private static final WorkerState BUSY = new Busy();

    /** In the order of registration, because the cost of a scan depends on the position of the free worker. */
    private final Map<String, Worker> workers = new LinkedHashMap<>();

    private final ReentrantReadWriteLock lock = new ReentrantReadWriteLock();

    SpecSubject(Workload workload) {
        for (int worker = 0; worker < workload.workers(); worker++) {
            String id = workload.id(worker);
            workers.put(
                    id,
                    new Worker(id, workload.model(workload.modelOf(worker)), workload.isFree(worker) ? IDLE : BUSY));
        }
    }

    @Override
    public Taker taker() {
        return this::takeAndGive;
    }

    private boolean takeAndGive(String model, Blackhole hole) {
        String id = findIdleWorker(model);
        if (id == null || !updateState(id, IDLE, BUSY)) {
            return false;
        }
        hole.consume(id);
        updateState(id, BUSY, IDLE);
        return true;
    }

    private String findIdleWorker(String model) {
        lock.readLock().lock();
        try {
            for (Worker worker : workers.values()) {
                if (worker.state instanceof Idle && worker.modelRef.equals(model)) {
                    return worker.id;
                }
            }
            return null;
        } finally {
            lock.readLock().unlock();
        }
    }

    private boolean updateState(String id, WorkerState from, WorkerState to) {
        lock.writeLock().lock();
        try {
            Worker worker = workers.get(id);
            boolean isThere = worker != null && worker.state.equals(from);
            if (isThere) {
                worker.state = to;
                worker.lastActivity = Instant.now();
            }
            return isThere;
        } finally {
            lock.writeLock().unlock();
        }
    }

    /** The relevant fields of a {@link WorkerInfo}; guarded by the lock. */
    private static final class Worker {
        final String id;
        final String modelRef;
        WorkerState state;

        @SuppressWarnings("UnusedVariable") // only its idle timeout would read it
        Instant lastActivity = Instant.now();

        Worker(String id, String modelRef, WorkerState state) {
            this.id = id;
            this.modelRef = modelRef;
            this.state = state;
        }
    }
}
