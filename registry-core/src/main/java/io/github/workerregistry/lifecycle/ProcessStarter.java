package io.github.workerregistry.lifecycle;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import java.net.InetSocketAddress;
import java.net.SocketException;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts the process of one generation of a worker. The one guard around the controller: whatever that throws, or
 * gives, becomes a {@link SpawnException}.
 */
final class ProcessStarter {

    private static final Logger log = LoggerFactory.getLogger(ProcessStarter.class);

    private final ProcessController processes;

    ProcessStarter(ProcessController processes) {
        this.processes = processes;
    }

    /** A process, and what was asked of it once, under guard. */
    record Started(WorkerProcess process, long pid, CompletionStage<ExitStatus> onExit) {}

    /**
     * Starts it, unless another process listens where it is to be reached.
     *
     * @throws SpawnException if there is no process then
     */
    Started start(SupervisedWorker worker) {
        Launch launch = worker.launch;
        if (!worker.series.spec().listenerOutsideTree()) {
            requireNobodyListens(launch);
        }
        WorkerProcess process = null;
        try {
            process = processes.start(launch.process());
            return new Started(
                    process, process.identity().pid(), requireNonNull(process.onExit(), "the notice of its exit"));
        } catch (SpawnException e) {
            logCommand(launch.process());
            throw e;
        } catch (Throwable t) {
            logCommand(launch.process());
            if (process != null) {
                kill(process);
            }
            throw new SpawnException(
                    launch.process().command(), "the process controller failed: " + LogText.describe(t), t);
        }
    }

    /** The exception does not show it, for it may hold secrets. */
    private static void logCommand(ProcessSpec spec) {
        if (log.isDebugEnabled()) {
            log.debug(
                    "worker {} was not started with {}",
                    spec.workerId(),
                    LogText.of(spec.command().toString()));
        }
    }

    private static void requireNobodyListens(Launch launch) {
        for (InetSocketAddress address : addressesOf(launch)) {
            if (LocalPorts.isListenedOn(address)) {
                String reason = "port " + address.getPort() + " is in use: another process listens on "
                        + address.getAddress().getHostAddress();
                throw new SpawnException(launch.process().command(), reason, null);
            }
        }
    }

    private static Set<InetSocketAddress> addressesOf(Launch launch) {
        Set<InetSocketAddress> addresses = new LinkedHashSet<>();
        launch.port().ifPresent(port -> addresses.addAll(LocalAddresses.loopback(port)));
        try {
            addresses.addAll(LocalAddresses.of(launch.url()));
        } catch (SocketException unknown) {
            log.debug("the addresses of {} cannot be read now", launch.url(), unknown);
        }
        return addresses;
    }

    private static void kill(WorkerProcess process) {
        try {
            process.kill();
        } catch (Throwable t) {
            log.warn("a process could not be killed after a failed start and may be left running", LogText.of(t));
        }
    }
}
