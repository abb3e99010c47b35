package io.github.workerregistry.lifecycle;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.LogText;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.internal.CommandText;
import io.github.workerregistry.process.InheritedEnvironment;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * What to spawn: the model, the slots, and the command that serves them.
 *
 * <p>The command, the url, the values of environment variables and the directory may have placeholders, filled when the
 * worker is started: {@code {id}}, {@code {generation}}, {@code {port}}, {@code {model_ref}}, {@code {backend}},
 * {@code {device}}, {@code {slots}}, and the names in {@code parameters}. One that has no value is refused. A value
 * stays inside its one argument, whatever is in it, and is not searched for placeholders: nothing here passes through a
 * shell. The process finds the same values in its environment as {@code WORKER_ID}, {@code WORKER_PORT}, ….
 * {@code WORKER_GENERATION} is that of the start: 1, and one more at each restart.
 *
 * <p>A placeholder in a second pair of braces is text. Other braces are themselves. On port 8100:
 *
 * <table>
 * <caption>What braces become</caption>
 * <tr><th>written<th>the process is given
 * <tr><td>{@code --port={port}}<td>{@code --port=8100}
 * <tr><td>{@code {"port": {port}}}<td>{@code {"port": 8100}}
 * <tr><td>{@code {"a": {"b": 1}}}<td>the same
 * <tr><td>{@code {{ messages[0] }}}<td>the same
 * <tr><td>{@code {{port}}}<td>{@code {port}}
 * <tr><td>{@code {{{port}}}}<td>{@code {{port}}}
 * <tr><td>{@code ${WORKER_PORT}}<td>the same
 * </table>
 *
 * <p>Text of others that may have braces, such as a chat template, belongs into a parameter.
 *
 * @param id the worker's id, a name as in {@link WorkerInfo}; empty for one that names the model, such as
 *     {@code tiny-1}: different at each spawn of one supervisor, and none that is registered. A hive that is started
 *     again begins anew: output files that are kept are continued. Set ids of your own where hives share an output
 *     directory, or where a worker may outlive its hive and call back (other systems than Linux)
 * @param modelRef the model, a name
 * @param backend what it computes on, a name; default {@code cpu}
 * @param device the index of the device, &ge; 0; default 0
 * @param slots how many requests it takes at once, &ge; 1; default 1
 * @param command the program and its arguments, at least the program
 * @param url where it will be reached, with scheme and host; a name; default {@code http://127.0.0.1:{port}}
 * @param parameters more placeholders: names of small letters, digits and {@code _}, and their values
 * @param environment variables added to those inherited
 * @param inheritedEnvironment which of the hive's own variables the process has too; default all
 * @param directory the working directory; empty for this JVM's own
 * @param listenerOutsideTree whether what listens at the url may be another process than those that the command starts,
 *     see {@link Builder#listenerOutsideTree()}
 */
public record WorkerSpec(
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
        boolean listenerOutsideTree) {

    /**
     * Checks the values, that every placeholder is known, and that what they give once they are filled can be spawned:
     * a url with scheme and host, and texts that a process can be given. Such are without NUL, and outside Windows
     * without characters that the encoding of this JVM lacks: they would reach the process as {@code ?}. It is UTF-8 if
     * the JVM was started in a UTF-8 locale, for example with {@code LC_ALL=C.UTF-8} in its environment, and ASCII if
     * in none.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if a value is malformed or out of range, or a placeholder unknown; the message
     *     names it, and does not show arguments nor values of variables
     */
    public WorkerSpec(
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
            boolean listenerOutsideTree) {
        requireNonNull(id, "id").ifPresent(value -> WorkerInfo.requireName(value, "id"));
        this.id = id;
        this.modelRef = WorkerInfo.requireName(modelRef, "modelRef");
        this.backend = WorkerInfo.requireName(backend, "backend");
        if (device < 0) {
            throw new IllegalArgumentException("device must be >= 0, was " + device);
        }
        this.device = device;
        if (slots < 1) {
            throw new IllegalArgumentException("slots must be >= 1, was " + slots);
        }
        this.slots = slots;
        this.command = List.copyOf(requireNonNull(command, "command"));
        this.url = WorkerInfo.requireName(url, "url");
        this.parameters = Map.copyOf(requireNonNull(parameters, "parameters"));
        this.environment = Map.copyOf(requireNonNull(environment, "environment"));
        this.inheritedEnvironment = requireNonNull(inheritedEnvironment, "inheritedEnvironment");
        this.directory = requireNonNull(directory, "directory");
        this.listenerOutsideTree = listenerOutsideTree;
        SpecChecks.require(this);
    }

    /** What is to be spawned, without what may hold secrets: arguments, and the values of parameters and variables. */
    @Override
    public String toString() {
        return "WorkerSpec[" + id.map(value -> "id=" + value + ", ").orElse("") + "modelRef=" + modelRef + ", backend="
                + backend + ", device=" + device + ", slots=" + slots + ", program="
                + LogText.of(CommandText.program(command))
                + ", arguments=" + (command.size() - 1) + ", url=" + url + ", parameters="
                + new TreeSet<>(parameters.keySet()) + ", variables="
                + LogText.of(new TreeSet<>(environment.keySet()).toString())
                + directory
                        .map(path -> ", directory=" + LogText.of(path.toString()))
                        .orElse("") + "]";
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
     * Puts a spec together; every method returns the builder, in any order. Values are checked by {@link #build()}. Not
     * thread-safe.
     */
    public static final class Builder {
        private Optional<String> id = Optional.empty();
        private @Nullable String modelRef;
        private String backend = "cpu";
        private int device;
        private int slots = 1;
        private @Nullable List<String> command;
        private String url = "http://127.0.0.1:{port}";
        private final Map<String, String> parameters = new HashMap<>();
        private final Map<String, String> environment = new HashMap<>();
        private final Set<String> without = new HashSet<>();
        private @Nullable Set<String> inherited;
        private Optional<Path> directory = Optional.empty();
        private boolean listenerOutsideTree;

        private Builder() {}

        /**
         * Sets the worker's id.
         *
         * @param id default: one that names the model, such as {@code tiny-1}, another at each spawn
         * @return this builder
         */
        public Builder id(String id) {
            this.id = Optional.of(requireNonNull(id, "id"));
            return this;
        }

        /**
         * Sets the model.
         *
         * @param modelRef required
         * @return this builder
         */
        public Builder modelRef(String modelRef) {
            this.modelRef = requireNonNull(modelRef, "modelRef");
            return this;
        }

        /**
         * Sets what the worker computes on.
         *
         * @param backend default {@code cpu}
         * @return this builder
         */
        public Builder backend(String backend) {
            this.backend = requireNonNull(backend, "backend");
            return this;
        }

        /**
         * Sets the device.
         *
         * @param device default 0
         * @return this builder
         */
        public Builder device(int device) {
            this.device = device;
            return this;
        }

        /**
         * Sets how many requests the worker takes at once.
         *
         * @param slots default 1
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
            return command(List.of(requireNonNull(command, "command")));
        }

        /**
         * Sets the command.
         *
         * @param command the program and its arguments; required
         * @return this builder
         */
        public Builder command(List<String> command) {
            this.command = requireNonNull(command, "command");
            return this;
        }

        /**
         * Sets where the worker will be reached.
         *
         * @param url scheme, host and, if not the scheme's own, port; default {@code http://127.0.0.1:{port}}
         * @return this builder
         */
        public Builder url(String url) {
            this.url = requireNonNull(url, "url");
            return this;
        }

        /**
         * Adds a placeholder of the host's own.
         *
         * @param name small letters, digits and {@code _}
         * @param value what it stands for
         * @return this builder
         */
        public Builder parameter(String name, String value) {
            parameters.put(requireNonNull(name, "name"), requireNonNull(value, () -> "value of " + name));
            return this;
        }

        /**
         * Adds an environment variable, which replaces the hive's own of that name.
         *
         * @param name the variable: not empty, without {@code =}
         * @param value its value; may have placeholders, for example <code>
         *     environment("CUDA_VISIBLE_DEVICES", "{device}")</code>
         * @return this builder
         */
        public Builder environment(String name, String value) {
            environment.put(requireNonNull(name, "name"), requireNonNull(value, () -> "value of " + name));
            return this;
        }

        /**
         * Lets the process inherit only these of the hive's own variables, and those of earlier calls. Nothing is added
         * to them: most programs need {@code PATH} and {@code HOME}. What is set by {@link #environment} and by the
         * library ({@code WORKER_ID}, …) is there all the same.
         *
         * @param names the variables; none: nothing is inherited; default: all are
         * @return this builder
         */
        public Builder inheritEnvironment(String... names) {
            Set<String> more = Set.copyOf(List.of(requireNonNull(names, "names")));
            inherited = inherited == null ? new HashSet<>() : inherited;
            inherited.addAll(more);
            return this;
        }

        /**
         * Keeps one of the hive's own variables from the process.
         *
         * @param name the variable, whether the hive has it or not; not one that is set by {@link #environment}
         * @return this builder
         */
        public Builder withoutEnvironment(String name) {
            without.add(requireNonNull(name, "name"));
            return this;
        }

        /**
         * Sets the working directory.
         *
         * @param directory may have placeholders, whose values cannot lead out of it by {@code ..}; default: this JVM's
         *     own
         * @return this builder
         */
        public Builder directory(Path directory) {
            this.directory = Optional.of(requireNonNull(directory, "directory"));
            return this;
        }

        /**
         * Says that the socket at the url is held by a process that the command does not start: the proxy of a
         * container's port, or a proxy in front of the worker. Without this, a worker is not started while another
         * process listens at its url, and a health check makes it ready only if its own processes listen there, where
         * that can be told: {@link io.github.workerregistry.process.WorkerProcess#ownsListener}. With it, neither is
         * checked.
         *
         * @return this builder
         */
        public Builder listenerOutsideTree() {
            this.listenerOutsideTree = true;
            return this;
        }

        /**
         * Builds the spec.
         *
         * @return the spec
         * @throws NullPointerException if a required value is missing; the message names it
         * @throws IllegalArgumentException as the {@linkplain WorkerSpec constructor} says
         */
        public WorkerSpec build() {
            return new WorkerSpec(
                    id,
                    requireNonNull(modelRef, "modelRef"),
                    backend,
                    device,
                    slots,
                    requireNonNull(command, "command"),
                    url,
                    parameters,
                    environment,
                    new InheritedEnvironment(Optional.ofNullable(inherited), without),
                    directory,
                    listenerOutsideTree);
        }
    }
}
