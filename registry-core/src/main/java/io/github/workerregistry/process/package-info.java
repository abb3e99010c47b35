/**
 * Processes of workers: starting them, seeing them end, ending them with everything that they started in turn.
 *
 * <p>Start reading at {@link io.github.workerregistry.process.ProcessController}, the SPI, and
 * {@link io.github.workerregistry.process.WorkerProcess}, what it gives.
 * {@link io.github.workerregistry.process.LocalProcessController} is the implementation for this machine, and says what
 * to know for running a hive in a terminal, under systemd or in a container.
 * {@link io.github.workerregistry.process.OrphanReaper} ends what a hive left behind that was killed.
 * {@link io.github.workerregistry.process.ProcessIdentity} says which process is meant: a pid alone does not.
 *
 * <p>Nothing here starts a thread, and nothing waits for a process but the reaper, and a start that has failed. Whoever
 * holds a {@code WorkerProcess} asks it from time to time.
 */
@NullMarked
package io.github.workerregistry.process;

import org.jspecify.annotations.NullMarked;
