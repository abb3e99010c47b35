package io.github.workerregistry;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Futures for the ends of leases, created on request. A lease without a request costs nothing at its end.
 *
 * <p>A request enters the lease here, then reads whether it has ended. A thread that ends a lease writes its end (to
 * the worker's word or the lease's mark), then reads this table. At least one of the two sees the other.
 */
final class LeaseEndFutures {

    private static final LeaseEnd RELEASED = new LeaseEnd.Released();

    private final ConcurrentMap<SlotLease, CompletableFuture<LeaseEnd>> asked = new ConcurrentHashMap<>();
    private final Function<WorkerEntry, @Nullable WorkerInfo> reader;

    /**
     * Creates an empty table.
     *
     * @param reader returns a snapshot of a worker outside a transition; null if it was removed
     */
    LeaseEndFutures(Function<WorkerEntry, @Nullable WorkerInfo> reader) {
        this.reader = reader;
    }

    /** Completes when the lease has ended. Internal: the caller could complete it. */
    CompletableFuture<LeaseEnd> of(SlotLease lease) {
        LeaseEnd known = known(lease);
        if (known != null) {
            return CompletableFuture.completedFuture(known);
        }
        lease.entry().model().followCloses();
        CompletableFuture<LeaseEnd> end = asked.computeIfAbsent(lease, open -> new CompletableFuture<>());
        settle(lease); // it may have ended before it was entered
        return end;
    }

    /** How the lease ended; null while it is held, or its worker is being checked. */
    @Nullable
    LeaseEnd known(SlotLease lease) {
        return switch (lease.mark()) {
            case SlotLease.RELEASED -> RELEASED;
            case SlotLease.LOST -> lost(lease);
            case SlotLease.FAILED -> null;
            default -> lease.isHeld() ? null : isLost(lease) ? lost(lease) : RELEASED; // another thread is closing it
        };
    }

    private boolean isLost(SlotLease lease) {
        WorkerInfo now = reader.apply(lease.entry());
        return now == null
                || !now.incarnation().equals(lease.incarnation())
                || now.state() instanceof WorkerState.BackingOff;
    }

    private static LeaseEnd lost(SlotLease lease) {
        return new LeaseEnd.Lost(Optional.ofNullable(lease.entry().exitOf(lease.incarnation())));
    }

    /** Completes the future of a lease if the lease has ended. Called with no lock held. */
    void settle(SlotLease lease) {
        if (!asked.containsKey(lease)) {
            return;
        }
        LeaseEnd end = known(lease);
        CompletableFuture<LeaseEnd> wanted = end == null ? null : asked.remove(lease);
        if (wanted != null) {
            wanted.complete(end);
        }
    }

    /** A worker's process has exited, or its record was removed; its leases have ended. Called with no lock held. */
    void incarnationEnded(WorkerEntry entry) {
        asked.forEach((lease, end) -> {
            if (lease.entry() == entry) {
                settle(lease);
            }
        });
    }

    int size() {
        return asked.size();
    }
}
