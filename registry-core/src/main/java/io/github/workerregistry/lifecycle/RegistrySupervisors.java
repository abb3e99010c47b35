package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import java.lang.ref.WeakReference;
import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Predicate;

/**
 * The supervisors of one registry, in the order in which they were built, and which of them evaluates a worker: the one
 * that spawned it. A worker that the hive registered itself is the first one's. Thread-safe.
 */
final class RegistrySupervisors {

    private static final Map<WorkerRegistry, RegistrySupervisors> ALL = new WeakHashMap<>();

    private final List<Member> members = new CopyOnWriteArrayList<>();

    private RegistrySupervisors() {}

    static RegistrySupervisors of(WorkerRegistry registry) {
        synchronized (ALL) {
            return ALL.computeIfAbsent(registry, unused -> new RegistrySupervisors());
        }
    }

    /** One of them. It is not kept in memory by this, nor is its registry. */
    private static final class Member extends WeakReference<SupervisedWorkers> {
        Member(SupervisedWorkers workers) {
            super(workers);
        }

        boolean has(WorkerInfo record) {
            SupervisedWorkers workers = get();
            return workers != null && workers.contains(record.id());
        }
    }

    /**
     * Adds a supervisor.
     *
     * @param workers what it has spawned
     * @param evaluatesRegistered whether it evaluates what the hive registered itself, while it is the first one
     * @return which records of the registry it evaluates
     */
    Predicate<WorkerInfo> add(SupervisedWorkers workers, boolean evaluatesRegistered) {
        Member member = new Member(workers);
        members.add(member);
        return record ->
                workers.contains(record.id()) || (evaluatesRegistered && isFirst(member) && !isSpawned(record));
    }

    /** Whether another supervisor spawned a worker, and so drives it. */
    boolean isSpawnedByOther(SupervisedWorkers own, WorkerInfo record) {
        return members.stream().anyMatch(member -> !member.refersTo(own) && member.has(record));
    }

    /** Removes a supervisor that has ended its workers. */
    void remove(SupervisedWorkers workers) {
        members.removeIf(member -> member.refersTo(workers));
    }

    private boolean isFirst(Member member) {
        members.removeIf(other -> other.refersTo(null)); // dropped without an end
        return !members.isEmpty() && members.get(0) == member;
    }

    private boolean isSpawned(WorkerInfo record) {
        return members.stream().anyMatch(member -> member.has(record));
    }
}
