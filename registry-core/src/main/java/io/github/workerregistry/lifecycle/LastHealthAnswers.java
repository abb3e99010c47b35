package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Incarnation;
import io.github.workerregistry.WorkerInfo;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * Records when each worker last passed its health check, or since when it fails. Used to count the workers that may
 * still turn out to fail together with another one: those without an answer since its first failure. Thread-safe.
 */
final class LastHealthAnswers {

    private record Answer(Incarnation incarnation, boolean passed, Instant at) {
        boolean isOf(WorkerInfo worker) {
            return incarnation.equals(worker.incarnation());
        }
    }

    private final ConcurrentMap<String, Answer> last = new ConcurrentHashMap<>();

    /** Records that a worker passed, or failed while busy, which does not count as a failure. */
    void passed(WorkerInfo worker, Instant now) {
        last.put(worker.id(), new Answer(worker.incarnation(), true, now));
    }

    /** Records that a worker failed; returns since when it fails. */
    Instant failed(WorkerInfo worker, Instant now) {
        Answer failure = new Answer(worker.incarnation(), false, now);
        return last.merge(worker.id(), failure, (known, next) -> known.passed || !known.isOf(worker) ? next : known).at;
    }

    /** The number of these workers that have neither passed nor failed since a time. */
    long unansweredSince(Instant then, List<WorkerInfo> workers) {
        return workers.stream().filter(worker -> !hasAnswered(worker, then)).count();
    }

    private boolean hasAnswered(WorkerInfo worker, Instant since) {
        Answer answer = last.get(worker.id());
        return answer != null && answer.isOf(worker) && !(answer.passed && answer.at.isBefore(since));
    }

    /** Removes all other workers. */
    void retainOnly(Set<String> ids) {
        last.keySet().retainAll(ids);
    }
}
