package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.internal.Checks.MAX_NAME_LENGTH;
import static io.github.workerregistry.internal.Checks.requireAtLeast;
import static io.github.workerregistry.internal.Checks.requireName;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.health.HealthProbe;
import io.github.workerregistry.internal.Checks;
import io.github.workerregistry.internal.CommandText;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.InheritedEnvironment;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Describes a worker to spawn: its model, its slots, and the command that serves them.
 *
 * <p>The command, the url, the values of environment variables and the directory may contain placeholders, which are
 * substituted when the worker is started: {@code {id}}, {@code {generation}}, {@code {port}}, {@code {model_ref}},
 * {@code {backend}}, {@code {device}}, {@code {devices}} (the {@link WorkerInfo#devices()}, as in {@code 0,1}),
 * {@code {slots}}, and the names in {@code parameters}. A placeholder without a value is rejected. A value always stays
 * within one argument and is not searched for placeholders; no shell is involved. The process has the same values in
 * its environment as {@code WORKER_ID}, {@code WORKER_PORT}, …. {@code WORKER_GENERATION} is 1 at first and increases
 * by one with each restart.
 *
 * <p>A second pair of braces escapes a placeholder. Other braces are literal. On port 8100:
 *
 * <table>
 * <caption>Substitution of braces</caption>
 * <tr><th>written<th>the process gets
 * <tr><td>{@code --port={port}}<td>{@code --port=8100}
 * <tr><td>{@code {"port": {port}}}<td>{@code {"port": 8100}}
 * <tr><td>{@code {"a": {"b": 1}}}<td>the same
 * <tr><td>{@code {{ messages[0] }}}<td>the same
 * <tr><td>{@code {{port}}}<td>{@code {port}}
 * <tr><td>{@code {{{port}}}}<td>{@code {{port}}}
 * <tr><td>{@code ${WORKER_PORT}}<td>the same
 * </table>
 *
 * <p>Put text that may contain braces, such as a chat template, into a parameter.
 *
 * <p>A worker may have a health probe, lifecycle, restart policy and stop request of its own; each one that is not set
 * is the supervisor's.
 *
 * <p>Immutable; two specs with equal values are equal.
 *
 * @since 0.1
 */
public final class WorkerSpec {

    private final Values values;

    /** All values, each checked. */
    private record Values(
            Optional<String> id,
            String modelRef,
            String backend,
            int device,
            int slots,
            List<String> command,
            String url,
            Map<String, String> parameters,
            Map<String, String> environment,
            InheritedEnvironment inheritedEnvironment,
            Optional<Path> directory,
            boolean listenerOutsideTree,
            Map<String, String> labels,
            Optional<HealthProbe> healthProbe,
            Optional<LifecycleConfig> lifecycle,
            Optional<RestartPolicy> restartPolicy,
            Optional<StopRequest> stopRequest) {

        Values {
            id.ifPresent(value -> requireName(value, "id"));
            requireName(modelRef, "modelRef");
            requireName(backend, "backend");
            requireAtLeast(0, device, "device");
            requireAtLeast(1, slots, "slots");
            command = Checks.copyOf(command, "command");
            requireName(url, "url");
            parameters = Map.copyOf(parameters);
            environment = Map.copyOf(environment);
            labels = Map.copyOf(labels);
            labels.forEach((name, value) -> {
                requireName(name, "name of a label");
                requireName(value, "value of label " + name);
            });
        }
    }

    private WorkerSpec(Values values) {
        this.values = values;
        SpecChecks.require(this); // substitutes all placeholders as a spawn does
    }

    /**
     * The worker's id.
     *
     * @return a name as in {@link WorkerInfo}; empty: generated, see {@link Builder#id}
     */
    public Optional<String> id() {
        return values.id;
    }

    /**
     * The model that the worker serves.
     *
     * @return a name
     */
    public String modelRef() {
        return values.modelRef;
    }

    /**
     * The backend that the worker computes on.
     *
     * @return a name
     */
    public String backend() {
        return values.backend;
    }

    /**
     * The index of the device.
     *
     * @return &ge; 0
     */
    public int device() {
        return values.device;
    }

    /**
     * The number of requests that the worker serves concurrently.
     *
     * @return &ge; 1
     */
    public int slots() {
        return values.slots;
    }

    /**
     * The program and its arguments, with placeholders.
     *
     * @return an unmodifiable list with at least the program
     */
    public List<String> command() {
        return values.command;
    }

    /**
     * The url of the worker, with placeholders.
     *
     * @return a url with scheme and host
     */
    public String url() {
        return values.url;
    }

    /**
     * Further placeholders.
     *
     * @return an unmodifiable map from name to value
     */
    public Map<String, String> parameters() {
        return values.parameters;
    }

    /**
     * Environment variables that are added to the inherited ones, with placeholders in their values.
     *
     * @return an unmodifiable map from name to value
     */
    public Map<String, String> environment() {
        return values.environment;
    }

    /**
     * Which environment variables of the hive the process inherits.
     *
     * @return the rule
     */
    public InheritedEnvironment inheritedEnvironment() {
        return values.inheritedEnvironment;
    }

    /**
     * The working directory, with placeholders.
     *
     * @return the directory; empty: that of this JVM
     */
    public Optional<Path> directory() {
        return values.directory;
    }

    /**
     * Whether the listener at the url may be a process that the command does not start.
     *
     * @return see {@link Builder#listenerOutsideTree()}
     */
    public boolean listenerOutsideTree() {
        return values.listenerOutsideTree;
    }

    /**
     * The labels that requests can select.
     *
     * @return an unmodifiable map from name to value; becomes {@link WorkerInfo#labels()}
     */
    public Map<String, String> labels() {
        return values.labels;
    }

    /**
     * How the worker is probed.
     *
     * @return its own probe; empty: that of the supervisor, if it has one
     */
    public Optional<HealthProbe> healthProbe() {
        return values.healthProbe;
    }

    /**
     * The intervals, timeouts and limits of the worker.
     *
     * @return its own; empty: those of the supervisor
     */
    public Optional<LifecycleConfig> lifecycle() {
        return values.lifecycle;
    }

    /**
     * Whether and when the worker is restarted.
     *
     * @return its own policy; empty: that of the supervisor
     */
    public Optional<RestartPolicy> restartPolicy() {
        return values.restartPolicy;
    }

    /**
     * The request that asks the worker to exit before it is signalled.
     *
     * @return its own; empty: that of the supervisor, if it has one
     */
    public Optional<StopRequest> stopRequest() {
        return values.stopRequest;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof WorkerSpec spec && values.equals(spec.values);
    }

    @Override
    public int hashCode() {
        return values.hashCode();
    }

    /** The spec without values that may hold secrets: arguments, and the values of parameters and variables. */
    @Override
    public String toString() {
        return "WorkerSpec[" + id().map(value -> "id=" + value + ", ").orElse("") + "modelRef=" + modelRef()
                + ", backend=" + backend() + ", device=" + device() + ", slots=" + slots() + ", program="
                + LogText.of(CommandText.program(command()))
                + ", arguments=" + (command().size() - 1) + ", url=" + url() + ", parameters="
                + new TreeSet<>(parameters().keySet()) + ", variables="
                + LogText.of(new TreeSet<>(environment().keySet()).toString())
                + directory()
                        .map(path -> ", directory=" + LogText.of(path.toString()))
                        .orElse("")
                + lifecycle().map(own -> ", " + own).orElse("")
                + restartPolicy().map(own -> ", " + own).orElse("")
                + healthProbe().map(own -> ", own health probe").orElse("")
                + stopRequest().map(own -> ", own stop request").orElse("") + "]";
    }

    /**
     * A builder. {@code modelRef} and {@code command} are required.
     *
     * @return a new builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /**
     * A builder that begins with the values of this spec.
     *
     * @return a new builder
     */
    public Builder toBuilder() {
        return new Builder(values);
    }

    /**
     * Builds a spec. Setters may be called in any order; {@link #build()} checks the values. Not thread-safe.
     *
     * @since 0.1
     */
    public static final class Builder {
        private Optional<String> id = Optional.empty();
        private @Nullable String modelRef;
        private @Nullable String backend;
        private OptionalInt device = OptionalInt.empty();
        private int slots = 1;
        private @Nullable List<String> command;
        private String url = "http://127.0.0.1:{port}";
        private final Map<String, String> parameters = new HashMap<>();
        private final Map<String, String> environment = new HashMap<>();
        private final Map<String, String> labels = new HashMap<>();
        private final Set<String> without = new HashSet<>();
        private @Nullable Set<String> inherited;
        private Optional<Path> directory = Optional.empty();
        private boolean listenerOutsideTree;
        private Optional<HealthProbe> healthProbe = Optional.empty();
        private Optional<LifecycleConfig> lifecycle = Optional.empty();
        private Optional<RestartPolicy> restartPolicy = Optional.empty();
        private Optional<StopRequest> stopRequest = Optional.empty();

        private Builder() {}

        private Builder(Builder other) {
            id = other.id;
            modelRef = other.modelRef;
            backend = other.backend;
            device = other.device;
            slots = other.slots;
            command = other.command;
            url = other.url;
            parameters.putAll(other.parameters);
            environment.putAll(other.environment);
            labels.putAll(other.labels);
            without.addAll(other.without);
            inherited = other.inherited == null ? null : new HashSet<>(other.inherited);
            directory = other.directory;
            listenerOutsideTree = other.listenerOutsideTree;
            healthProbe = other.healthProbe;
            lifecycle = other.lifecycle;
            restartPolicy = other.restartPolicy;
            stopRequest = other.stopRequest;
        }

        private Builder(Values values) {
            id = values.id;
            modelRef = values.modelRef;
            backend = values.backend;
            device = OptionalInt.of(values.device);
            slots = values.slots;
            command = values.command;
            url = values.url;
            parameters.putAll(values.parameters);
            environment.putAll(values.environment);
            labels.putAll(values.labels);
            without.addAll(values.inheritedEnvironment.except());
            inherited = values.inheritedEnvironment.only().map(HashSet::new).orElse(null);
            directory = values.directory;
            listenerOutsideTree = values.listenerOutsideTree;
            healthProbe = values.healthProbe;
            lifecycle = values.lifecycle;
            restartPolicy = values.restartPolicy;
            stopRequest = values.stopRequest;
        }

        /**
         * A copy of this builder, with all that has been set so far.
         *
         * @return a new builder
         */
        public Builder copy() {
            return new Builder(this);
        }

        /**
         * Which of {@code id}, {@code modelRef}, {@code backend} and {@code device} have been set, for code that sets
         * them itself.
         *
         * @return their names
         */
        public Set<String> assigned() {
            Set<String> names = new TreeSet<>();
            id.ifPresent(set -> names.add("id"));
            if (modelRef != null) {
                names.add("modelRef");
            }
            if (backend != null) {
                names.add("backend");
            }
            device.ifPresent(set -> names.add("device"));
            return names;
        }

        /**
         * Sets the worker's id.
         *
         * @param id a name as in {@link WorkerInfo}; default: generated from the model and a number, such as
         *     {@code tiny-1}; it is not registered, and the same supervisor has not used it before. Numbers start at 1
         *     again in a new JVM, which then appends to existing output files. Set ids explicitly if hives share an
         *     output directory, or (not on Linux) if workers may outlive their hive
         * @return this builder
         */
        public Builder id(String id) {
            this.id = Optional.of(requireNonNull(id, "id"));
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
         * Sets the backend that the worker computes on.
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
            this.device = OptionalInt.of(device);
            return this;
        }

        /**
         * Sets the number of requests that the worker serves concurrently.
         *
         * @param slots &ge; 1; default 1
         * @return this builder
         */
        public Builder slots(int slots) {
            this.slots = slots;
            return this;
        }

        /**
         * Sets the command.
         *
         * @param command the program and its arguments; required
         * @return this builder
         */
        public Builder command(String... command) {
            return command(Arrays.asList(requireNonNull(command, "command").clone()));
        }

        /**
         * Sets the command.
         *
         * @param command the program and its arguments; required; copied by {@link #build()}
         * @return this builder
         */
        public Builder command(List<String> command) {
            this.command = requireNonNull(command, "command");
            return this;
        }

        /**
         * Sets the url of the worker.
         *
         * @param url scheme, host and, unless it is the scheme's default, port; default {@code http://127.0.0.1:{port}}
         * @return this builder
         */
        public Builder url(String url) {
            this.url = requireNonNull(url, "url");
            return this;
        }

        /**
         * Adds a placeholder.
         *
         * @param name small letters, digits and {@code _}
         * @param value the text that replaces it
         * @return this builder
         */
        public Builder parameter(String name, String value) {
            parameters.put(requireNonNull(name, "name"), requireNonNull(value, () -> valueOf(name)));
            return this;
        }

        /**
         * Adds an environment variable. It replaces an inherited one of the same name.
         *
         * @param name the variable: not empty, without {@code =}
         * @param value its value; may have placeholders, for example <code> environment("CUDA_VISIBLE_DEVICES",
         *     "{device}")</code>
         * @return this builder
         */
        public Builder environment(String name, String value) {
            environment.put(requireNonNull(name, "name"), requireNonNull(value, () -> valueOf(name)));
            return this;
        }

        /**
         * Restricts the inherited environment variables to these and those of earlier calls. No others are inherited;
         * most programs need {@code PATH} and {@code HOME}. Variables set by {@link #environment} and by the library
         * ({@code WORKER_ID}, …) are not affected.
         *
         * @param names the variables; without names, nothing is inherited; default: all variables are
         * @return this builder
         */
        public Builder inheritEnvironment(String... names) {
            List<String> more = Checks.copyOf(Arrays.asList(requireNonNull(names, "names")), "names");
            inherited = inherited == null ? new HashSet<>() : inherited;
            inherited.addAll(more);
            return this;
        }

        /**
         * Excludes an environment variable from inheritance.
         *
         * @param name the variable, which need not exist; must not be set by {@link #environment}
         * @return this builder
         */
        public Builder withoutEnvironment(String name) {
            without.add(requireNonNull(name, "name"));
            return this;
        }

        /**
         * Sets the working directory.
         *
         * @param directory may have placeholders, whose values cannot lead out of it by {@code ..}; default: that of
         *     this JVM
         * @return this builder
         */
        public Builder directory(Path directory) {
            this.directory = Optional.of(requireNonNull(directory, "directory"));
            return this;
        }

        /**
         * Adds a label that requests can select.
         *
         * @param name a name as in {@link WorkerInfo}
         * @param value also a name
         * @return this builder
         */
        public Builder label(String name, String value) {
            labels.put(requireNonNull(name, "name"), requireNonNull(value, () -> valueOf(name)));
            return this;
        }

        private static String valueOf(String name) {
            return "value of " + LogText.shortened(name, MAX_NAME_LENGTH);
        }

        /**
         * Declares that the listener at the url is a process that the command does not start: a container's port proxy,
         * or a proxy in front of the worker. By default, a worker is not started while another process listens at its
         * url, and a health check makes it ready only if the listener belongs to its own process tree, if that can be
         * determined ({@link io.github.workerregistry.process.WorkerProcess#ownsListener}). With this setting, neither
         * is checked.
         *
         * @return this builder
         */
        public Builder listenerOutsideTree() {
            this.listenerOutsideTree = true;
            return this;
        }

        /**
         * Sets how this worker is probed.
         *
         * @param healthProbe default: {@link WorkerSupervisor.Builder#healthProbe}; a worker cannot switch that off
         * @return this builder
         */
        public Builder healthProbe(HealthProbe healthProbe) {
            this.healthProbe = Optional.of(requireNonNull(healthProbe, "healthProbe"));
            return this;
        }

        /**
         * Sets the intervals, timeouts and limits of this worker, in all its generations. They are taken as a whole,
         * not merged with the supervisor's; to change one value, begin with {@link LifecycleConfig#toBuilder()} of the
         * supervisor's. {@code tickInterval} and {@code suspicionTimeout} are ignored: the supervisor's apply to all
         * workers.
         *
         * @param lifecycle default: {@link WorkerSupervisor.Builder#lifecycle}
         * @return this builder
         */
        public Builder lifecycle(LifecycleConfig lifecycle) {
            this.lifecycle = Optional.of(requireNonNull(lifecycle, "lifecycle"));
            return this;
        }

        /**
         * Sets whether and when this worker is restarted.
         *
         * @param restartPolicy default: {@link WorkerSupervisor.Builder#restartPolicy}
         * @return this builder
         */
        public Builder restartPolicy(RestartPolicy restartPolicy) {
            this.restartPolicy = Optional.of(requireNonNull(restartPolicy, "restartPolicy"));
            return this;
        }

        /**
         * Sets the request that asks this worker to exit before it is signalled.
         *
         * @param stopRequest default: {@link WorkerSupervisor.Builder#stopRequest}
         * @return this builder
         */
        public Builder stopRequest(StopRequest stopRequest) {
            this.stopRequest = Optional.of(requireNonNull(stopRequest, "stopRequest"));
            return this;
        }

        /**
         * Builds the spec. Checks the values, that every placeholder is known, and that the result of the substitution
         * can be spawned: the url has scheme and host; texts contain no NUL and, outside Windows, only characters of
         * this JVM's encoding, because others would reach the process as {@code ?}. The encoding is UTF-8 if the JVM
         * was started in a UTF-8 locale, for example with {@code LC_ALL=C.UTF-8} in its environment, and ASCII without
         * a locale.
         *
         * @return the spec
         * @throws NullPointerException if a required value is missing; the message names it
         * @throws IllegalArgumentException if a value is malformed or out of range, or a placeholder is unknown; the
         *     message names it, and contains neither arguments nor values of variables
         */
        public WorkerSpec build() {
            return new WorkerSpec(new Values(
                    id,
                    requireNonNull(modelRef, "modelRef"),
                    backend == null ? "cpu" : backend,
                    device.orElse(0),
                    slots,
                    requireNonNull(command, "command"),
                    url,
                    parameters,
                    environment,
                    new InheritedEnvironment(Optional.ofNullable(inherited), without),
                    directory,
                    listenerOutsideTree,
                    labels,
                    healthProbe,
                    lifecycle,
                    restartPolicy,
                    stopRequest));
        }
    }
}
