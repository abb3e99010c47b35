/**
 * Health checks of workers.
 *
 * <p>Start at {@link io.github.workerregistry.health.HealthProbe}: one method that returns a
 * {@link io.github.workerregistry.health.HealthStatus}. The implementations are
 * {@link io.github.workerregistry.health.HttpHealthProbe} and {@link io.github.workerregistry.health.TcpHealthProbe}.
 * The package {@link io.github.workerregistry.lifecycle} schedules the checks and acts on the results.
 */
@NullMarked
package io.github.workerregistry.health;

import org.jspecify.annotations.NullMarked;
