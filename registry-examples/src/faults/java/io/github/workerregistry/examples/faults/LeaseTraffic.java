package io.github.workerregistry.examples.faults;

import io.github.workerregistry.NoWorkerException;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotQueueFullException;
import io.github.workerregistry.SlotTimeoutException;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Threads that acquire and release slots. Some acquire any slot of a model, at times more than exist, so that they wait
 * in the queue. The others acquire a slot of a chosen worker, so that no such worker reaches its idle timeout.
 */
final class LeaseTraffic implements AutoCloseable {

    private static final Duration LONGEST_WAIT = Duration.ofMillis(20);
    private static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(2);

    private final WorkerRegistry registry;
    private final Ledger ledger;
    private final LeaseBook book;
    private final List<Thread> threads = new ArrayList<>();
    private final int mostHeld;
    private volatile boolean stopped;

    /**
     * Creates traffic that is not started.
     *
     * @param threads number of threads, &ge; 2
     * @param workers number of workers
     */
    LeaseTraffic(WorkerRegistry registry, Ledger ledger, LeaseBook book, int threads, int workers) {
        this.registry = registry;
        this.ledger = ledger;
        this.book = book;
        int choosing = Math.max(1, threads / 4);
        int slots = Purpose.BUSY.among(workers) * Purpose.BUSY.slots();
        this.mostHeld = Math.max(2, slots * 8 / 5 / (threads - choosing)); // on average 80 % of all slots
        for (int i = 0; i < threads; i++) {
            this.threads.add(new Thread(i < choosing ? this::choose : this::takeAny, "lease-traffic-" + i));
        }
    }

    void begin() {
        threads.forEach(Thread::start);
    }

    private void takeAny() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        Deque<SlotLease> held = new ArrayDeque<>();
        int aim = 1;
        while (!stopped) {
            if (held.size() < aim) {
                take(random.nextBoolean()).ifPresent(held::add);
            } else if (!held.isEmpty()) {
                book.giveBack(held.remove());
            }
            if (held.size() == aim
                    || random.nextInt(mostHeld) == 0) { // otherwise it could wait for ever for the last one
                aim = random.nextInt(mostHeld + 1);
            }
            pause(random);
        }
        held.forEach(book::giveBack);
    }

    private Optional<SlotLease> take(boolean waiting) {
        Optional<SlotLease> lease = Optional.empty();
        try {
            lease = waiting
                    ? Optional.of(registry.acquire(Purpose.BUSY.model(), LONGEST_WAIT))
                    : registry.tryAcquire(Purpose.BUSY.model());
        } catch (SlotTimeoutException | SlotQueueFullException | NoWorkerException nothingFree) {
            // expected: more slots are requested than exist
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        lease.ifPresent(book::taken);
        return lease;
    }

    private void choose() {
        ThreadLocalRandom random = ThreadLocalRandom.current();
        while (!stopped) {
            for (WorkerInfo worker : registry.list()) {
                if (!stopped && Purpose.of(worker.modelRef()) != Purpose.QUIET && ledger.mayBeUsed(worker.id())) {
                    registry.tryAcquireFrom(worker.id()).ifPresent(lease -> {
                        book.taken(lease);
                        pause(random);
                        book.giveBack(lease);
                    });
                    pause(random);
                }
            }
            pause(random);
        }
    }

    private static void pause(ThreadLocalRandom random) {
        LockSupport.parkNanos(random.nextLong(1, LONGEST_PAUSE));
    }

    /** Releases all leases and waits for the end of its threads. */
    @Override
    public void close() {
        stopped = true;
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
