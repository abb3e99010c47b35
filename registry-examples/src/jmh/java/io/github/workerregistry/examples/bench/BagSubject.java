package io.github.workerregistry.examples.bench;

import com.zaxxer.hikari.util.ConcurrentBag;
import com.zaxxer.hikari.util.ConcurrentBag.IConcurrentBagEntry;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerFieldUpdater;
import org.openjdk.jmh.infra.Blackhole;

/**
 * HikariCP's {@link ConcurrentBag}, with a map of one bag per model. Entries store their state like HikariCP's
 * {@code PoolEntry}. Loaded by the application class loader, it keeps each thread's entries in its fast list, without
 * weak references. The listener, which would open another connection, does nothing.
 *
 * <p>It waits for an entry, as in HikariCP: with more callers than entries it relies on a handoff. With a timeout of
 * zero a release waits although no thread acquires, and eight threads with one entry need milliseconds.
 */
final class BagSubject implements Subject {

    private final Map<String, ConcurrentBag<Entry>> bags = new ConcurrentHashMap<>();

    BagSubject(Workload workload) {
        for (int worker = 0; worker < workload.workers(); worker++) {
            Entry entry = new Entry();
            bags.computeIfAbsent(workload.model(workload.modelOf(worker)), model -> new ConcurrentBag<>(waiting -> {}))
                    .add(entry);
            if (!workload.isFree(worker)) {
                entry.setState(IConcurrentBagEntry.STATE_IN_USE); // borrowing them one by one would be quadratic
            }
        }
    }

    @Override
    public Taker taker() {
        return this::takeAndGive;
    }

    private boolean takeAndGive(String model, Blackhole hole) throws InterruptedException {
        ConcurrentBag<Entry> bag = bags.get(model);
        Entry entry = bag.borrow(1, TimeUnit.SECONDS);
        if (entry == null) {
            return false;
        }
        hole.consume(entry);
        bag.requite(entry);
        return true;
    }

    private static final class Entry implements IConcurrentBagEntry {
        private static final AtomicIntegerFieldUpdater<Entry> STATE =
                AtomicIntegerFieldUpdater.newUpdater(Entry.class, "state");

        @SuppressWarnings("UnusedVariable") // written through STATE
        private volatile int state = STATE_NOT_IN_USE;

        @Override
        public boolean compareAndSet(int expectState, int newState) {
            return STATE.compareAndSet(this, expectState, newState);
        }

        @Override
        public void setState(int newState) {
            STATE.set(this, newState);
        }

        @Override
        public int getState() {
            return STATE.get(this);
        }
    }
}
