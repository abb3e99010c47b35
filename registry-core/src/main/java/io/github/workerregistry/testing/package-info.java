/**
 * Virtual time, fake processes and scripted probes: a hive's reaction to crashed or idle workers is tested in
 * milliseconds.
 *
 * <p>Start at {@link io.github.workerregistry.testing.VirtualTime}: the clock of the registry and the scheduler of the
 * supervisor. {@link io.github.workerregistry.testing.FakeProcessController} replaces real processes,
 * {@link io.github.workerregistry.testing.ScriptedHealthProbe} replaces real health checks, and
 * {@link io.github.workerregistry.testing.RecordingListener} records events.
 *
 * <p>To test an implementation of {@link io.github.workerregistry.process.ProcessController} or
 * {@link io.github.workerregistry.health.HealthProbe}, see {@link io.github.workerregistry.testing.contract}.
 *
 * <h2>Map of the classes</h2>
 *
 * <ul>
 *   <li><b>API</b>: {@code VirtualTime}, {@code FakeProcessController}, {@code ScriptedHealthProbe},
 *       {@code RecordingListener}.
 *   <li><b>Internal</b>: {@code FakeProcess} (one process of the fake controller).
 * </ul>
 */
@NullMarked
package io.github.workerregistry.testing;

import org.jspecify.annotations.NullMarked;
