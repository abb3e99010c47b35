/**
 * Contract checks for implementations of {@link io.github.workerregistry.process.ProcessController} and
 * {@link io.github.workerregistry.health.HealthProbe}, for any test framework or none. Experimental: checks may be
 * added.
 *
 * <p>Start at {@link io.github.workerregistry.testing.contract.ProcessControllerContract} or
 * {@link io.github.workerregistry.testing.contract.HealthProbeContract}: extend it, implement its hooks, and run each
 * of its checks as a test. Internally, a {@code …Scene} is the fixture of a check and {@code …Checks} are the checks by
 * subject; {@link io.github.workerregistry.testing.contract.ContractReport} contains the results.
 */
@NullMarked
package io.github.workerregistry.testing.contract;

import org.jspecify.annotations.NullMarked;
