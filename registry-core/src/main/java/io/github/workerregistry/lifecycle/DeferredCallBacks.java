package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerRegistry;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the hive's code outside of the supervisor's decisions. Futures of the hive that a decision completes, and
 * listeners on the calling thread, run right after the decision, on the same thread. A call-back that blocks there for
 * ever ({@code System.exit} does, until the JVM's shutdown hooks are done) does not prevent the stop of any worker.
 */
final class DeferredCallBacks {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    /** The call-backs to run after the current thread's decision; null outside of a decision. */
    private static final ThreadLocal<@Nullable Queue<Runnable>> DEFERRED = new ThreadLocal<>();

    private DeferredCallBacks() {}

    /** Runs decisions, then delivers their events, then runs their call-backs. */
    static void runAfter(WorkerRegistry registry, Runnable decisions) {
        if (DEFERRED.get() != null) {
            registry.supervision().deferEvents(decisions); // nested: the outer call runs the call-backs
            return;
        }
        Queue<Runnable> deferred = new ArrayDeque<>();
        try {
            registry.supervision().deferEvents(() -> collect(deferred, decisions));
        } finally {
            deferred.forEach(DeferredCallBacks::guarded);
        }
    }

    private static void collect(Queue<Runnable> deferred, Runnable decisions) {
        DEFERRED.set(deferred);
        try {
            decisions.run();
        } finally {
            DEFERRED.remove();
        }
    }

    /** Runs a call-back now, or after this thread's current decision. */
    static void run(Runnable callBack) {
        Queue<Runnable> deferred = DEFERRED.get();
        if (deferred == null) {
            guarded(callBack);
        } else {
            deferred.add(callBack);
        }
    }

    private static void guarded(Runnable callBack) {
        try {
            callBack.run();
        } catch (Throwable t) { // foreign code
            SafeLog.warn(log, "a call-back failed", t);
        }
    }
}
