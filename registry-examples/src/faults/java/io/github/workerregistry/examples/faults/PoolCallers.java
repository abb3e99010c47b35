package io.github.workerregistry.examples.faults;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotUnavailableException;
import io.github.workerregistry.pool.PoolClosedException;
import io.github.workerregistry.pool.WorkerPool;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongSupplier;

/**
 * Threads that acquire slots of the pool's models and send requests to their workers, until the pool is closed. At
 * times they ask for all models, at times for two, so that others are idle and a worker can be replaced beside the old
 * one.
 */
final class PoolCallers {

    private static final int THREADS = 8;
    private static final int FEW = 2;
    private static final long PHASE = TimeUnit.SECONDS.toNanos(4);
    private static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long LONG_WORK = TimeUnit.MILLISECONDS.toNanos(800);

    private final WorkerPool pool;
    private final PoolJudge judge;
    private final Bounds bounds;
    private final Remarks remarks;
    private final LongSupplier clock;
    private final List<Thread> threads = new ArrayList<>();
    private final ConcurrentMap<String, Integer> newest = new ConcurrentHashMap<>();
    private final LongAdder answered = new LongAdder();
    private final LongAdder lost = new LongAdder();
    private final LongAdder cutOff = new LongAdder();
    private final LongAdder outdated = new LongAdder();

    PoolCallers(WorkerPool pool, PoolJudge judge, Bounds bounds, Remarks remarks, LongSupplier clock) {
        this.pool = pool;
        this.judge = judge;
        this.bounds = bounds;
        this.remarks = remarks;
        this.clock = clock;
        for (int i = 0; i < THREADS; i++) {
            threads.add(new Thread(this::call, "pool-caller-" + i));
        }
    }

    void begin() {
        threads.forEach(Thread::start);
    }

    private void call() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        boolean open = true;
        while (open) {
            boolean few = clock.getAsLong() / PHASE % 2 == 0;
            open = call(PoolModels.NAMES.get(random.nextInt(few ? FEW : PoolModels.NAMES.size())));
            LockSupport.parkNanos(random.nextLong(1, LONGEST_PAUSE));
        }
    }

    /** False if the pool is closed. */
    private boolean call(String model) {
        int atLeast = newest.getOrDefault(model, 0);
        Fault request = judge.begin(FaultKind.MODEL_REQUEST, model);
        try {
            SlotLease lease = pool.acquire(model, bounds.of(FaultKind.MODEL_REQUEST));
            judge.succeeded(request);
            checkRevision(lease, atLeast);
            use(lease);
        } catch (PoolClosedException closed) {
            judge.failed(request, closed);
            return false;
        } catch (SlotUnavailableException e) {
            judge.failed(request, e);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e); // nobody interrupts
        }
        return true;
    }

    /** No lease of an old revision after one of a newer. */
    private void checkRevision(SlotLease lease, int atLeast) {
        Map<String, String> labels = lease.worker().labels();
        int revision = Integer.parseInt(labels.get(PoolModels.REVISION));
        newest.merge(lease.worker().modelRef(), revision, Math::max);
        if (revision < atLeast) {
            outdated.increment();
            remarks.add("a lease of revision " + revision + " after one of " + atLeast + ": " + lease);
        }
    }

    private void use(SlotLease lease) {
        boolean answer = answer(lease);
        LockSupport.parkNanos(work(ThreadLocalRandom.current()));
        boolean served = answer && lease.isValid() && isAlive(lease);
        if (served) {
            answered.increment();
        } else if (judge.wasHit(lease.workerId())) {
            lost.increment();
        } else {
            cutOff.increment();
            remarks.add("a request was cut off: " + lease + ", answer: " + answer);
        }
        if (answer) {
            lease.close();
        } else {
            lease.fail(new IOException("no answer"));
        }
    }

    /**
     * At times longer than {@code maxWait}, so that a busy worker is evicted; always shorter than the drain timeout.
     */
    private static long work(ThreadLocalRandom random) {
        return random.nextInt(4) == 0 ? LONG_WORK : random.nextLong(1, LONGEST_PAUSE);
    }

    /** A worker that was not hit may be slow on a loaded machine. */
    private boolean answer(SlotLease lease) {
        long deadline = clock.getAsLong() + bounds.margin().toNanos();
        boolean answer = Victim.answers(lease.url(), bounds.request());
        while (!answer && !judge.wasHit(lease.workerId()) && lease.isValid() && clock.getAsLong() - deadline < 0) {
            answer = Victim.answers(lease.url(), bounds.request());
        }
        return answer;
    }

    private static boolean isAlive(SlotLease lease) {
        return ProcessHandle.of(lease.worker().pid().orElseThrow())
                .filter(ProcessHandle::isAlive)
                .isPresent();
    }

    /** Waits for the end of the threads after the close of the pool; returns the names of those that do not end. */
    List<String> join(Duration longest) throws InterruptedException {
        long deadline = System.nanoTime() + longest.toNanos();
        for (Thread thread : threads) {
            TimeUnit.NANOSECONDS.timedJoin(thread, Math.max(1, deadline - System.nanoTime()));
        }
        return threads.stream().filter(Thread::isAlive).map(Thread::getName).toList();
    }

    long answered() {
        return answered.sum();
    }

    /** Number of requests lost with a worker that was hit. */
    long lost() {
        return lost.sum();
    }

    /** Number of requests of other workers that were not answered, or whose lease ended before they did. */
    long cutOff() {
        return cutOff.sum();
    }

    /** Number of leases of an old revision after one of a newer. */
    long outdated() {
        return outdated.sum();
    }
}
