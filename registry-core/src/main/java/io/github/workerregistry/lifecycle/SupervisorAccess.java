package io.github.workerregistry.lifecycle;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * What code needs that decides itself which workers of a supervisor run, such as a pool. From
 * {@link WorkerSupervisor#access()}. Thread-safe.
 *
 * @since 0.1
 */
public final class SupervisorAccess {

    private final SupervisedWorkers workers;
    private final PauseTracker pauses;

    SupervisorAccess(SupervisedWorkers workers, PauseTracker pauses) {
        this.workers = workers;
        this.pauses = pauses;
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
     * @return completes, on any thread, when the process has exited; at once if no such worker is supervised here
     */
    public CompletionStage<Void> whenExited(String id, Runnable survivedKill) {
        SupervisedWorker worker = workers.get(requireNonNull(id, "id"));
        requireNonNull(survivedKill, "survivedKill");
        if (worker == null) {
            return CompletableFuture.completedFuture(null);
        }
        worker.exit.whenComplete((status, failure) -> {
            if (failure instanceof UnkillableException) {
                DeferredCallBacks.run(survivedKill);
            }
        });
        return HiveFutures.forHive(worker.gone);
    }
}
