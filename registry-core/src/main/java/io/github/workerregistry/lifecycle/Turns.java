package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerRegistry;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is decided about one worker, over all its generations, one decision at a time: a stop, an exit, a restart that
 * falls due, a process that has been started. Each sees what the one before has left, and none happens in the middle of
 * another.
 *
 * <p>No lock: whoever comes while a turn is taken leaves his own to the one who takes it, so nobody waits, and a
 * decision may call foreign code that comes back with another one. In the order in which they came. What the hive is
 * told runs outside of all turns, see {@link CallBacks}.
 */
final class Turns {

    private static final Logger log = LoggerFactory.getLogger(Turns.class);

    private final WorkerRegistry registry;
    private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicInteger count = new AtomicInteger();

    Turns(WorkerRegistry registry) {
        this.registry = registry;
    }

    /** Runs the decision: now, on this thread, or after those before it, on the thread that runs those. */
    void take(Runnable decision) {
        Taking taking = new Taking(); // first: there may be no memory for it
        waiting.add(decision);
        if (count.getAndIncrement() == 0) {
            try {
                CallBacks.runAfter(registry, taking);
            } finally {
                taking.run(); // does nothing, unless there was no memory to begin
            }
        }
    }

    /** Takes all decisions that wait, once. */
    private final class Taking implements Runnable {
        private boolean begun;

        @Override
        public void run() {
            if (!begun) {
                begun = true;
                takeAll();
            }
        }
    }

    private void takeAll() {
        do {
            Runnable next = waiting.poll();
            try {
                if (next != null) {
                    next.run();
                }
            } catch (Throwable t) { // whatever it is, the next decision must come
                LastResort.warn(log, "a decision about a worker failed", t);
            }
        } while (count.decrementAndGet() > 0);
    }
}
