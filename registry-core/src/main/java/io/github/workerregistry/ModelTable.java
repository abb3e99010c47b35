package io.github.workerregistry;

import io.github.workerregistry.SlotWaitQueue.JoinResult;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The models that have workers or waiters. A model is created with the first of either and removed with the last.
 * Thread-safe; workers are added and removed under the registry's write lock.
 */
final class ModelTable {

    private final ConcurrentMap<String, ModelSlots> byName = new ConcurrentHashMap<>();
    private final Function<String, ModelSlots> newModel;
    private final ThreadHints hints;
    private final SlotRules rules;
    private final boolean failIfAbsent;

    ModelTable(SlotRules rules, ThreadHints hints, boolean failIfAbsent) {
        this.newModel = name -> new ModelSlots(name, rules);
        this.rules = rules;
        this.hints = hints;
        this.failIfAbsent = failIfAbsent;
    }

    /** The model; null if it has neither workers nor waiters. */
    @Nullable
    ModelSlots get(String modelRef) {
        return byName.get(modelRef);
    }

    void add(WorkerEntry entry) {
        byName.compute(entry.modelRef(), (name, known) -> {
            ModelSlots model = known == null ? newModel.apply(name) : known;
            model.add(entry);
            return model;
        });
    }

    void remove(WorkerEntry entry, @Nullable Exit exit) {
        byName.computeIfPresent(entry.modelRef(), (name, model) -> {
            model.remove(entry, exit);
            return model.retire() ? null : model;
        });
    }

    /**
     * Searches for a slot of any worker of the model and acquires it, if no waiter would accept it; else returns null.
     * Called after {@link ThreadHints#tryAcquireAgain} returned null.
     */
    @Nullable
    SlotLease search(String modelRef) {
        ModelSlots model = get(modelRef);
        return model == null ? null : remembered(model.tryAcquireBest(hints.get(modelRef)));
    }

    /** Acquires a slot of a worker that passes the filter, if no waiter would accept it; else returns null. */
    @Nullable
    SlotLease tryAcquire(String modelRef, SlotFilter filter) {
        if (filter.isAny()) {
            SlotLease again = hints.tryAcquireAgain(modelRef);
            return again != null ? again : search(modelRef);
        }
        ModelSlots model = get(modelRef);
        return model == null ? null : remembered(model.tryAcquire(filter, hints.get(modelRef)));
    }

    /** Stores the lease's worker as the one that this thread used last; returns the lease. */
    private @Nullable SlotLease remembered(@Nullable SlotLease lease) {
        if (lease != null) {
            hints.set(lease.entry());
        }
        return lease;
    }

    /** Acquires a slot, waiting if necessary; throws as {@link WorkerRegistry#acquire} does. */
    SlotLease acquire(String modelRef, SlotFilter filter, Duration timeout) throws InterruptedException {
        SlotLease lease = tryAcquire(modelRef, filter);
        return lease == null ? await(modelRef, filter, timeout) : lease;
    }

    private SlotLease await(String modelRef, SlotFilter filter, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(timeout);
        Waiter waiter = new Waiter(filter, failIfAbsent);
        ModelSlots model = join(modelRef, waiter);
        try {
            model.waitQueue().serve(model::acquire);
            model.waitQueue().await(waiter, deadline);
        } finally {
            model.waitQueue().remove(waiter);
            dropIfUnused(model);
        }
        SlotLease lease = remembered(waiter.result());
        if (lease != null) {
            return lease;
        }
        if (Thread.interrupted()) {
            throw new InterruptedException();
        }
        throw new SlotTimeoutException(model.shortage(filter, waiter.sinceNanos()), timeout);
    }

    /**
     * Joins the wait queue outside {@code compute}: a filter may read the registry, and runs with the queue's lock
     * held.
     */
    private ModelSlots join(String modelRef, Waiter waiter) {
        while (true) {
            ModelSlots model = byName.compute(
                    modelRef, (name, known) -> known == null && !failIfAbsent ? newModel.apply(name) : known);
            SlotFilter filter = waiter.filter();
            if (model == null) {
                SlotShortage shortage = SlotShortage.of(modelRef, null, filter, waiter.sinceNanos(), rules.history());
                throw new NoWorkerException(shortage, filter, null);
            }
            JoinResult result = JoinResult.CLOSED;
            try {
                result = model.waitQueue().join(waiter);
            } finally {
                if (result != JoinResult.JOINED) {
                    dropIfUnused(model);
                }
            }
            switch (result) {
                case JOINED -> {
                    return model;
                }
                case UNSERVABLE -> throw model.unservable(filter, waiter.sinceNanos());
                case FULL ->
                    throw new SlotQueueFullException(
                            model.shortage(filter, waiter.sinceNanos()), rules.waitQueueCapacity());
                case CLOSED -> {} // retry: another object replaces it
            }
        }
    }

    private void dropIfUnused(ModelSlots model) {
        if (model.isUnused()) {
            byName.computeIfPresent(model.modelRef(), (name, known) -> known == model && known.retire() ? null : known);
        }
    }
}
