package io.github.workerregistry.process;

/**
 * Starts the processes of workers. Implement this SPI to start them in another way: a container, a remote agent, a
 * fake.
 *
 * <p>{@link LocalProcessController} starts processes on this machine;
 * {@link io.github.workerregistry.testing.FakeProcessController} is for unit tests. Implementations are thread-safe.
 * {@link io.github.workerregistry.testing.contract.ProcessControllerContract} verifies an implementation.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface ProcessController {

    /**
     * Starts a process and returns without waiting for it to be ready.
     *
     * <p>Called on the spawning thread (the caller of {@code spawn}, or the supervisor's blocking executor), with no
     * lock held; may block while the process is started.
     *
     * @param spec what to start
     * @return the running process
     * @throws SpawnException if it could not be started; then no process and no file is left behind
     */
    WorkerProcess start(ProcessSpec spec);

    /**
     * Kills processes that an earlier run of this hive left running when it died.
     *
     * <p>Called once while a supervisor is built, on the building thread, before any process is started; may block for
     * a few seconds if there are orphans. An exception is logged at WARN, and the supervisor still starts.
     *
     * @return the orphans found; the default implementation searches for none and reports that this is not supported
     */
    default OrphanReport reapOrphans() {
        return OrphanReport.unsupported();
    }
}
