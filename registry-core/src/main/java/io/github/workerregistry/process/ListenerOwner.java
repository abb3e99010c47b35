package io.github.workerregistry.process;

import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Tells whether the sockets that listen at an address are held by given processes. */
final class ListenerOwner {

    private ListenerOwner() {}

    /**
     * Whether all that listen there are held by some of the processes.
     *
     * @return empty if nobody listens there, or a process may not be looked at that may hold one
     * @throws UnreadableException if that cannot be told now
     */
    static Optional<Boolean> isAmong(List<ProcessIdentity> processes, InetSocketAddress address) {
        Reading<ListeningSockets> sockets = ListeningSockets.read();
        if (sockets.hasFailed()) {
            throw new UnreadableException("who listens", null);
        }
        Set<Long> wanted = new HashSet<>(
                sockets.value().map(listening -> listening.reachedAt(address)).orElse(Set.of()));
        if (wanted.isEmpty()) {
            return Optional.empty();
        }
        boolean failed = false;
        boolean refused = false;
        for (ProcessIdentity process : processes) {
            Reading<Set<Long>> held = HeldSockets.of(process);
            held.value().ifPresent(wanted::removeAll);
            failed |= held.hasFailed();
            refused |= held.outcome() == Reading.Outcome.REFUSED;
        }
        if (wanted.isEmpty()) {
            return Optional.of(true);
        }
        if (failed) {
            throw new UnreadableException("the sockets of a process", null);
        }
        return refused ? Optional.empty() : Optional.of(false);
    }
}
