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
 * Determines whether the server at the url of a worker is the worker itself. The one guard around
 * {@link WorkerProcess#ownsListener}.
 */
final class PortOwnerCheck {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    /** The owner of the listening socket. */
    enum Owner {
        OWN,
        /** Another process, for some of the connections at least. */
        OTHER,
        /** Cannot be determined for this worker, or on this platform. */
        UNKNOWN,
        /** Cannot be determined now. */
        UNREADABLE
    }

    private PortOwnerCheck() {}

    /**
     * The owner of the listener at the url of a worker; for {@code localhost}, at both addresses that it stands for.
     */
    static Owner at(String url, SupervisedWorker worker, WorkerProcess process) {
        try {
            return among(LocalAddresses.of(url), worker, process);
        } catch (SocketException e) { // no descriptor is free
            log.debug("worker {}: the listener at {} cannot be determined now", worker.name, url, LogText.of(e));
            return Owner.UNREADABLE;
        }
    }

    private static Owner among(List<InetSocketAddress> addresses, SupervisedWorker worker, WorkerProcess process) {
        Owner found = Owner.UNKNOWN;
        for (InetSocketAddress address : addresses) {
            Owner here = at(address, worker, process);
            if (here == Owner.OTHER || here == Owner.UNREADABLE) {
                return here;
            }
            found = here == Owner.OWN ? here : found;
        }
        return found;
    }

    private static Owner at(InetSocketAddress address, SupervisedWorker worker, WorkerProcess process) {
        try {
            Optional<Boolean> owns = process.ownsListener(address);
            return owns.map(own -> own ? Owner.OWN : Owner.OTHER).orElse(Owner.UNKNOWN);
        } catch (Throwable t) { // foreign code, or no descriptor is free
            log.debug("worker {}: the listener at {} cannot be determined now", worker.name, address, LogText.of(t));
            return Owner.UNREADABLE;
        }
    }
}
