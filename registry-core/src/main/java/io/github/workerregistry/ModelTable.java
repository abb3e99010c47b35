package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.SlotWaitQueue.JoinResult;
import io.github.workerregistry.Waiter.State;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
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

    ModelTable(SlotRules rules, ThreadHints hints) {
        this.newModel = name -> new ModelSlots(name, rules);
        this.rules = rules;
        this.hints = hints;
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

    /** Acquires a slot for the request, if no waiter would accept it; else returns null. */
    @Nullable
    SlotLease tryAcquire(SlotRequest request) {
        String modelRef = request.modelRef();
        if (request.affinityKey() == null && request.isUnconstrained()) {
            SlotLease again = hints.tryAcquireAgain(modelRef);
            return again != null ? again : search(modelRef);
        }
        ModelSlots model = get(modelRef);
        return model == null ? null : remembered(model.tryAcquire(request, hints.get(modelRef)));
    }

    /** Stores the lease's worker as the one that this thread used last; returns the lease. */
    private @Nullable SlotLease remembered(@Nullable SlotLease lease) {
        if (lease != null) {
            hints.set(lease.entry());
        }
        return lease;
    }

    /** Acquires a slot, waiting if necessary; throws as {@link WorkerRegistry#acquire} does. */
    SlotLease acquire(SlotRequest request, Duration timeout) throws InterruptedException {
        SlotLease lease = tryAcquire(request);
        return lease == null ? await(request, timeout) : lease;
    }

    private SlotLease await(SlotRequest request, Duration timeout) throws InterruptedException {
        BlockingWaiter waiter = new BlockingWaiter(request, failsIfAbsent(request));
        ModelSlots model = join(waiter);
        try {
            serve(waiter, model);
            park(waiter, model, TimeUnit.NANOSECONDS.convert(timeout));
        } catch (Throwable t) { // no memory, or no thread for the timer
            if (!waiter.end(State.CANCELLED) && waiter.state() == State.GRANTED) {
                waiter.slot().close();
            }
            throw t;
        } finally {
            leave(waiter);
        }
        return switch (waiter.state()) {
            case GRANTED -> requireNonNull(remembered(waiter.slot()));
            case TIMED_OUT -> throw timeout(waiter, timeout);
            case FAILED -> throw waiter.failure();
            case CANCELLED, WAITING -> {
                Thread.interrupted();
                throw new InterruptedException();
            }
        };
    }

    private void park(BlockingWaiter waiter, ModelSlots model, long nanos) {
        if (nanos == 0) {
            waiter.end(State.TIMED_OUT);
        } else if (rules.deadlines().hasTimer()) {
            rules.deadlines().add(waiter, nanos);
            waiter.await(model.waitQueue());
        } else {
            waiter.await(model.waitQueue(), System.nanoTime() + nanos);
        }
    }

    /**
     * Requests a slot without blocking.
     *
     * @param stack of the request, for the report of leaks; null if there is none
     */
    PendingSlot acquireAsync(SlotRequest request, Duration timeout, Executor executor, @Nullable Throwable stack) {
        AsyncWaiter waiter = new AsyncWaiter(request, failsIfAbsent(request), timeout, executor, this, stack);
        SlotLease lease = tryAcquire(request);
        if (lease != null) {
            waiter.grant(lease);
            CompletionLoop.complete(waiter);
        } else {
            await(waiter, timeout);
        }
        return waiter;
    }

    private void await(AsyncWaiter waiter, Duration timeout) {
        ModelSlots model;
        try {
            model = join(waiter);
        } catch (SlotUnavailableException refused) {
            waiter.fail(() -> refused);
            CompletionLoop.complete(waiter);
            return;
        }
        long nanos = TimeUnit.NANOSECONDS.convert(timeout);
        try {
            serve(waiter, model);
            if (nanos == 0) {
                timeOut(waiter);
            } else {
                rules.deadlines().add(waiter, nanos);
            }
        } catch (Throwable t) { // no memory, or no thread for the timer
            if (waiter.cancel()) {
                throw t;
            }
        }
    }

    /** Serves a waiter that has just joined; if there is no slot, calls the demand listeners. */
    private void serve(Waiter waiter, ModelSlots model) {
        model.waitQueue().serve(model::acquire);
        if (waiter.isWaiting()) {
            rules.demandListeners().requestWaits(model.modelRef());
        }
    }

    private boolean failsIfAbsent(SlotRequest request) {
        return rules.settings().failIfAbsent() && !request.waitsIfAbsent();
    }

    /** A waiter's deadline is over. Called with no lock held. */
    static void timeOut(Waiter waiter) {
        if (waiter.end(State.TIMED_OUT)) {
            CompletionLoop.complete(waiter.ended());
        }
    }

    SlotTimeoutException timeout(Waiter waiter, Duration timeout) {
        return new SlotTimeoutException(requireNonNull(waiter.model()).shortage(waiter), timeout);
    }

    /**
     * Removes a request whose wait has ended, if it has waited, and then its model if that is not needed any more.
     * Called with no lock held, once.
     */
    void leave(Waiter waiter) {
        ModelSlots model = waiter.model();
        if (model != null) {
            model.waitQueue().remove(waiter);
            dropIfUnused(model);
            model.waitEnded(waiter);
        }
    }

    /** Reports the lease if it is never closed. */
    void watch(SlotLease lease, @Nullable Throwable stack) {
        LeaseLeaks leaks = rules.leaks();
        if (leaks != null && stack != null) {
            leaks.acquired(lease, stack);
        }
    }

    /** Number of requests that wait for a slot of the model. */
    int waiting(String modelRef) {
        ModelSlots model = get(modelRef);
        return model == null ? 0 : model.waitQueue().length();
    }

    /** See {@link Supervision#demand}. */
    List<ModelDemand> demand() {
        List<ModelDemand> demand = new ArrayList<>();
        for (ModelSlots model : byName.values()) {
            ModelDemand waiting = model.waitQueue().isEmpty()
                    ? null
                    : model.waitQueue().demand(rules.deadlines().now());
            if (waiting != null) {
                demand.add(waiting);
            }
        }
        return List.copyOf(demand);
    }

    /** See {@link Supervision#failWaiting}. */
    int failWaiting(
            String modelRef, Predicate<SlotRequest> which, Supplier<? extends SlotUnavailableException> exception) {
        ModelSlots model = get(modelRef);
        if (model == null) {
            return 0;
        }
        int failed = 0;
        for (Waiter waiter : model.waitQueue().waiters()) {
            if (which.test(waiter.request())
                    && waiter.fail(() -> exception.get().with(model.shortage(waiter)))) {
                failed++;
                CompletionLoop.complete(waiter.ended());
            }
        }
        return failed;
    }

    /** Adds the counts of requests that wait or have waited. */
    RegistryStats.Builder addTo(RegistryStats.Builder stats) {
        int waiting = 0;
        for (ModelSlots model : byName.values()) {
            waiting += model.waitQueue().length();
        }
        return rules.totals().addTo(stats.waiting(waiting));
    }

    private ModelSlots join(Waiter waiter) {
        SlotRequest request = waiter.request();
        while (true) {
            ModelSlots model = byName.compute(
                    request.modelRef(),
                    (name, known) -> known == null && !waiter.failsIfAbsent() ? newModel.apply(name) : known);
            if (model == null) {
                rules.totals().refused();
                SlotShortage shortage = SlotShortage.of(request, null, Duration.ZERO, rules.history());
                throw new NoWorkerException(shortage, request, null);
            }
            waiter.joins(model, rules.deadlines().now());
            JoinResult result = JoinResult.CLOSED;
            try {
                result = model.waitQueue().join(waiter);
            } finally {
                if (result != JoinResult.JOINED) {
                    waiter.doesNotJoin();
                    dropIfUnused(model);
                }
            }
            switch (result) {
                case JOINED -> {
                    return model;
                }
                case UNSERVABLE -> {
                    rules.totals().refused();
                    throw model.unservable(waiter);
                }
                case FULL -> {
                    rules.totals().refused();
                    throw new SlotQueueFullException(
                            model.shortage(waiter), rules.settings().waitQueueCapacity());
                }
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
