package io.github.workerregistry;

import static io.github.workerregistry.internal.Checks.requireAtLeast;
import static io.github.workerregistry.internal.Checks.requireName;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * An immutable snapshot of a worker.
 *
 * <p>A <em>name</em> is not blank, has no control characters, no line separators and no invisible characters
 * (directions, zero-width joiners, unpaired surrogates), and at most 256 characters.
 *
 * @param id the worker's id, unique in its registry; a name
 * @param url the worker's address, for example {@code http://127.0.0.1:8100}; a name. A restart may change it; a
 *     replacement in place may also change backend, device, number of slots and labels
 * @param modelRef the model that it serves, for example {@code hf:TheBloke/TinyLlama}; a name
 * @param backend its compute backend: {@code cuda}, {@code metal}, {@code cpu}; a name
 * @param device the index of the device, &ge; 0
 * @param state its state
 * @param lastActivity when it was last used or became ready. Leases read no clock, so this is updated when the registry
 *     next reads the worker: at most one tick (100 ms) late under a supervisor. Health checks do not change it
 * @param slotsTotal number of requests that it can serve at once, &ge; 1
 * @param slotsInUse number of requests that it is serving, 0 to {@code slotsTotal}
 * @param failedHealthChecks failed checks in a row, &ge; 0
 * @param pid the id of its process, &gt; 0; empty if there is none or it is unknown
 * @param generation the number of its process, &ge; 0; each restart adds one
 * @param restarts number of restarts and replacements in place, &ge; 0
 * @param lastHeartbeat its last heartbeat; empty if it has sent none
 * @param startedAt when this generation was started
 * @param suspected whether it failed its checks together with many others, and is therefore kept for a while, see
 *     {@link WorkerEvent.Suspected}
 * @param labels other properties, set by the hive, that a request may select by; names and values; unmodifiable
 * @since 0.1
 */
public record WorkerInfo(
        String id,
        String url,
        String modelRef,
        String backend,
        int device,
        WorkerState state,
        Instant lastActivity,
        int slotsTotal,
        int slotsInUse,
        int failedHealthChecks,
        OptionalLong pid,
        int generation,
        int restarts,
        Optional<Instant> lastHeartbeat,
        Instant startedAt,
        boolean suspected,
        Map<String, String> labels) {

    /**
     * The label of a worker that spans several devices: their indices, ascending, separated by commas, as in
     * {@code 0,1}. {@link SlotRequest#onDevice} accepts each of them; {@link #device()} is the lowest.
     */
    public static final String DEVICES = "devices";

    private static final Idle IDLE = new Idle();
    private static final Busy BUSY = new Busy();

    /**
     * Checks the components.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if a name is malformed, a number is out of range, or the slots in use do not fit
     *     the state; the message names the component and its value
     */
    public WorkerInfo {
        requireName(id, "id");
        requireName(url, "url");
        requireName(modelRef, "modelRef");
        requireName(backend, "backend");
        requireAtLeast(0, device, "device");
        requireNonNull(state, "state");
        requireNonNull(lastActivity, "lastActivity");
        if (slotsTotal < 1) {
            throw new IllegalArgumentException("slotsTotal must be >= 1, was " + slotsTotal);
        }
        requireAtLeast(0, slotsInUse, "slotsInUse");
        if (slotsInUse > slotsTotal) {
            throw new IllegalArgumentException(
                    "slotsInUse must be <= slotsTotal, was " + slotsInUse + " > " + slotsTotal);
        }
        if (state instanceof Busy ? slotsInUse == 0 : slotsInUse > 0 && !(state instanceof Stopping)) {
            throw new IllegalArgumentException(
                    "a worker that is " + state.label() + " cannot have " + slotsInUse + " slots in use");
        }
        requireAtLeast(0, failedHealthChecks, "failedHealthChecks");
        requireNonNull(pid, "pid");
        if (pid.isPresent() && pid.getAsLong() <= 0) {
            throw new IllegalArgumentException("pid must be > 0, was " + pid.getAsLong());
        }
        requireAtLeast(0, generation, "generation");
        requireAtLeast(0, restarts, "restarts");
        requireNonNull(lastHeartbeat, "lastHeartbeat");
        requireNonNull(startedAt, "startedAt");
        labels = Labels.of(labels);
    }

    /**
     * A builder without values. {@code id}, {@code url} and {@code modelRef} are required.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A builder with the values of this worker.
     *
     * @return a new builder with every component set
     */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /**
     * The devices that the worker computes on, for one that spans several: those in its label {@link #DEVICES}.
     *
     * @return the label's value; by default the index of its {@link #device()}
     */
    public String devices() {
        return labels.getOrDefault(DEVICES, Integer.toString(device));
    }

    /** Whether a device is among those of a worker. */
    static boolean isOn(int wanted, int device, Map<String, String> labels) {
        String several = labels.get(DEVICES);
        return wanted == device || (several != null && ("," + several + ",").contains("," + wanted + ","));
    }

    /**
     * The incarnation of this snapshot.
     *
     * @return id, generation and start
     */
    public Incarnation incarnation() {
        return Incarnation.of(this);
    }

    /**
     * Number of slots that can be leased now.
     *
     * @return {@code slotsTotal - slotsInUse} while Idle or Busy, else 0
     */
    public int slotsAvailable() {
        return state.routable() ? slotsTotal - slotsInUse : 0;
    }

    /**
     * How long this generation has been running.
     *
     * @param now the current time
     * @return the time since {@code startedAt}, never negative; zero while backing off, when there is no process
     */
    public Duration uptime(Instant now) {
        Duration since = Duration.between(startedAt, requireNonNull(now, "now"));
        return since.isNegative() || state instanceof BackingOff ? Duration.ZERO : since;
    }

    // Transitions as pure functions. WorkerState.canBecome has checked that they are legal.

    /** This worker with {@code inUse} slots leased; the same instance if unchanged. */
    WorkerInfo withSlotsInUse(int inUse) {
        if (inUse == slotsInUse) {
            return this;
        }
        WorkerState occupied = !state.routable() ? state : inUse == 0 ? IDLE : BUSY;
        return toBuilder().state(occupied).slotsInUse(inUse).build();
    }

    /** This worker after the transition to {@code next}. */
    WorkerInfo step(WorkerState next, Instant now) {
        Builder after = toBuilder().state(next);
        if (next.routable()) {
            after.slotsInUse(next instanceof Busy ? slotsTotal : 0).lastActivity(now);
            if (state instanceof Loading) {
                after.failedHealthChecks(0);
            }
        } else if (next instanceof BackingOff) {
            after.slotsInUse(0).failedHealthChecks(0).noPid();
        } else if (next instanceof Loading loading) {
            after.generation(next(generation, "generation"))
                    .restarts(next(restarts, "restarts"))
                    .startedAt(loading.since());
            after.failedHealthChecks(0).noPid().noHeartbeat().suspected(false).lastActivity(now);
        }
        return after.build();
    }

    private static int next(int count, String what) {
        if (count == Integer.MAX_VALUE) {
            throw new IllegalArgumentException(what + " must be < " + count + " before a restart");
        }
        return count + 1;
    }

    /**
     * Builds a {@link WorkerInfo}; every method returns the builder. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private @Nullable String id;
        private @Nullable String url;
        private @Nullable String modelRef;
        private String backend = "cpu";
        private int device;
        private @Nullable WorkerState state;
        private @Nullable Instant lastActivity;
        private int slotsTotal = 1;
        private OptionalInt slotsInUse = OptionalInt.empty();
        private int failedHealthChecks;
        private OptionalLong pid = OptionalLong.empty();
        private int generation = 1;
        private int restarts;
        private Optional<Instant> lastHeartbeat = Optional.empty();
        private @Nullable Instant startedAt;
        private boolean suspected;
        private Map<String, String> labels = Map.of();

        private Builder() {}

        private Builder(WorkerInfo worker) {
            id = worker.id;
            url = worker.url;
            modelRef = worker.modelRef;
            backend = worker.backend;
            device = worker.device;
            state = worker.state;
            lastActivity = worker.lastActivity;
            slotsTotal = worker.slotsTotal;
            slotsInUse = OptionalInt.of(worker.slotsInUse);
            failedHealthChecks = worker.failedHealthChecks;
            pid = worker.pid;
            generation = worker.generation;
            restarts = worker.restarts;
            lastHeartbeat = worker.lastHeartbeat;
            startedAt = worker.startedAt;
            suspected = worker.suspected;
            labels = worker.labels;
        }

        /**
         * Sets the id.
         *
         * @param id a name; required
         * @return this builder
         */
        public Builder id(String id) {
            this.id = requireNonNull(id, "id");
            return this;
        }

        /**
         * Sets the address.
         *
         * @param url a name; required
         * @return this builder
         */
        public Builder url(String url) {
            this.url = requireNonNull(url, "url");
            return this;
        }

        /**
         * Sets the model.
         *
         * @param modelRef a name; required
         * @return this builder
         */
        public Builder modelRef(String modelRef) {
            this.modelRef = requireNonNull(modelRef, "modelRef");
            return this;
        }

        /**
         * Sets the backend.
         *
         * @param backend a name; default {@code cpu}
         * @return this builder
         */
        public Builder backend(String backend) {
            this.backend = requireNonNull(backend, "backend");
            return this;
        }

        /**
         * Sets the device.
         *
         * @param device &ge; 0; default 0
         * @return this builder
         */
        public Builder device(int device) {
            this.device = device;
            return this;
        }

        /**
         * Sets the state.
         *
         * @param state default {@code Loading} since {@code startedAt}
         * @return this builder
         */
        public Builder state(WorkerState state) {
            this.state = requireNonNull(state, "state");
            return this;
        }

        /**
         * Sets the time of the last activity.
         *
         * @param lastActivity default {@code startedAt}
         * @return this builder
         */
        public Builder lastActivity(Instant lastActivity) {
            this.lastActivity = requireNonNull(lastActivity, "lastActivity");
            return this;
        }

        /**
         * Sets how many requests the worker takes at once.
         *
         * @param slotsTotal &ge; 1; default 1
         * @return this builder
         */
        public Builder slotsTotal(int slotsTotal) {
            this.slotsTotal = slotsTotal;
            return this;
        }

        /**
         * Sets how many slots are in use.
         *
         * @param slotsInUse 0 to {@code slotsTotal}; default: all of them if the state is Busy, else 0
         * @return this builder
         */
        public Builder slotsInUse(int slotsInUse) {
            this.slotsInUse = OptionalInt.of(slotsInUse);
            return this;
        }

        /**
         * Sets the count of failed health checks in a row.
         *
         * @param failedHealthChecks &ge; 0; default 0
         * @return this builder
         */
        public Builder failedHealthChecks(int failedHealthChecks) {
            this.failedHealthChecks = failedHealthChecks;
            return this;
        }

        /**
         * Sets the process id.
         *
         * @param pid &gt; 0; default: none
         * @return this builder
         */
        public Builder pid(long pid) {
            this.pid = OptionalLong.of(pid);
            return this;
        }

        /**
         * Sets the generation.
         *
         * @param generation &ge; 0; default 1
         * @return this builder
         */
        public Builder generation(int generation) {
            this.generation = generation;
            return this;
        }

        /**
         * Sets the count of restarts.
         *
         * @param restarts &ge; 0; default 0
         * @return this builder
         */
        public Builder restarts(int restarts) {
            this.restarts = restarts;
            return this;
        }

        /**
         * Sets the time of the last heartbeat.
         *
         * @param lastHeartbeat default: none
         * @return this builder
         */
        public Builder lastHeartbeat(Instant lastHeartbeat) {
            this.lastHeartbeat = Optional.of(requireNonNull(lastHeartbeat, "lastHeartbeat"));
            return this;
        }

        /**
         * Sets when this generation was started.
         *
         * @param startedAt default: the wall clock at {@link #build()}, which fits only a registry with the default
         *     clock; with another clock, use {@link WorkerRegistry#clock()}
         * @return this builder
         */
        public Builder startedAt(Instant startedAt) {
            this.startedAt = requireNonNull(startedAt, "startedAt");
            return this;
        }

        /**
         * Replaces the labels.
         *
         * @param labels from name to value, both names as in {@link WorkerInfo}; default: none; copied by
         *     {@link #build()}
         * @return this builder
         */
        public Builder labels(Map<String, String> labels) {
            this.labels = requireNonNull(labels, "labels");
            return this;
        }

        /** Sets or clears the suspicion. */
        Builder suspected(boolean suspected) {
            this.suspected = suspected;
            return this;
        }

        private Builder noPid() {
            pid = OptionalLong.empty();
            return this;
        }

        private Builder noHeartbeat() {
            lastHeartbeat = Optional.empty();
            return this;
        }

        /**
         * Builds the worker.
         *
         * @return the worker
         * @throws NullPointerException if a required component is missing; the message names it
         * @throws IllegalArgumentException as the {@linkplain WorkerInfo constructor} does
         */
        public WorkerInfo build() {
            Instant started = startedAt != null ? startedAt : Instant.now();
            WorkerState current = state != null ? state : new Loading(started);
            return new WorkerInfo(
                    requireNonNull(id, "id"),
                    requireNonNull(url, "url"),
                    requireNonNull(modelRef, "modelRef"),
                    backend,
                    device,
                    current,
                    lastActivity != null ? lastActivity : started,
                    slotsTotal,
                    slotsInUse.orElse(current instanceof Busy ? slotsTotal : 0),
                    failedHealthChecks,
                    pid,
                    generation,
                    restarts,
                    lastHeartbeat,
                    started,
                    suspected,
                    labels);
        }
    }
}
