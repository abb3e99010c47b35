/**
 * The life of a worker's process: spawn, ready, health, idle timeout, exit, restart, stop.
 *
 * <p>Start at {@link io.github.workerregistry.lifecycle.WorkerSupervisor}. What to start is a
 * {@link io.github.workerregistry.lifecycle.WorkerSpec}, when to act is a
 * {@link io.github.workerregistry.lifecycle.LifecycleConfig}, whether and when to start a worker again is a
 * {@link io.github.workerregistry.lifecycle.RestartPolicy}. The loops are package-private, one small class each,
 * stepped by {@code tick(now)}.
 */
@NullMarked
package io.github.workerregistry.lifecycle;

import org.jspecify.annotations.NullMarked;
