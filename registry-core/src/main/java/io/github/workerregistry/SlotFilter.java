package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.Checks;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Predicate;

/**
 * Restricts which workers of a model may serve a request.
 *
 * <pre>{@code
 * registry.tryAcquire("llama", SlotFilter.any().onBackend("cuda").onDevice(1));
 * registry.acquire("llama", SlotFilter.any().where(worker -> worker.restarts() == 0), timeout);
 * }</pre>
 *
 * <p>Without a filter, a slot is found in constant time; with one, every worker of the model may have to be tested.
 * While callers with filters wait, each thread that acquires or releases a slot of the model first offers it to them,
 * once per distinct filter. Two filters are the same if backend and device are equal and the predicate is the same
 * object. So keep a predicate in a constant if many callers may wait with it.
 *
 * @param backend only workers of this backend, if present
 * @param device only workers on this device, if present
 * @param predicate only workers that pass, if present. It is called on any thread that releases or requests a slot,
 *     with the lock of the model's wait queue held: it must be fast. It may read the registry, but must not change it
 *     or request slots. If a worker's occupancy changes during the test, the predicate is called again. A waiter's
 *     predicate is tested again whenever a slot is released or a worker changes otherwise; not when a slot is acquired,
 *     or when other data that it reads changes. Its exceptions are thrown to the caller that passed it
 * @since 0.1
 */
public record SlotFilter(Optional<String> backend, OptionalInt device, Optional<Predicate<WorkerInfo>> predicate) {

    private static final SlotFilter ANY = new SlotFilter(Optional.empty(), OptionalInt.empty(), Optional.empty());

    /**
     * Checks the components.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if the device is negative
     */
    public SlotFilter {
        requireNonNull(backend, "backend");
        requireNonNull(device, "device");
        requireNonNull(predicate, "predicate");
        device.ifPresent(index -> Checks.requireAtLeast(0, index, "device"));
    }

    /**
     * Accepts any worker.
     *
     * @return the filter without restrictions
     */
    public static SlotFilter any() {
        return ANY;
    }

    /**
     * This filter, restricted to workers of one backend.
     *
     * @param backend the backend, as in {@link WorkerInfo#backend()}
     * @return the narrower filter
     */
    public SlotFilter onBackend(String backend) {
        return new SlotFilter(Optional.of(requireNonNull(backend, "backend")), device, predicate);
    }

    /**
     * This filter, restricted to workers on one device.
     *
     * @param device its index, &ge; 0, as in {@link WorkerInfo#device()}
     * @return the narrower filter
     * @throws IllegalArgumentException if the index is negative
     */
    public SlotFilter onDevice(int device) {
        return new SlotFilter(backend, OptionalInt.of(device), predicate);
    }

    /**
     * This filter, restricted to workers that also pass a predicate.
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

    /** Whether backend and device match; these never change. */
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
