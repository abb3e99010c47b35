package io.github.workerregistry.pool;

import static io.github.workerregistry.internal.Checks.requireName;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.LogText;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The models of a {@link WorkerPool}, and the room for them.
 *
 * <p>Units are the hive's own: MiB, slots, anything that adds up. A config without devices does not count units; then
 * {@code maxWorkers} alone limits the pool, and each model runs on device 0 of its backend.
 *
 * <p>Immutable; two configs with equal values are equal.
 *
 * @since 0.1
 */
public final class PoolConfig {

    private final Values values;

    /** All values, each checked. */
    private record Values(
            List<Device> devices,
            Map<String, ModelSpec> models,
            Map<String, ModelSpec> byName,
            int maxWorkers,
            Duration maxWait,
            Admission admission) {}

    /**
     * A device, and how much room it has.
     *
     * @param backend its backend, a name as in {@link io.github.workerregistry.WorkerInfo}
     * @param index its index, &ge; 0, unique within the backend
     * @param units its capacity, &ge; 0
     * @since 0.1
     */
    public record Device(String backend, int index, long units) {
        /**
         * Rejects null.
         *
         * @throws NullPointerException if {@code backend} is null
         */
        public Device {
            requireNonNull(backend, "backend");
        }

        String named() {
            return "device " + LogText.of(backend) + " " + index;
        }
    }

    private PoolConfig(Values values) {
        this.values = values;
    }

    /**
     * A builder with the defaults set.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * The devices.
     *
     * @return an unmodifiable list, in the order in which they were added
     */
    public List<Device> devices() {
        return values.devices;
    }

    /**
     * The models.
     *
     * @return an unmodifiable list, in the order in which they were added
     */
    public List<ModelSpec> models() {
        return List.copyOf(values.models.values());
    }

    /**
     * The largest number of workers, of all models together.
     *
     * @return &ge; 1; {@code Integer.MAX_VALUE} if there is no limit
     */
    public int maxWorkers() {
        return values.maxWorkers;
    }

    /**
     * How long a request waits at most before busy workers are drained for it.
     *
     * @return &ge; 0
     */
    public Duration maxWait() {
        return values.maxWait;
    }

    /**
     * What happens to a request if there is no room, for models without an admission of their own.
     *
     * @return the admission
     */
    public Admission admission() {
        return values.admission;
    }

    /** The model of that name; null if there is none. */
    @Nullable
    ModelSpec model(String modelRef) {
        return values.models.get(modelRef);
    }

    /** All models by name and alias; unmodifiable. */
    Map<String, ModelSpec> byName() {
        return values.byName;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof PoolConfig config && values.equals(config.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    /** All values, for logs. */
    @Override
    public String toString() {
        return values.toString().replaceFirst("^Values", "PoolConfig");
    }

    /**
     * Builds a config. Setters may be called in any order; {@link #build()} checks the values. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private final List<Device> devices = new ArrayList<>();
        private final List<ModelSpec> models = new ArrayList<>();
        private int maxWorkers = Integer.MAX_VALUE;
        private Duration maxWait = Duration.ofSeconds(30);
        private Admission admission = Admission.EVICT;

        private Builder() {}

        /**
         * Adds a device.
         *
         * @param backend its backend, a name
         * @param index its index, &ge; 0
         * @param units its capacity, &ge; 0
         * @return this builder
         */
        public Builder device(String backend, int index, long units) {
            devices.add(new Device(backend, index, units));
            return this;
        }

        /**
         * Adds a model.
         *
         * @param model the model; its name and aliases are unique in the pool
         * @return this builder
         */
        public Builder model(ModelSpec model) {
            models.add(requireNonNull(model, "model"));
            return this;
        }

        /**
         * Sets the largest number of workers, of all models together. A worker counts from before its start until its
         * process has exited.
         *
         * @param maxWorkers &ge; 1; default: no limit
         * @return this builder
         */
        public Builder maxWorkers(int maxWorkers) {
            this.maxWorkers = maxWorkers;
            return this;
        }

        /**
         * Sets how long a request waits at most before workers that are busy, or within {@code minResidency}, are
         * closed to new leases for it. Their open leases run to their end.
         *
         * @param maxWait &ge; 0, at most 36,500 days; default 30 s
         * @return this builder
         */
        public Builder maxWait(Duration maxWait) {
            this.maxWait = requireNonNull(maxWait, "maxWait");
            return this;
        }

        /**
         * Sets what happens to a request if there is no room.
         *
         * @param admission default {@link Admission#EVICT}
         * @return this builder
         */
        public Builder admission(Admission admission) {
            this.admission = requireNonNull(admission, "admission");
            return this;
        }

        /**
         * Builds the config.
         *
         * @return the config
         * @throws IllegalArgumentException if a value is out of range, a name is used twice, a model has no device, or
         *     does not fit on any, or the {@code minWorkers} of all models do not fit together; the message lists all
         *     faults, each with its model
         */
        public PoolConfig build() {
            Faults faults = new Faults();
            faults.require(maxWorkers >= 1, "maxWorkers must be >= 1, was " + maxWorkers);
            faults.requireInRangeOrZero(maxWait, "maxWait");
            requireDevices(faults);
            Map<String, ModelSpec> byName = byName(faults);
            new CapacityCheck(devices, maxWorkers).require(models, faults);
            faults.throwIfAny();
            Map<String, ModelSpec> byRef = new LinkedHashMap<>();
            models.forEach(model -> byRef.put(model.modelRef(), model));
            return new PoolConfig(new Values(
                    List.copyOf(devices),
                    Collections.unmodifiableMap(byRef),
                    Map.copyOf(byName),
                    maxWorkers,
                    maxWait,
                    admission));
        }

        private void requireDevices(Faults faults) {
            Map<String, Device> seen = new HashMap<>();
            for (Device device : devices) {
                try {
                    requireName(device.backend, "backend of a device");
                } catch (IllegalArgumentException malformed) {
                    faults.add(String.valueOf(malformed.getMessage()));
                }
                faults.require(device.index >= 0, "index of a device must be >= 0, was " + device.index);
                faults.require(device.units >= 0, device.named() + ": units must be >= 0, was " + device.units);
                faults.require(seen.put(device.named(), device) == null, device.named() + " is there twice");
            }
        }

        private Map<String, ModelSpec> byName(Faults faults) {
            Map<String, ModelSpec> byName = new HashMap<>();
            for (ModelSpec model : models) {
                faults.require(byName.put(model.modelRef(), model) == null, model.named() + " is there twice");
            }
            for (ModelSpec model : models) {
                for (String alias : model.aliases()) {
                    ModelSpec other = byName.putIfAbsent(alias, model);
                    faults.require(
                            other == null,
                            model.named() + ": alias " + alias + " is already a name of "
                                    + (other == null ? "" : other.named()));
                }
            }
            return byName;
        }
    }
}
