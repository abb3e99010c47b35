package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.WorkerState.Busy;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.WorkerState.Stopping;
import io.github.workerregistry.internal.LogCharacters;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * One worker at one moment. Immutable: the registry gives out a new one each time somebody asks.
 *
 * <p>A <em>name</em> is not blank, has no control characters, no line separators and no characters that are not seen
 * (directions, zero-width joiners, halves of surrogate pairs), and at most {@value #MAX_NAME_LENGTH} characters.
 *
 * @param id the worker's id, unique in its registry; a name
 * @param url where the worker is reached, for example {@code http://127.0.0.1:8100}; a name. A restart may change it
 * @param modelRef the model it serves, for example {@code hf:TheBloke/TinyLlama}; a name
 * @param backend what it computes on: {@code cuda}, {@code metal}, {@code cpu}; a name
 * @param device the index of the device, &ge; 0
 * @param state where it is in its life
 * @param lastActivity when it last did work or became ready. Leases read no clock, so this is stamped when the registry
 *     next looks at the worker: at most one sweep (100 ms) late under a supervisor. Health checks never move it
 * @param slotsTotal how many requests it can take at once, &ge; 1
 * @param slotsInUse how many it is working on, 0 to {@code slotsTotal}
 * @param failedHealthChecks failed checks in a row, &ge; 0
 * @param pid the id of its process, &gt; 0; empty if there is none or it is not known
 * @param generation which of its processes this is, &ge; 0; each restart adds one
 * @param restarts how often it was restarted, &ge; 0
 * @param lastHeartbeat the last sign of life that it sent; empty if it never did
 * @param startedAt when this generation was started
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
        Instant startedAt) {

    /** How long a name may be, in characters. */
    public static final int MAX_NAME_LENGTH = 256;

    private static final Idle IDLE = new Idle();
    private static final Busy BUSY = new Busy();

    /**
     * Rejects what cannot be.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if a name is malformed, a number out of range, or the slots in use do not fit
     *     the state; the message names the culprit and its value
     */
    public WorkerInfo {
        requireName(id, "id");
        requireName(url, "url");
        requireName(modelRef, "modelRef");
        requireName(backend, "backend");
        requireNotNegative(device, "device");
        requireNonNull(state, "state");
        requireNonNull(lastActivity, "lastActivity");
        if (slotsTotal < 1) {
            throw new IllegalArgumentException("slotsTotal must be >= 1, was " + slotsTotal);
        }
        requireNotNegative(slotsInUse, "slotsInUse");
        if (slotsInUse > slotsTotal) {
            throw new IllegalArgumentException(
                    "slotsInUse must be <= slotsTotal, was " + slotsInUse + " > " + slotsTotal);
        }
        if (state instanceof Busy ? slotsInUse == 0 : slotsInUse > 0 && !(state instanceof Stopping)) {
            throw new IllegalArgumentException(
                    "a worker that is " + state.label() + " cannot have " + slotsInUse + " slots in use");
        }
        requireNotNegative(failedHealthChecks, "failedHealthChecks");
        requireNonNull(pid, "pid");
        if (pid.isPresent() && pid.getAsLong() <= 0) {
            throw new IllegalArgumentException("pid must be > 0, was " + pid.getAsLong());
        }
        requireNotNegative(generation, "generation");
        requireNotNegative(restarts, "restarts");
        requireNonNull(lastHeartbeat, "lastHeartbeat");
        requireNonNull(startedAt, "startedAt");
    }

    /**
     * A builder with nothing set. {@code id}, {@code url} and {@code modelRef} are required.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A builder that starts from this worker.
     *
     * @return a new builder with every component set
     */
    public Builder toBuilder() {
        return new Builder(this);
    }

    /**
     * How many slots can be leased now.
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

    /**
     * Checks a name by the rule that all names here follow.
     *
     * @param value the name
     * @param what what the value is, for the message
     * @return {@code value}
     * @throws NullPointerException if {@code value} is null
     * @throws IllegalArgumentException if it is blank, longer than {@value #MAX_NAME_LENGTH}, or has a control
     *     character, a line separator, or a character that is not seen or is none: see {@link LogText#of(String)}
     */
    public static String requireName(String value, String what) {
        requireNonNull(value, requireNonNull(what, "what"));
        if (value.isBlank()) {
            throw new IllegalArgumentException(what + " must not be blank");
        }
        if (value.length() > MAX_NAME_LENGTH) {
            throw new IllegalArgumentException(
                    what + " must have at most " + MAX_NAME_LENGTH + " characters, has " + value.length());
        }
        for (int i = 0; i < value.length(); i = value.offsetByCodePoints(i, 1)) {
            int c = value.codePointAt(i);
            if (c == '\t' || LogCharacters.isHarmful(c)) {
                boolean control = Character.isISOControl(c) || c == '\u2028' || c == '\u2029';
                throw new IllegalArgumentException(String.format(
                        "%s must not contain %s characters, has U+%04X at index %d",
                        what, control ? "control" : "invisible", c, i));
            }
        }
        return value;
    }

    static void requireNotNegative(int value, String what) {
        if (value < 0) {
            throw new IllegalArgumentException(what + " must be >= 0, was " + value);
        }
    }

    // The steps of a worker's life: pure, from value to value. What they need not check, WorkerState.canBecome has
    // checked.

    /** This worker with {@code inUse} slots leased; itself if that is what it says already. */
    WorkerInfo withSlotsInUse(int inUse) {
        if (inUse == slotsInUse) {
            return this;
        }
        WorkerState occupied = !state.routable() ? state : inUse == 0 ? IDLE : BUSY;
        return toBuilder().state(occupied).slotsInUse(inUse).build();
    }

    /** This worker after the edge to {@code next}. */
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
            after.generation(generation + 1).restarts(restarts + 1).startedAt(loading.since());
            after.failedHealthChecks(0).noPid().noHeartbeat().lastActivity(now);
        }
        return after.build();
    }

    /** Puts a {@link WorkerInfo} together; every method returns the builder. Not thread-safe. */
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
         * @param startedAt default: the wall clock at {@link #build()}, which is right only for a registry on the
         *     default clock; for another, give {@link WorkerRegistry#clock()}'s time
         * @return this builder
         */
        public Builder startedAt(Instant startedAt) {
            this.startedAt = requireNonNull(startedAt, "startedAt");
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
         * @throws IllegalArgumentException as the {@linkplain WorkerInfo constructor} says
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
                    started);
        }
    }
}
