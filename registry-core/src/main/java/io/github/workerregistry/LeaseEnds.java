package io.github.workerregistry;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The ends of leases that somebody has asked for. A lease that nobody asks about is not in here, and its end costs
 * nothing.
 *
 * <p>Whoever asks enters the lease here, and then looks whether it has ended; who ends a lease writes that (the word of
 * its worker, or the lease's own mark), and then looks here. One of the two sees the other.
 */
final class LeaseEnds {

    private static final LeaseEnd RELEASED = new LeaseEnd.Released();

    private final ConcurrentMap<SlotLease, CompletableFuture<LeaseEnd>> asked = new ConcurrentHashMap<>();
    private final Function<Entry, @Nullable WorkerInfo> look;

    /**
     * No ends.
     *
     * @param look gives a worker as it is, and never in the middle of a transition; null if it has left
     */
    LeaseEnds(Function<Entry, @Nullable WorkerInfo> look) {
        this.look = look;
    }

    /** Completes when the lease has ended. Not for others, who could complete it. */
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

    /** How the lease ended, if that can be told; null while it is held, or its worker is checked. */
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
        WorkerInfo now = look.apply(lease.entry());
        return now == null || now.generation() != lease.generation() || now.state() instanceof WorkerState.BackingOff;
    }

    private static LeaseEnd lost(SlotLease lease) {
        return new LeaseEnd.Lost(Optional.ofNullable(lease.entry().exitOf(lease.generation())));
    }

    /** Tells those who asked for the end of a lease, if it has ended. Called with no lock held. */
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

    /** A worker's process has gone, or its record, and so have its leases. Called with no lock held. */
    void incarnationEnded(Entry entry) {
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
