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
 * The design that the specification describes, in Java: a hash map under one read-write lock. {@code find_idle_worker}
 * walks through the map under the read lock, {@code update_state} to Busy and back to Idle takes the write lock, and
 * stamps {@code last_activity}, as the original does, whose idle timeout counts from that.
 *
 * <p>It is spared two things. It hands out no copy of the record that it has found; and one that somebody else has
 * taken since is noticed under the lock that is held anyway.
 */
final class SpecSubject implements Subject {

    private static final WorkerState IDLE = new Idle();
    private static final WorkerState BUSY = new Busy();

    /** In the order of registration, for what a scan costs depends on where the free worker is. */
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

    /** What matters of a {@link WorkerInfo}; guarded by the lock. */
    private static final class Worker {
        final String id;
        final String modelRef;
        WorkerState state;

        @SuppressWarnings("UnusedVariable") // by its idle timeout only
        Instant lastActivity = Instant.now();

        Worker(String id, String modelRef, WorkerState state) {
            this.id = id;
            this.modelRef = modelRef;
            this.state = state;
        }
    }
}
