package io.github.workerregistry.examples.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.infra.Blackhole;
import stormpot.Allocator;
import stormpot.BasePoolable;
import stormpot.Expiration;
import stormpot.Pool;
import stormpot.PoolTap;
import stormpot.Slot;
import stormpot.Timeout;

/**
 * Stormpot, with a map of one pool per model. No expiration, no leak detection, and a tap per thread, which is the
 * fastest access because it avoids a thread-local. Waiting would be slower, because a waiter does not see a slot that
 * another thread has cached.
 */
final class StormpotSubject implements Subject {

    private final Map<String, Pool<Worker>> pools = new ConcurrentHashMap<>();
    private final List<Worker> held = new ArrayList<>();

    StormpotSubject(Workload workload) throws InterruptedException {
        for (int model = 0; model < workload.models(); model++) {
            Pool<Worker> pool = Pool.from(new Workers())
                    .setSize(workload.workersOf(model).size())
                    .setExpiration(Expiration.never())
                    .setBackgroundExpirationEnabled(false)
                    .setPreciseLeakDetectionEnabled(false)
                    .build();
            pools.put(workload.model(model), pool);
            for (int i = workload.heldOf(model); i > 0; i--) {
                held.add(pool.claim(new Timeout(1, TimeUnit.MINUTES)));
            }
            while (pool.getManagedPool().getAllocationCount() < pool.getTargetSize()) {
                Thread.sleep(1); // its thread is still filling it
            }
        }
    }

    @Override
    public Taker taker() {
        Map<String, PoolTap<Worker>> taps = new ConcurrentHashMap<>();
        pools.forEach((model, pool) -> taps.put(model, pool.getThreadLocalTap()));
        return (model, hole) -> takeAndGive(taps.get(model), hole);
    }

    private static boolean takeAndGive(PoolTap<Worker> tap, Blackhole hole) {
        Worker worker = tap.tryClaim();
        if (worker == null) {
            return false;
        }
        hole.consume(worker);
        worker.release();
        return true;
    }

    private static final class Worker extends BasePoolable {
        Worker(Slot slot) {
            super(slot);
        }
    }

    private static final class Workers implements Allocator<Worker> {
        @Override
        public Worker allocate(Slot slot) {
            return new Worker(slot);
        }

        @Override
        public void deallocate(Worker worker) {}
    }
}
