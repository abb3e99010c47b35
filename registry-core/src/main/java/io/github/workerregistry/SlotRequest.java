package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.Checks;
import io.github.workerregistry.internal.LogText;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Which slot a caller wants: a model, and what else the worker must have. Data only, so that a waiting request is
 * matched without foreign code.
 *
 * <pre>{@code
 * SlotRequest request = SlotRequest.forModel("llama").onBackend("cuda").withLabel("tier", "fast");
 * Optional<SlotLease> now = registry.tryAcquire(request);
 * SlotLease lease = registry.acquire(request.affinity("session-42"), Duration.ofSeconds(30));
 * }</pre>
 *
 * <p>A request without constraints (backend, device, labels, excluded workers) or an affinity key finds its slot in
 * constant time; with constraints, every worker of the model may have to be tested. For what data cannot express, test
 * the records of {@link WorkerRegistry#list(String)} and use {@link WorkerRegistry#tryAcquireFrom}.
 *
 * <p>Immutable; each method returns a changed copy.
 *
 * @since 0.1
 */
public final class SlotRequest {

    private static final Constraints NONE = new Constraints(Optional.empty(), OptionalInt.empty(), Map.of(), Set.of());

    private final String modelRef;
    private final Constraints constraints;
    private final boolean unconstrained;
    private final @Nullable String affinity;
    private final int priority;
    private final boolean waitIfAbsent;

    private SlotRequest(
            String modelRef, Constraints constraints, @Nullable String affinity, int priority, boolean waitIfAbsent) {
        this.modelRef = modelRef;
        this.constraints = constraints;
        this.unconstrained = constraints.equals(NONE);
        this.affinity = affinity;
        this.priority = priority;
        this.waitIfAbsent = waitIfAbsent;
    }

    /** What the worker must have. All of it is constant for a registered worker. */
    record Constraints(Optional<String> backend, OptionalInt device, Map<String, String> labels, Set<String> excluded) {

        boolean accept(WorkerInfo worker) {
            return accept(worker.id(), worker.backend(), worker.device(), worker.labels());
        }

        /** The same for a worker whose record is not kept. */
        boolean accept(String workerId, String backend, int device, Map<String, String> labels) {
            return (this.backend.isEmpty() || this.backend.get().equals(backend))
                    && (this.device.isEmpty() || WorkerInfo.isOn(this.device.getAsInt(), device, labels))
                    && acceptLabels(labels)
                    && !excluded.contains(workerId);
        }

        private boolean acceptLabels(Map<String, String> labels) {
            for (Map.Entry<String, String> wanted : this.labels.entrySet()) {
                if (!wanted.getValue().equals(labels.get(wanted.getKey()))) {
                    return false;
                }
            }
            return true;
        }
    }

    /**
     * A request for a slot of any worker of a model.
     *
     * @param modelRef the model, as in {@link WorkerInfo#modelRef()}; any text
     * @return the request, with priority 0
     */
    public static SlotRequest forModel(String modelRef) {
        return new SlotRequest(requireNonNull(modelRef, "modelRef"), NONE, null, 0, false);
    }

    /**
     * This request, for another model, such as the one that an alias stands for.
     *
     * @param modelRef the model
     * @return the changed request
     */
    public SlotRequest withModel(String modelRef) {
        return new SlotRequest(requireNonNull(modelRef, "modelRef"), constraints, affinity, priority, waitIfAbsent);
    }

    /**
     * This request, restricted to workers of one backend.
     *
     * @param backend the backend, as in {@link WorkerInfo#backend()}
     * @return the changed request
     */
    public SlotRequest onBackend(String backend) {
        return with(new Constraints(
                Optional.of(requireNonNull(backend, "backend")),
                constraints.device,
                constraints.labels,
                constraints.excluded));
    }

    /**
     * This request, restricted to workers on one device.
     *
     * @param device its index, &ge; 0, as in {@link WorkerInfo#device()}; also one of {@link WorkerInfo#devices()}
     * @return the changed request
     * @throws IllegalArgumentException if the index is negative
     */
    public SlotRequest onDevice(int device) {
        Checks.requireAtLeast(0, device, "device");
        return with(
                new Constraints(constraints.backend, OptionalInt.of(device), constraints.labels, constraints.excluded));
    }

    /**
     * This request, restricted to workers with a label. Labels accumulate: the worker must have all of them.
     *
     * @param name the name of the label, as in {@link WorkerInfo#labels()}
     * @param value its value
     * @return the changed request
     */
    public SlotRequest withLabel(String name, String value) {
        Map<String, String> labels = new TreeMap<>(constraints.labels);
        labels.put(requireNonNull(name, "name"), requireNonNull(value, "value"));
        return with(new Constraints(constraints.backend, constraints.device, Map.copyOf(labels), constraints.excluded));
    }

    /**
     * This request, without one worker, such as the one that has just failed it. Exclusions accumulate.
     *
     * @param workerId the worker's id
     * @return the changed request
     */
    public SlotRequest excluding(String workerId) {
        Set<String> excluded = new TreeSet<>(constraints.excluded);
        excluded.add(requireNonNull(workerId, "workerId"));
        return with(new Constraints(constraints.backend, constraints.device, constraints.labels, Set.copyOf(excluded)));
    }

    /**
     * This request, with a preference for the worker that last served a request with the same key and model: it has
     * that conversation's prompt in its cache, for example. Never a condition: if that worker has no free slot, does
     * not match, or is much more loaded than others (more slots in use than {@code min + 2} or {@code 1.5 · min + 1},
     * where {@code min} is the fewest slots in use of a matching worker), the least loaded matching worker serves the
     * request, whatever the {@link SlotSelection}, and the key moves to it. So does a new key.
     *
     * <p>A key is forgotten when its worker is restarted or removed, when it has not been used for
     * {@link WorkerRegistry.Builder#affinityTtl}, and when the model has more keys than
     * {@link WorkerRegistry.Builder#affinityCapacity}.
     *
     * @param key any text that identifies the conversation, session or prompt prefix
     * @return the changed request
     */
    public SlotRequest affinity(String key) {
        return new SlotRequest(modelRef, constraints, requireNonNull(key, "key"), priority, waitIfAbsent);
    }

    /**
     * This request, with another priority. Orders requests that wait for the same model: higher priority first, then
     * first come, first served. A steady flow of requests of a higher priority delays those of a lower one without
     * limit.
     *
     * @param priority any number; default 0
     * @return the changed request
     */
    public SlotRequest priority(int priority) {
        return new SlotRequest(modelRef, constraints, affinity, priority, waitIfAbsent);
    }

    /**
     * This request, but waiting also while no worker can serve it, for a hive that starts workers on demand. Overrides
     * {@link WorkerRegistry.Builder#failIfAbsent}.
     *
     * @return the changed request
     */
    public SlotRequest waitIfAbsent() {
        return new SlotRequest(modelRef, constraints, affinity, priority, true);
    }

    private SlotRequest with(Constraints changed) {
        return new SlotRequest(modelRef, changed, affinity, priority, waitIfAbsent);
    }

    /**
     * The model.
     *
     * @return the model
     */
    public String modelRef() {
        return modelRef;
    }

    /**
     * The backend that the worker must have.
     *
     * @return the backend; empty for any
     */
    public Optional<String> backend() {
        return constraints.backend;
    }

    /**
     * The device that the worker must run on.
     *
     * @return its index; empty for any
     */
    public OptionalInt device() {
        return constraints.device;
    }

    /**
     * The labels that the worker must have.
     *
     * @return an unmodifiable map from name to value
     */
    public Map<String, String> labels() {
        return constraints.labels;
    }

    /**
     * The workers that must not serve this request.
     *
     * @return an unmodifiable set of ids
     */
    public Set<String> excluded() {
        return constraints.excluded;
    }

    /**
     * The affinity key.
     *
     * @return the key; empty if there is none
     */
    public Optional<String> affinity() {
        return Optional.ofNullable(affinity);
    }

    /**
     * The priority.
     *
     * @return the priority; higher is served first
     */
    public int priority() {
        return priority;
    }

    /**
     * Whether the request waits also while no worker can serve it.
     *
     * @return true after {@link #waitIfAbsent()}
     */
    public boolean waitsIfAbsent() {
        return waitIfAbsent;
    }

    /**
     * Whether a worker meets the constraints of this request, and serves its model. Its state and load do not matter.
     *
     * @param worker the worker
     * @return true if it may serve the request
     */
    public boolean matches(WorkerInfo worker) {
        return requireNonNull(worker, "worker").modelRef().equals(modelRef) && constraints.accept(worker);
    }

    Constraints constraints() {
        return constraints;
    }

    /** The same constraints, without affinity key and priority. */
    SlotRequest constraintsOnly() {
        return new SlotRequest(modelRef, constraints, null, 0, waitIfAbsent);
    }

    /** Whether any worker of the model may serve it. */
    boolean isUnconstrained() {
        return unconstrained;
    }

    @Nullable
    String affinityKey() {
        return affinity;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof SlotRequest request
                && modelRef.equals(request.modelRef)
                && constraints.equals(request.constraints)
                && affinity().equals(request.affinity())
                && priority == request.priority
                && waitIfAbsent == request.waitIfAbsent;
    }

    @Override
    public int hashCode() {
        return 31 * (31 * modelRef.hashCode() + constraints.hashCode())
                + affinity().hashCode();
    }

    /** What is requested, on one line: {@code "hf:model on backend cuda, label tier=fast, not w-1, priority 5"}. */
    @Override
    public String toString() {
        return LogText.of(modelRef)
                + describeConstraints()
                + (affinity == null ? "" : ", affinity " + LogText.of(affinity))
                + (priority == 0 ? "" : ", priority " + priority)
                + (waitIfAbsent ? ", waits if absent" : "");
    }

    /** The constraints, for the end of a message; empty if there are none. */
    String describeConstraints() {
        StringBuilder text = new StringBuilder();
        constraints.backend.ifPresent(backend -> text.append(" on backend ").append(LogText.of(backend)));
        constraints.device.ifPresent(device -> text.append(" on device ").append(device));
        new TreeMap<>(constraints.labels)
                .forEach((name, value) -> text.append(" with label ")
                        .append(LogText.of(name))
                        .append('=')
                        .append(LogText.of(value)));
        new TreeSet<>(constraints.excluded)
                .forEach(id -> text.append(" other than ").append(LogText.of(id)));
        return text.toString();
    }
}
