package io.github.workerregistry.lifecycle;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;

/**
 * What code needs that decides itself which workers of a supervisor run, such as a pool. From
 * {@link WorkerSupervisor#access()}. Thread-safe.
 *
 * @since 0.1
 */
public final class SupervisorAccess {

    private final ScheduledExecutorService scheduler;
    private final Executor blocking;
    private final SupervisedWorkers workers;
    private final ExitProcessor exits;
    private final Spawner spawner;
    private final PauseTracker pauses;

    SupervisorAccess(
            ScheduledExecutorService scheduler,
            Executor blocking,
            SupervisedWorkers workers,
            ExitProcessor exits,
            Spawner spawner,
            PauseTracker pauses) {
        this.scheduler = scheduler;
        this.blocking = blocking;
        this.workers = workers;
        this.exits = exits;
        this.spawner = spawner;
        this.pauses = pauses;
    }

    /**
     * The scheduler on which the loops run.
     *
     * @return the hive's scheduler, as passed to {@link WorkerSupervisor#builder}
     */
    public ScheduledExecutorService scheduler() {
        return scheduler;
    }

    /**
     * The executor of work that may block.
     *
     * @return {@link WorkerSupervisor.Builder#blockingExecutor}; by default the scheduler
     */
    public Executor blockingExecutor() {
        return blocking;
    }

    /**
     * The intervals, timeouts and limits of workers whose spec has none of its own.
     *
     * @return {@link WorkerSupervisor.Builder#lifecycle}
     */
    public LifecycleConfig lifecycle() {
        return workers.defaults().lifecycle();
    }

    /**
     * The restart policy of workers whose spec has none of its own.
     *
     * @return {@link WorkerSupervisor.Builder#restartPolicy}
     */
    public RestartPolicy restartPolicy() {
        return workers.defaults().restartPolicy();
    }

    /**
     * Generates an id, as {@link WorkerSupervisor#spawn} does for a spec without one: for code that must know it before
     * the spawn.
     *
     * @param modelRef the worker's model
     * @return an id that no worker has, and that is not generated again by this supervisor
     */
    public String newId(String modelRef) {
        return spawner.newId(requireNonNull(modelRef, "modelRef"));
    }

    /**
     * Starts a worker as {@link WorkerSupervisor#spawn}, but leases no slot of it, also when it is ready, before
     * {@link io.github.workerregistry.Supervision#beginLeasing}: for code that stops other workers first. A restart
     * leases again.
     *
     * @param spec what to start
     * @return the worker, Loading, with its pid
     * @throws io.github.workerregistry.process.SpawnException as there
     * @throws io.github.workerregistry.DuplicateWorkerException as there
     * @throws PortsExhaustedException as there
     * @throws IllegalArgumentException as there
     * @throws IllegalStateException as there
     */
    public WorkerInfo spawnHeld(WorkerSpec spec) {
        return spawner.spawnHeld(requireNonNull(spec, "spec"));
    }

    /**
     * The time between two instants, without the pauses (suspend, swap, overload) of this JVM that the supervisor has
     * detected. A worker is not used during a pause.
     *
     * @param start the earlier instant, by the registry's clock
     * @param now the later instant, which is not in the future
     * @return the time, &ge; 0; zero if {@code start} is later
     */
    public Duration activeTime(Instant start, Instant now) {
        Duration active = pauses.activeTime(requireNonNull(start, "start"), requireNonNull(now, "now"));
        return active.isNegative() ? Duration.ZERO : active;
    }

    /**
     * Returns a stage that completes when the process of a worker's current generation has exited, however late. Stops
     * nothing, and unlike the stage of {@link WorkerSupervisor#stop} it does not fail if the process survives SIGKILL.
     *
     * @param id the worker's id
     * @param survivedKill run once, on any thread, if the process is found to have survived SIGKILL, see
     *     {@link UnkillableException}; at once if that is known
     * @return completes, on any thread, when the process has exited, also one of a start that returned only after the
     *     worker had been stopped; at once if there is none, and no such worker is supervised here
     */
    public CompletionStage<Void> whenExited(String id, Runnable survivedKill) {
        SupervisedWorker worker = workers.get(requireNonNull(id, "id"));
        requireNonNull(survivedKill, "survivedKill");
        if (worker == null) {
            return exits.late(id)
                    .map(late -> whenExited(late, survivedKill))
                    .orElseGet(() -> CompletableFuture.completedFuture(null));
        }
        worker.exit.whenComplete((status, failure) -> {
            if (failure instanceof UnkillableException) {
                DeferredCallBacks.run(survivedKill);
            }
        });
        return HiveFutures.forHive(worker.gone);
    }

    private static CompletableFuture<Void> whenExited(LateProcess late, Runnable survivedKill) {
        late.survivor().thenRun(() -> DeferredCallBacks.run(survivedKill));
        return HiveFutures.forHive(late.gone());
    }
}
