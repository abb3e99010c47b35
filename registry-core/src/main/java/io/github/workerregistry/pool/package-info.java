/**
 * Which workers run: loads a model when a request waits for it, keeps within the room of the devices, and makes room by
 * evicting another model.
 *
 * <p>Start at {@link io.github.workerregistry.pool.WorkerPool}. A {@link io.github.workerregistry.pool.PoolConfig} has
 * the devices and the {@link io.github.workerregistry.pool.ModelSpec}s.
 *
 * <h2>Map of the classes</h2>
 *
 * <ul>
 *   <li><b>API</b>: the three above, {@code EvictionPolicy}, {@code Admission}; {@code ModelStatus}, {@code PoolStats},
 *       {@code PoolListener}, {@code PoolEvent}, {@code EvictionReason}, {@code UpdateReport}; the exceptions
 *       {@code UnknownModelException}, {@code ModelLoadFailedException}, {@code NoCapacityException},
 *       {@code PoolClosedException}.
 *   <li><b>The planner</b>, pure functions over data: {@code Planner} from {@code PoolSnapshot} ({@code ModelSnapshot},
 *       {@code WorkerSnapshot}, {@code Demand}) to {@code Plan}; with {@code Need} (one worker that a model needs),
 *       {@code Room} and {@code Placement} (units on devices), {@code Victims} (what may be evicted),
 *       {@code ScaleDown}, {@code Switchover} (from old workers to a new revision).
 *   <li><b>The runner</b>: {@code PoolRunner} (snapshot, plan, effects), {@code SerialPasses} (one pass after another),
 *       {@code PlanRunner} (the steps of a plan), {@code WorkerStarter} (starts and ends workers through the
 *       supervisor), {@code WakeUp} (the one timer), {@code PoolFeed} (listeners).
 *   <li><b>Updates of the config</b>: {@code Revision} (what only another process changes), {@code UpdatePlan} (what
 *       happens to each model), {@code Updater} (does it), {@code ModelReplacement}.
 *   <li><b>Its state</b>: {@code PooledWorkers}, {@code PooledModel}, {@code PooledWorker}, {@code LoadFailures},
 *       {@code LoadFailure}, {@code ModelTotals}.
 *   <li><b>Checks</b>: {@code Faults}, {@code CapacityCheck}. <b>After the end</b>: {@code NoSlot}.
 * </ul>
 *
 * <p>Reading order: {@code Planner}, with {@code Victims}; then {@code PoolRunner}.
 */
@NullMarked
package io.github.workerregistry.pool;

import org.jspecify.annotations.NullMarked;
