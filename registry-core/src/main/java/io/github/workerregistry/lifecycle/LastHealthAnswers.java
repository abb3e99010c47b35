package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Incarnation;
import io.github.workerregistry.WorkerInfo;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * When each worker last passed its health check, or since when it fails it. So it can be told how many others may still
 * turn out to fail together with one: those that have not been asked since. Thread-safe.
 */
final class LastHealthAnswers {

    private record Answer(Incarnation incarnation, boolean passed, Instant at) {
        boolean isOf(WorkerInfo worker) {
            return incarnation.equals(worker.incarnation());
        }
    }

    private final ConcurrentMap<String, Answer> last = new ConcurrentHashMap<>();

    /** A worker passed, or failed while it was at work, which says nothing against it. */
    void passed(WorkerInfo worker, Instant now) {
        last.put(worker.id(), new Answer(worker.incarnation(), true, now));
    }

    /** A worker failed; gives since when it does. */
    Instant failed(WorkerInfo worker, Instant now) {
        Answer failure = new Answer(worker.incarnation(), false, now);
        return last.merge(worker.id(), failure, (known, next) -> known.passed || !known.isOf(worker) ? next : known).at;
    }

    /** How many of these workers have neither passed nor failed since then. */
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
