/**
 * Health checks of workers.
 *
 * <p>Start at {@link io.github.workerregistry.health.HealthProbe}: one method that returns a
 * {@link io.github.workerregistry.health.HealthStatus}. The implementations are
 * {@link io.github.workerregistry.health.HttpHealthProbe} and {@link io.github.workerregistry.health.TcpHealthProbe}.
 * The package {@link io.github.workerregistry.lifecycle} schedules the checks and acts on the results.
 *
 * <h2>Map of the classes</h2>
 *
 * <ul>
 *   <li><b>API</b>: {@code HealthProbe}, {@code HealthStatus}, {@code HttpHealthProbe}, {@code TcpHealthProbe}.
 *   <li><b>Internal</b>: {@code DiscardingSubscriber} (reads the body of an HTTP response to its end).
 * </ul>
 */
@NullMarked
package io.github.workerregistry.health;

import org.jspecify.annotations.NullMarked;
