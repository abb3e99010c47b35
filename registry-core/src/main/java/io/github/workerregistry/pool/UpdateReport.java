package io.github.workerregistry.pool;

import static java.util.Objects.requireNonNull;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * What {@link WorkerPool#update} does with each model. A model is in one of the lists. May gain components.
 *
 * @param unchanged models with an equal spec, that go on as they are; unmodifiable
 * @param live models whose spec has changed in ways that need no other process, or that have no worker; unmodifiable
 * @param surge models whose workers are replaced; the old ones serve until a new one is ready; unmodifiable
 * @param inPlace models whose workers are replaced; the old ones get no new leases any more, and the new one starts
 *     when there is room; unmodifiable
 * @param added new models; unmodifiable
 * @param removed models that are not in the config any more; unmodifiable
 * @param completion completes, on any thread, when each replaced model, also of an earlier update, has a worker of the
 *     new revision that is ready, and no slot of an old one can be acquired. Exceptionally, when all of them have
 *     ended, with the exception of one: {@link ModelLoadFailedException} if no new worker became ready,
 *     {@link NoCapacityException}, {@link PoolClosedException}, {@link io.github.workerregistry.NoWorkerException} if
 *     the model has been removed, or {@link java.util.concurrent.CancellationException} if a later update or
 *     {@link WorkerPool#unload} has ended the replacement
 * @since 0.1
 */
public record UpdateReport(
        List<String> unchanged,
        List<String> live,
        List<String> surge,
        List<String> inPlace,
        List<String> added,
        List<String> removed,
        CompletionStage<Void> completion) {

    /**
     * Copies the lists.
     *
     * @throws NullPointerException if a component is null; the message names it
     */
    public UpdateReport {
        unchanged = List.copyOf(requireNonNull(unchanged, "unchanged"));
        live = List.copyOf(requireNonNull(live, "live"));
        surge = List.copyOf(requireNonNull(surge, "surge"));
        inPlace = List.copyOf(requireNonNull(inPlace, "inPlace"));
        added = List.copyOf(requireNonNull(added, "added"));
        removed = List.copyOf(requireNonNull(removed, "removed"));
        requireNonNull(completion, "completion");
    }
}
