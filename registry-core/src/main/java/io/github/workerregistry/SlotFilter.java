package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;

/**
 * Which workers of a model may give a slot, where not any will do.
 *
 * <pre>{@code
 * registry.tryAcquire("llama", SlotFilter.any().onBackend("cuda").onDevice(1));
 * registry.acquire("llama", SlotFilter.any().where(worker -> worker.restarts() == 0), timeout);
 * }</pre>
 *
 * <p>Without a filter a slot is found in constant time; with one, every worker of the model may have to be looked at.
 * And while callers with filters wait, whoever takes or frees a slot of their model has it offered to them first: once
 * to all that wait with the same filter (filters are the same if backend and device are equal and the predicate is the
 * same object). So keep a predicate in a constant where many callers may wait with it.
 *
 * @param backend only workers of this backend, if present
 * @param device only workers on this device, if present
 * @param predicate only workers that pass, if present. It is called on whatever thread frees a slot or asks for one,
 *     while the line of this model is held: it must be quick. It may look at the registry, but must not change it, nor
 *     ask for slots itself. If slots of a worker come or go behind its back, it is asked about that worker again. Who
 *     waits with it is looked at again whenever a slot is given back or a worker changes otherwise, not when a slot is
 *     taken, or when something else changes that it may look at. What it throws, the caller who asked with it gets
 */
public record SlotFilter(Optional<String> backend, OptionalInt device, Optional<Predicate<WorkerInfo>> predicate) {

    private static final SlotFilter ANY = new SlotFilter(Optional.empty(), OptionalInt.empty(), Optional.empty());

    /**
     * Checks for null.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if the device is negative
     */
    public SlotFilter {
        requireNonNull(backend, "backend");
        requireNonNull(device, "device");
        requireNonNull(predicate, "predicate");
        device.ifPresent(index -> WorkerInfo.requireNotNegative(index, "device"));
    }

    /**
     * Any worker.
     *
     * @return the filter that lets every worker pass
     */
    public static SlotFilter any() {
        return ANY;
    }

    /**
     * The same, but only workers of one backend.
     *
     * @param backend the backend, as in {@link WorkerInfo#backend()}
     * @return the narrower filter
     */
    public SlotFilter onBackend(String backend) {
        return new SlotFilter(Optional.of(requireNonNull(backend, "backend")), device, predicate);
    }

    /**
     * The same, but only workers on one device.
     *
     * @param device its index, &ge; 0, as in {@link WorkerInfo#device()}
     * @return the narrower filter
     * @throws IllegalArgumentException if the index is negative
     */
    public SlotFilter onDevice(int device) {
        return new SlotFilter(backend, OptionalInt.of(device), predicate);
    }

    /**
     * The same, but only workers that also pass a test of the host's.
     *
     * @param test see the component {@code predicate}
     * @return the narrower filter
     */
    public SlotFilter where(Predicate<WorkerInfo> test) {
        requireNonNull(test, "test");
        Predicate<WorkerInfo> both = predicate.map(before -> before.and(test)).orElse(test);
        return new SlotFilter(backend, device, Optional.of(both));
    }

    boolean isAny() {
        return backend.isEmpty() && device.isEmpty() && predicate.isEmpty();
    }

    /** Whether a worker is of the right kind, as far as that never changes. */
    boolean fits(WorkerInfo worker) {
        return fits(worker.backend(), worker.device());
    }

    boolean fits(String backend, int device) {
        return (this.backend.isEmpty() || this.backend.get().equals(backend))
                && (this.device.isEmpty() || this.device.getAsInt() == device);
    }

    boolean accepts(WorkerInfo worker) {
        return fits(worker) && (predicate.isEmpty() || predicate.get().test(worker));
    }
}
