/**
 * Virtual time, fake processes and scripted probes, so that a host app can test, in milliseconds, what it does when a
 * worker crashes or idles.
 *
 * <p>Start at {@link io.github.workerregistry.testing.VirtualTime}; give it to the registry as clock and to the
 * supervisor as scheduler.
 *
 * <p>Whoever writes a {@link io.github.workerregistry.process.ProcessController} or a
 * {@link io.github.workerregistry.health.HealthProbe} finds here what it has to keep:
 * {@link io.github.workerregistry.testing.ProcessControllerContract} and
 * {@link io.github.workerregistry.testing.HealthProbeContract}.
 */
@NullMarked
package io.github.workerregistry.testing;

import org.jspecify.annotations.NullMarked;
