package io.github.workerregistry.pool;

import static io.github.workerregistry.internal.Checks.requireName;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.lifecycle.WorkerSpec;
import java.time.Duration;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A model of a {@link WorkerPool}: the workers that serve it, and what each of them needs.
 *
 * <pre>{@code
 * ModelSpec.builder("llama-70b").alias("gpt-4o").backend("cuda").units(20_000)
 *         .worker(WorkerSpec.builder().command("llama-server", "-m", "llama.gguf", "--port", "{port}").slots(4))
 *         .maxWorkers(2).build();
 * }</pre>
 *
 * <p>Immutable; two specs with equal values are equal.
 *
 * @since 0.1
 */
public final class ModelSpec {

    private final Values values;

    /** All values, each checked. */
    private record Values(
            String modelRef,
            Set<String> aliases,
            String backend,
            long units,
            WorkerSpec worker,
            int minWorkers,
            int maxWorkers,
            Duration minResidency,
            Duration scaleUpDelay,
            boolean evictable,
            Optional<Admission> admission,
            Set<Integer> devices,
            int spanning,
            Optional<Duration> evictionDrainTimeout) {}

    private ModelSpec(Values values) {
        this.values = values;
    }

    /**
     * A builder with the defaults set. A worker template is required.
     *
     * @param modelRef the model, a name as in {@link io.github.workerregistry.WorkerInfo}
     * @return a new builder
     */
    public static Builder builder(String modelRef) {
        return new Builder(requireNonNull(modelRef, "modelRef"));
    }

    /**
     * The model.
     *
     * @return a name
     */
    public String modelRef() {
        return values.modelRef;
    }

    /**
     * Its other names.
     *
     * @return an unmodifiable set
     */
    public Set<String> aliases() {
        return values.aliases;
    }

    /**
     * The backend of the devices that its workers run on.
     *
     * @return a name
     */
    public String backend() {
        return values.backend;
    }

    /**
     * What a worker claims on each of its devices.
     *
     * @return &ge; 0
     */
    public long units() {
        return values.units;
    }

    /**
     * The template of its workers, for the lowest device that the model may have.
     *
     * @return the spec of a worker, without id
     */
    public WorkerSpec worker() {
        return values.worker;
    }

    /**
     * The number of workers that are kept loaded.
     *
     * @return &ge; 0
     */
    public int minWorkers() {
        return values.minWorkers;
    }

    /**
     * The largest number of workers.
     *
     * @return &ge; 1, at least {@code minWorkers}
     */
    public int maxWorkers() {
        return values.maxWorkers;
    }

    /**
     * How long a worker is not evicted after it became ready.
     *
     * @return &ge; 0
     */
    public Duration minResidency() {
        return values.minResidency;
    }

    /**
     * How long a request waits before a worker beyond the first is started for it.
     *
     * @return &ge; 0
     */
    public Duration scaleUpDelay() {
        return values.scaleUpDelay;
    }

    /**
     * Whether its workers may be evicted for other models.
     *
     * @return true unless set
     */
    public boolean evictable() {
        return values.evictable;
    }

    /**
     * What happens if there is no room for it.
     *
     * @return its own admission; empty: that of the pool
     */
    public Optional<Admission> admission() {
        return values.admission;
    }

    /**
     * The devices of the backend that its workers may run on.
     *
     * @return an unmodifiable set of indices; empty: all of them
     */
    public Set<Integer> devices() {
        return values.devices;
    }

    /**
     * The number of devices that each worker runs on.
     *
     * @return &ge; 1
     */
    public int spanning() {
        return values.spanning;
    }

    /**
     * How long a busy worker that is evicted may drain.
     *
     * @return &gt; 0; empty: without limit
     */
    public Optional<Duration> evictionDrainTimeout() {
        return values.evictionDrainTimeout;
    }

    /** A label of the model for messages. */
    String named() {
        return "model " + LogText.of(modelRef());
    }

    /** The spec of one worker. */
    WorkerSpec.Builder workerOn(Placement placement) {
        WorkerSpec.Builder worker =
                values.worker.toBuilder().device(placement.devices().first());
        return placement.devices().size() == 1 ? worker : worker.label(WorkerInfo.DEVICES, placement.text());
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof ModelSpec spec && values.equals(spec.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    /** All values, without those of the worker that may hold secrets. */
    @Override
    public String toString() {
        return values.toString().replaceFirst("^Values", "ModelSpec");
    }

    /**
     * Builds a spec. Setters may be called in any order; {@link #build()} checks the values. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private static final String DEFAULT_URL = "http://127.0.0.1:{port}";

        private final String modelRef;
        private final Set<String> aliases = new LinkedHashSet<>();
        private String backend = "cpu";
        private long units = 1;
        private WorkerSpec.@Nullable Builder worker;
        private int minWorkers;
        private int maxWorkers = 1;
        private Duration minResidency = Duration.ZERO;
        private Duration scaleUpDelay = Duration.ofSeconds(1);
        private boolean evictable = true;
        private Optional<Admission> admission = Optional.empty();
        private Set<Integer> devices = Set.of();
        private int spanning = 1;
        private Optional<Duration> evictionDrainTimeout = Optional.empty();

        private Builder(String modelRef) {
            this.modelRef = modelRef;
        }

        /**
         * Adds a name under which the model can be requested, too.
         *
         * @param alias a name; unique in the pool
         * @return this builder
         */
        public Builder alias(String alias) {
            aliases.add(requireNonNull(alias, "alias"));
            return this;
        }

        /**
         * Sets the backend. Its workers run on devices of this backend.
         *
         * @param backend a name; default {@code cpu}
         * @return this builder
         */
        public Builder backend(String backend) {
            this.backend = requireNonNull(backend, "backend");
            return this;
        }

        /**
         * Sets what a worker claims on each of its devices, from before its start until its process has exited.
         *
         * @param units &ge; 0, in the unit of the devices' capacity; default 1
         * @return this builder
         */
        public Builder units(long units) {
            this.units = units;
            return this;
        }

        /**
         * Sets the template of the workers. Id, model, backend and device are given by the pool and must not be set.
         * {@code {port}} must occur in the command, the environment, the directory or the url, except beside a url
         * without {@code {port}}, with {@code maxWorkers} 1. {@code {device}} is the device that the pool chooses;
         * {@code {devices}} are those of a {@linkplain #spanning spanning} worker.
         *
         * <p>Restart policy and idle timeout, its own or the supervisor's, are applied by the pool, see
         * {@link WorkerPool}.
         *
         * @param worker the template; copied
         * @return this builder
         */
        public Builder worker(WorkerSpec.Builder worker) {
            this.worker = requireNonNull(worker, "worker").copy();
            return this;
        }

        /**
         * Sets how many workers are kept loaded without requests.
         *
         * @param minWorkers &ge; 0, not above the largest number of workers; default 0
         * @return this builder
         */
        public Builder minWorkers(int minWorkers) {
            this.minWorkers = minWorkers;
            return this;
        }

        /**
         * Sets the largest number of workers.
         *
         * @param maxWorkers &ge; 1; default 1
         * @return this builder
         */
        public Builder maxWorkers(int maxWorkers) {
            this.maxWorkers = maxWorkers;
            return this;
        }

        /**
         * Sets how long a worker is not evicted after it became ready, unless a request for another model has waited
         * for {@link PoolConfig#maxWait()}.
         *
         * @param minResidency &ge; 0, at most 36,500 days; default 0
         * @return this builder
         */
        public Builder minResidency(Duration minResidency) {
            this.minResidency = requireNonNull(minResidency, "minResidency");
            return this;
        }

        /**
         * Sets how long the oldest request waits before a worker beyond the first is started.
         *
         * @param scaleUpDelay &ge; 0, at most 36,500 days; default 1 s
         * @return this builder
         */
        public Builder scaleUpDelay(Duration scaleUpDelay) {
            this.scaleUpDelay = requireNonNull(scaleUpDelay, "scaleUpDelay");
            return this;
        }

        /**
         * Sets whether its workers may be evicted for other models.
         *
         * @param evictable default true
         * @return this builder
         */
        public Builder evictable(boolean evictable) {
            this.evictable = evictable;
            return this;
        }

        /**
         * Sets what happens if there is no room for it.
         *
         * @param admission default: {@link PoolConfig.Builder#admission}
         * @return this builder
         */
        public Builder admission(Admission admission) {
            this.admission = Optional.of(requireNonNull(admission, "admission"));
            return this;
        }

        /**
         * Restricts the devices that its workers may run on.
         *
         * @param devices their indices, &ge; 0; default: all devices of the backend
         * @return this builder
         */
        public Builder devices(int... devices) {
            requireNonNull(devices, "devices");
            this.devices = Set.copyOf(IntStream.of(devices).boxed().collect(Collectors.toSet()));
            return this;
        }

        /**
         * Sets the number of devices that each worker runs on; it claims the units on each of them.
         *
         * @param spanning &ge; 1; default 1
         * @return this builder
         */
        public Builder spanning(int spanning) {
            this.spanning = spanning;
            return this;
        }

        /**
         * Limits the drain of a busy worker that is evicted. When the time is over, its open leases end.
         *
         * @param evictionDrainTimeout &gt; 0, at most 36,500 days; default: no limit
         * @return this builder
         */
        public Builder evictionDrainTimeout(Duration evictionDrainTimeout) {
            this.evictionDrainTimeout = Optional.of(requireNonNull(evictionDrainTimeout, "evictionDrainTimeout"));
            return this;
        }

        /**
         * Builds the spec.
         *
         * @return the spec
         * @throws NullPointerException if there is no worker template
         * @throws IllegalArgumentException if a value is malformed or out of range, or the template sets what the pool
         *     gives, or has no {@code {port}}; the message lists all faults and names the model
         */
        public ModelSpec build() {
            requireName(modelRef, "modelRef");
            WorkerSpec.Builder template = requireNonNull(worker, "worker");
            Faults faults = new Faults();
            String model = "model " + LogText.of(modelRef) + ": ";
            aliases.forEach(alias -> name(alias, "alias", model, faults));
            boolean backendValid = name(backend, "backend", model, faults);
            faults.require(units >= 0, model + "units must be >= 0, was " + units);
            faults.require(minWorkers >= 0, model + "minWorkers must be >= 0, was " + minWorkers);
            faults.require(maxWorkers >= 1, model + "maxWorkers must be >= 1, was " + maxWorkers);
            faults.require(
                    minWorkers <= maxWorkers,
                    model + "minWorkers must be <= maxWorkers, was " + minWorkers + " > " + maxWorkers);
            faults.requireInRangeOrZero(minResidency, model + "minResidency");
            faults.requireInRangeOrZero(scaleUpDelay, model + "scaleUpDelay");
            evictionDrainTimeout.ifPresent(drain -> faults.requireInRange(drain, model + "evictionDrainTimeout"));
            devices.forEach(device -> faults.require(device >= 0, model + "device must be >= 0, was " + device));
            faults.require(spanning >= 1, model + "spanning must be >= 1, was " + spanning);
            Set<String> byHand = template.assigned();
            faults.require(
                    byHand.isEmpty(),
                    model + new TreeSet<>(byHand) + " of the worker must not be set: the pool gives them");
            WorkerSpec spec = backendValid ? template(template, model, faults) : null;
            faults.throwIfAny();
            return new ModelSpec(new Values(
                    modelRef,
                    Set.copyOf(aliases),
                    backend,
                    units,
                    requireNonNull(spec, "worker"),
                    minWorkers,
                    maxWorkers,
                    minResidency,
                    scaleUpDelay,
                    evictable,
                    admission,
                    devices,
                    spanning,
                    evictionDrainTimeout));
        }

        private static boolean name(String name, String what, String model, Faults faults) {
            try {
                requireName(name, what);
                return true;
            } catch (IllegalArgumentException malformed) {
                faults.add(model + malformed.getMessage());
                return false;
            }
        }

        private @Nullable WorkerSpec template(WorkerSpec.Builder template, String model, Faults faults) {
            try {
                int lowest = devices.stream().mapToInt(Integer::intValue).min().orElse(0);
                WorkerSpec spec = template.copy()
                        .modelRef(modelRef)
                        .backend(backend)
                        .device(Math.max(0, lowest))
                        .build();
                faults.require(
                        hasPort(spec) || (maxWorkers <= 1 && !spec.url().contains("{port}")),
                        model + "the worker has no {port} in its command, environment or directory; that needs a url"
                                + " without {port}, and maxWorkers 1");
                return spec;
            } catch (IllegalArgumentException | NullPointerException malformed) {
                faults.add(model + "worker: " + malformed.getMessage());
                return null;
            }
        }

        /** In the url only, it counts if that was given by hand: the process has {@code WORKER_PORT}. */
        private static boolean hasPort(WorkerSpec spec) {
            return Stream.of(
                            spec.command().stream(),
                            spec.environment().values().stream(),
                            spec.directory().map(Object::toString).stream(),
                            List.of(spec.url()).stream().filter(url -> !url.equals(DEFAULT_URL)))
                    .flatMap(texts -> texts)
                    .anyMatch(text -> text.contains("{port}"));
        }
    }
}
