package io.github.workerregistry.lifecycle;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.ProcessController;
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
 * Starts the process of one generation of a worker. The one guard around the controller: its exceptions and invalid
 * results become a {@link SpawnException}.
 */
final class ProcessStarter {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private final ProcessController processes;

    ProcessStarter(ProcessController processes) {
        this.processes = processes;
    }

    /** A process, with its pid and exit future, which are read once and guarded. */
    record Started(WorkerProcess process, long pid, CompletionStage<ExitStatus> onExit) {}

    /**
     * Starts the process, unless another process listens at its port or url.
     *
     * @throws SpawnException if the process was not started
     */
    Started start(SupervisedWorker worker) {
        Launch launch = worker.launch;
        if (!worker.series.spec().listenerOutsideTree()) {
            requireUnusedAddress(worker);
        }
        WorkerProcess process = null;
        try {
            process = processes.start(launch.process());
            return new Started(process, process.identity().pid(), requireNonNull(process.onExit(), "onExit()"));
        } catch (SpawnException e) {
            logCommand(worker);
            throw e;
        } catch (Throwable t) {
            logCommand(worker);
            if (process != null) {
                kill(worker, process);
            }
            throw new SpawnException(
                    launch.process().command(), "the process controller failed: " + LogText.describe(t), t);
        }
    }

    /** At DEBUG only: the exception omits the arguments, which may be secrets. */
    private static void logCommand(SupervisedWorker worker) {
        if (log.isDebugEnabled()) {
            log.debug(
                    "worker {} was not started with {}",
                    worker.name,
                    LogText.of(worker.launch.process().command().toString()));
        }
    }

    private static void requireUnusedAddress(SupervisedWorker worker) {
        for (InetSocketAddress address : addressesOf(worker)) {
            if (LocalPorts.isListenedOn(address)) {
                String reason = "port " + address.getPort() + " is in use: another process listens on "
                        + address.getAddress().getHostAddress();
                throw new SpawnException(worker.launch.process().command(), reason, null);
            }
        }
    }

    private static Set<InetSocketAddress> addressesOf(SupervisedWorker worker) {
        Launch launch = worker.launch;
        Set<InetSocketAddress> addresses = new LinkedHashSet<>();
        launch.port().ifPresent(port -> addresses.addAll(LocalAddresses.loopback(port)));
        try {
            addresses.addAll(LocalAddresses.of(launch.url()));
        } catch (SocketException unknown) {
            log.debug("worker {}: the addresses of {} cannot be read now", worker.name, launch.url(), unknown);
        }
        return addresses;
    }

    private static void kill(SupervisedWorker worker, WorkerProcess process) {
        try {
            process.kill();
        } catch (Throwable t) {
            log.warn(
                    "worker {}: process {} could not be killed after a failed start and may be left running",
                    worker.name,
                    pidOf(process),
                    LogText.of(t));
        }
    }

    /** For the log; the controller may have failed because there is no pid. */
    private static String pidOf(WorkerProcess process) {
        try {
            return Long.toString(process.identity().pid());
        } catch (Throwable t) { // foreign code
            return "without a known pid";
        }
    }
}
