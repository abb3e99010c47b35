package io.github.workerregistry.lifecycle;

import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.WorkerProcess;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds out whether what listens at the url of a worker is the worker itself. The one guard around
 * {@link WorkerProcess#ownsListener}.
 */
final class ListenerCheck {

    private static final Logger log = LoggerFactory.getLogger(ListenerCheck.class);

    /** Whose socket it is. */
    enum Listener {
        OWN,
        /** Another process's, or one that a part of the connections reaches. */
        OTHER,
        /** Nothing here can tell. */
        UNKNOWN,
        /** It could not be told this time. */
        UNREADABLE
    }

    private ListenerCheck() {}

    /** Who listens where a worker is reached; at {@code localhost}, on both addresses that this may mean. */
    static Listener at(String url, SupervisedWorker worker, WorkerProcess process) {
        try {
            return among(LocalAddresses.of(url), worker, process);
        } catch (SocketException e) { // no descriptor is free
            log.debug("worker {}: who listens at {} cannot be told now", worker.id, url, LogText.of(e));
            return Listener.UNREADABLE;
        }
    }

    private static Listener among(List<InetSocketAddress> addresses, SupervisedWorker worker, WorkerProcess process) {
        Listener found = Listener.UNKNOWN;
        for (InetSocketAddress address : addresses) {
            Listener here = at(address, worker, process);
            if (here == Listener.OTHER || here == Listener.UNREADABLE) {
                return here;
            }
            found = here == Listener.OWN ? here : found;
        }
        return found;
    }

    private static Listener at(InetSocketAddress address, SupervisedWorker worker, WorkerProcess process) {
        try {
            Optional<Boolean> owns = process.ownsListener(address);
            return owns.map(own -> own ? Listener.OWN : Listener.OTHER).orElse(Listener.UNKNOWN);
        } catch (Throwable t) { // foreign code, or no descriptor is free
            log.debug("worker {}: who listens at {} cannot be told now", worker.id, address, LogText.of(t));
            return Listener.UNREADABLE;
        }
    }
}
