/**
 * Contract checks for implementations of {@link io.github.workerregistry.process.ProcessController} and
 * {@link io.github.workerregistry.health.HealthProbe}, for any test framework or none. Experimental: checks may be
 * added.
 *
 * <p>Start at {@link io.github.workerregistry.testing.contract.ProcessControllerContract} or
 * {@link io.github.workerregistry.testing.contract.HealthProbeContract}: extend it, implement its hooks, and run each
 * of its checks as a test.
 *
 * <h2>Map of the classes</h2>
 *
 * <ul>
 *   <li><b>API</b>: {@code Contract} with {@code ProcessControllerContract} and {@code HealthProbeContract};
 *       {@code ContractCheck} (one check), {@code ContractReport} (the results of all).
 *   <li><b>Checks by subject</b>: {@code ProcessStartChecks}, {@code ProcessExitChecks}, {@code ProcessSignalChecks},
 *       {@code ProcessTreeChecks}, {@code ProcessOutputChecks}; {@code ProbeChecks}; each check is a
 *       {@code SceneCheck}.
 *   <li><b>Fixtures</b>: {@code ProcessScene}, {@code ProbeScene}; {@code PromptProcess} and {@code PromptCalls} call
 *       the implementation and fail if it blocks.
 *   <li><b>Results</b>: {@code Expect}, {@code NotApplicableException}.
 * </ul>
 */
@NullMarked
package io.github.workerregistry.testing.contract;

import org.jspecify.annotations.NullMarked;
