package io.github.workerregistry.process;

/**
 * Starts the processes of workers. The SPI for people who start them in another way: a container, a remote agent, a
 * fake.
 *
 * <p>{@link LocalProcessController} is the one for real processes on this machine;
 * {@link io.github.workerregistry.testing.FakeProcessController} is the one for unit tests. Implementations are
 * thread-safe. Whether yours keeps every promise made here, a
 * {@link io.github.workerregistry.testing.ProcessControllerContract} tells.
 */
@FunctionalInterface
public interface ProcessController {

    /**
     * Starts a process and returns without waiting for it to be ready.
     *
     * <p>Called on the thread that spawns (the caller of {@code spawn}, or the supervisor's blocking executor); may
     * block as long as starting a process takes. No lock is held.
     *
     * @param spec what to start
     * @return the running process
     * @throws SpawnException if it could not be started; then nothing is left behind: no process, no file
     */
    WorkerProcess start(ProcessSpec spec);

    /**
     * Ends what an earlier run of this hive left running when it died.
     *
     * <p>Called once, while a supervisor is built, on the thread that builds it and before anything is started; may
     * block for a few seconds if there is something to end. Whatever this throws is logged at WARN, and the supervisor
     * starts all the same.
     *
     * @return what was found; the default looks for nothing and says that this is not supported
     */
    default OrphanReport reapOrphans() {
        return OrphanReport.unsupported();
    }
}
