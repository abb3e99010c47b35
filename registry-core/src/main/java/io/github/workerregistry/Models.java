package io.github.workerregistry;

import io.github.workerregistry.WaitingLine.Entrance;
import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The models that have workers, or callers who wait for some. A model comes with the first of either and goes with the
 * last of both. Thread-safe; workers come and go under the registry's write lock.
 */
final class Models {

    private final ConcurrentMap<String, ModelSlots> byName = new ConcurrentHashMap<>();
    private final Function<String, ModelSlots> newModel;
    private final Hints hints;
    private final SlotRules rules;
    private final boolean failIfAbsent;

    Models(SlotRules rules, Hints hints, boolean failIfAbsent) {
        this.newModel = name -> new ModelSlots(name, rules);
        this.rules = rules;
        this.hints = hints;
        this.failIfAbsent = failIfAbsent;
    }

    /** The model; null if nobody has it or waits for it. */
    @Nullable
    ModelSlots get(String modelRef) {
        return byName.get(modelRef);
    }

    void add(Entry entry) {
        byName.compute(entry.modelRef(), (name, known) -> {
            ModelSlots model = known == null ? newModel.apply(name) : known;
            model.add(entry);
            return model;
        });
    }

    void remove(Entry entry, @Nullable Exit exit) {
        byName.computeIfPresent(entry.modelRef(), (name, model) -> {
            model.remove(entry, exit);
            return model.retire() ? null : model;
        });
    }

    /**
     * Searches for a slot of any worker of the model and takes it, unless those who wait need it, or returns null. For
     * a caller whom {@link Hints#tryTakeAgain} has given none.
     */
    @Nullable
    SlotLease search(String modelRef) {
        ModelSlots model = get(modelRef);
        return model == null ? null : remembered(model.tryTakeBest(hints.get(modelRef)));
    }

    /** Takes a slot of a worker of the model that fits, unless those who wait need it, or returns null. */
    @Nullable
    SlotLease tryTake(String modelRef, SlotFilter filter) {
        if (filter.isAny()) {
            SlotLease again = hints.tryTakeAgain(modelRef);
            return again != null ? again : search(modelRef);
        }
        ModelSlots model = get(modelRef);
        return model == null ? null : remembered(model.tryTake(filter, hints.get(modelRef)));
    }

    /** The same lease; if there is one, this thread has used its worker last. */
    private @Nullable SlotLease remembered(@Nullable SlotLease lease) {
        if (lease != null) {
            hints.set(lease.entry());
        }
        return lease;
    }

    /** Takes a slot, waits for it if need be, and throws as {@link WorkerRegistry#acquire} does. */
    SlotLease acquire(String modelRef, SlotFilter filter, Duration timeout) throws InterruptedException {
        SlotLease lease = tryTake(modelRef, filter);
        return lease == null ? await(modelRef, filter, timeout) : lease;
    }

    private SlotLease await(String modelRef, SlotFilter filter, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(timeout);
        Waiter waiter = new Waiter(filter, failIfAbsent);
        ModelSlots model = join(modelRef, waiter);
        try {
            model.line().serve(model::take);
            model.line().await(waiter, deadline);
        } finally {
            model.line().leave(waiter);
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
     * Joins the line outside the lock of the table's bin, because a filter that looks at the registry may run while the
     * line is held.
     */
    private ModelSlots join(String modelRef, Waiter waiter) {
        while (true) {
            ModelSlots model = byName.compute(
                    modelRef, (name, known) -> known == null && !failIfAbsent ? newModel.apply(name) : known);
            SlotFilter filter = waiter.filter();
            if (model == null) {
                SlotShortage shortage = SlotShortage.of(modelRef, null, filter, waiter.sinceNanos(), rules.history());
                throw new NoSuchModelException(shortage, filter, null);
            }
            Entrance entrance = Entrance.CLOSED;
            try {
                entrance = model.line().join(waiter);
            } finally {
                if (entrance != Entrance.JOINED) {
                    dropIfUnused(model);
                }
            }
            switch (entrance) {
                case JOINED -> {
                    return model;
                }
                case UNSERVABLE -> throw model.noHope(filter, waiter.sinceNanos());
                case FULL ->
                    throw new SlotQueueFullException(
                            model.shortage(filter, waiter.sinceNanos()), rules.waitQueueCapacity());
                case CLOSED -> {} // another one is in its place, or will be
            }
        }
    }

    private void dropIfUnused(ModelSlots model) {
        if (model.isUnused()) {
            byName.computeIfPresent(model.modelRef(), (name, known) -> known == model && known.retire() ? null : known);
        }
    }
}
