package io.github.workerregistry.examples.faults;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Stopping;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * The run's own count of open leases for each process of each worker. A lease is counted after it is acquired and
 * uncounted before it is released, so the count never exceeds the true one. Thread-safe.
 */
final class LeaseBook {

    private record Holder(String workerId, int generation) {}

    private static final class Page {
        final AtomicInteger open = new AtomicInteger();
        final AtomicLong lastUse = new AtomicLong(Long.MIN_VALUE);
    }

    private final WorkerRegistry registry;
    private final LongSupplier clock;
    private final Remarks remarks;
    private final ConcurrentMap<Holder, Page> pages = new ConcurrentHashMap<>();
    private final LongAdder taken = new LongAdder();
    private final LongAdder returned = new LongAdder();
    private final LongAdder voided = new LongAdder();
    private final LongAdder wrong = new LongAdder();

    LeaseBook(WorkerRegistry registry, LongSupplier clock, Remarks remarks) {
        this.registry = registry;
        this.clock = clock;
        this.remarks = remarks;
    }

    /** Counts an acquired lease and checks whether it was permitted. */
    void taken(SlotLease lease) {
        Page page = page(lease);
        int open = page.open.incrementAndGet();
        page.lastUse.accumulateAndGet(clock.getAsLong(), Math::max);
        taken.increment();
        int slots = lease.worker().slotsTotal();
        if (open > slots) {
            wrong(open + " leases are open of " + slots + " slots: " + lease);
        }
        // Not lease.worker(), which may be the previous record during a transition.
        Optional<WorkerInfo> worker = registry.get(lease.workerId());
        if (lease.isValid() && worker.filter(now -> isAtWork(lease, now)).isEmpty()) { // valid now implies valid before
            wrong("a lease was taken of a worker that takes none: " + lease + ", " + worker);
        }
    }

    private static boolean isAtWork(SlotLease lease, WorkerInfo worker) {
        return worker.generation() == lease.generation()
                && (worker.state() instanceof Busy || worker.state() instanceof Stopping)
                && worker.slotsInUse() > 0;
    }

    /** Checks a lease of a stopping worker: it is valid until the drain timeout. */
    void mustBeValid(SlotLease lease, long until) {
        boolean valid = lease.isValid();
        if (!valid && clock.getAsLong() - until < 0) {
            wrong("a lease is void before the time to drain is over: " + lease);
        }
    }

    /** Releases a lease. It is void if and only if its process has exited. */
    void giveBack(SlotLease lease) {
        Page page = page(lease);
        boolean exited = !isAlive(lease);
        boolean valid = lease.isValid(); // an exit is permanent, so validity is read first
        if (exited && valid) {
            wrong("a lease is valid although its worker has exited: " + lease);
        }
        page.lastUse.accumulateAndGet(clock.getAsLong(), Math::max);
        page.open.decrementAndGet();
        lease.close();
        (valid ? returned : voided).increment();
        if (!valid && isAlive(lease)) {
            wrong("a lease is void although its worker is alive: " + lease);
        }
    }

    private boolean isAlive(SlotLease lease) {
        return registry.get(lease.workerId())
                .filter(worker -> worker.generation() == lease.generation())
                .filter(worker -> !(worker.state() instanceof BackingOff))
                .isPresent();
    }

    private void wrong(String what) {
        wrong.increment();
        remarks.add(what);
    }

    private Page page(SlotLease lease) {
        return pages.computeIfAbsent(new Holder(lease.workerId(), lease.generation()), holder -> new Page());
    }

    /** When a lease of this process was last acquired or released; {@code Long.MIN_VALUE} if never. */
    long lastUse(String workerId, int generation) {
        Page page = pages.get(new Holder(workerId, generation));
        return page == null ? Long.MIN_VALUE : page.lastUse.get();
    }

    long taken() {
        return taken.sum();
    }

    long returned() {
        return returned.sum();
    }

    long voided() {
        return voided.sum();
    }

    /** Number of leases that violated a rule. */
    long wrong() {
        return wrong.sum();
    }
}
