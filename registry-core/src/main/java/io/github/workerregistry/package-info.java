/**
 * The registry: values and the table. No I/O, no process, no thread.
 *
 * <p>Start at {@link io.github.workerregistry.WorkerRegistry}. A {@link io.github.workerregistry.WorkerInfo} is one
 * worker at one moment, a {@link io.github.workerregistry.WorkerState} knows what may follow it, a
 * {@link io.github.workerregistry.SlotLease} holds one slot of one worker, and
 * {@link io.github.workerregistry.WorkerEvent}s tell of the edges in workers' lives.
 */
@NullMarked
package io.github.workerregistry;

import org.jspecify.annotations.NullMarked;
