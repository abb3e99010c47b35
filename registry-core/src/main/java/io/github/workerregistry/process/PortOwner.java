package io.github.workerregistry.process;

import java.net.InetSocketAddress;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Determines whether given processes own the listening sockets of an address. */
final class PortOwner {

    private PortOwner() {}

    /**
     * Whether all sockets that listen at the address belong to the processes.
     *
     * @return empty if no socket listens there, or if a process that may own one may not be read
     * @throws UnreadableException if that cannot be read now
     */
    static Optional<Boolean> isAmong(List<ProcessIdentity> processes, InetSocketAddress address) {
        Reading<ListeningSockets> sockets = ListeningSockets.read();
        if (sockets.hasFailed()) {
            throw new UnreadableException("the list of listening sockets", null);
        }
        Set<Long> wanted = new HashSet<>(
                sockets.value().map(listening -> listening.reachableAt(address)).orElse(Set.of()));
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
