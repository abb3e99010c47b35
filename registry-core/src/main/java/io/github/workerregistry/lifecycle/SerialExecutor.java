package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerRegistry;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Runs the decisions about one worker, over all its generations, one after another in submission order: a stop, an
 * exit, a due restart, a started process. Each sees the result of the one before; none runs inside another.
 *
 * <p>No lock, no blocking: a decision submitted while another one runs is queued, and the thread that runs that one
 * runs it too. So a decision may call foreign code that submits another. Call-backs to the hive run outside of
 * decisions, see {@link DeferredCallBacks}.
 */
final class SerialExecutor {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final WorkerRegistry registry;
    private final Queue<Decision> queue = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();

    SerialExecutor(WorkerRegistry registry) {
        this.registry = registry;
    }

    private record Decision(WorkerName worker, Runnable task) {}

    /** Runs the decision on this thread, or, if another decision is running, afterwards on that decision's thread. */
    void execute(WorkerName worker, Runnable decision) {
        QueueRun run = new QueueRun(); // allocated first, because it may throw OutOfMemoryError
        queue.add(new Decision(worker, decision));
        if (count.getAndIncrement() == 0) {
            try {
                DeferredCallBacks.runAfter(registry, run);
            } finally {
                run.run(); // has an effect only if runAfter failed before it began
            }
        }
    }

    /** Runs all queued decisions, once. */
    private final class QueueRun implements Runnable {
        private boolean begun;

        @Override
        public void run() {
            if (!begun) {
                begun = true;
                runQueue();
            }
        }
    }

    private void runQueue() {
        do {
            Decision next = queue.poll();
            try {
                if (next != null) {
                    next.task.run();
                }
            } catch (Throwable t) { // the next decision must still run
                SafeLog.warn(log, "worker {}: a decision about it failed", next == null ? "unknown" : next.worker, t);
            }
        } while (count.decrementAndGet() > 0);
    }
}
