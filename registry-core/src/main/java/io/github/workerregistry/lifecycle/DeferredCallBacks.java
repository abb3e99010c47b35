package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerRegistry;
import java.util.ArrayDeque;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the hive's code out of the supervisor's decisions. What completes for the hive in one, and what its listeners
 * are told on the calling thread, runs right afterwards, on the same thread. A call-back may block there for ever
 * ({@code System.exit} does, until the JVM's shutdown hooks are done): every worker can still be stopped.
 */
final class DeferredCallBacks {

    private static final Logger log = LoggerFactory.getLogger(DeferredCallBacks.class);

    /** What the current thread runs after its decision; null outside of one. */
    private static final ThreadLocal<@Nullable Queue<Runnable>> KEPT = new ThreadLocal<>();

    private DeferredCallBacks() {}

    /** Runs decisions, then tells listeners, then runs the call-backs that they led to. */
    static void runAfter(WorkerRegistry registry, Runnable decisions) {
        if (KEPT.get() != null) {
            registry.supervision()
                    .deferEvents(decisions); // this thread is in the middle of another one, which runs them
            return;
        }
        Queue<Runnable> kept = new ArrayDeque<>();
        try {
            registry.supervision().deferEvents(() -> keep(kept, decisions));
        } finally {
            kept.forEach(DeferredCallBacks::guarded);
        }
    }

    private static void keep(Queue<Runnable> kept, Runnable decisions) {
        KEPT.set(kept);
        try {
            decisions.run();
        } finally {
            KEPT.remove();
        }
    }

    /** Runs a call-back now, or after this thread's current decision. */
    static void run(Runnable callBack) {
        Queue<Runnable> kept = KEPT.get();
        if (kept == null) {
            guarded(callBack);
        } else {
            kept.add(callBack);
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
