package io.github.workerregistry;

import io.github.workerregistry.internal.LogText;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Actions that run once when a worker has no slot in use, see {@link Supervision#whenIdle}. A worker with actions has a
 * bit in its word, so other releases pay nothing. An action is entered here, then the bit is set; the thread that
 * releases the last slot reads the bit, then this table. Thread-safe.
 */
final class IdleActions {

    private static final Logger log = LoggerFactory.getLogger(IdleActions.class);

    private final ConcurrentMap<WorkerEntry, List<Runnable>> actions = new ConcurrentHashMap<>();

    void add(WorkerEntry entry, Runnable action) {
        actions.compute(entry, (watched, others) -> {
            List<Runnable> all = others == null ? new ArrayList<>(1) : others;
            all.add(action);
            return all;
        });
        idle(entry);
    }

    /** Runs the actions of a worker, unless it has slots in use again. Called with no lock held. */
    void idle(WorkerEntry entry) {
        List<Runnable> due = new ArrayList<>(1);
        actions.computeIfPresent(entry, (watched, waiting) -> {
            if (watched.watch()) {
                return waiting;
            }
            due.addAll(waiting);
            return null;
        });
        due.forEach(IdleActions::run);
    }

    /** Calls {@link #idle} for each worker with actions. */
    void checkAll() {
        actions.keySet().forEach(this::idle);
    }

    /** Whether the worker has actions. */
    boolean existFor(WorkerEntry entry) {
        return actions.containsKey(entry);
    }

    private static void run(Runnable action) {
        try {
            action.run();
        } catch (Throwable t) { // foreign code; this may be the thread of a release, which never throws
            log.warn("an action for an idle worker failed", LogText.of(t));
        }
    }
}
