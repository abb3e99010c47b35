package io.github.workerregistry.lifecycle;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.WorkerInfo;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What to spawn: the model, the slots, and the command that serves them.
 *
 * <p>The command's arguments and the url may have placeholders, filled when the worker is spawned: {@code {id}},
 * {@code {port}}, {@code {model_ref}}, {@code {backend}}, {@code {device}}, {@code {slots}}, and the names in
 * {@code parameters}. A value stays inside its one argument, whatever is in it: nothing here passes through a shell.
 * The process finds the same values in its environment as {@code WORKER_ID}, {@code WORKER_PORT}, ….
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
 * @param url where it will be reached; default {@code http://127.0.0.1:{port}}
 * @param parameters more placeholders: names of small letters, digits and {@code _}, and their values
 * @param environment variables added to those of this JVM
 * @param directory the working directory; empty for this JVM's own
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
        Optional<Path> directory) {

    /**
     * Checks the values and that every placeholder is known.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if a value is malformed or out of range, or a placeholder unknown; the message
     *     names it
     */
    public WorkerSpec {
        requireNonNull(id, "id").ifPresent(value -> WorkerInfo.requireName(value, "id"));
        WorkerInfo.requireName(modelRef, "modelRef");
        WorkerInfo.requireName(backend, "backend");
        if (device < 0) {
            throw new IllegalArgumentException("device must be >= 0, was " + device);
        }
        if (slots < 1) {
            throw new IllegalArgumentException("slots must be >= 1, was " + slots);
        }
        command = List.copyOf(requireNonNull(command, "command"));
        if (command.isEmpty() || command.get(0).isBlank()) {
            throw new IllegalArgumentException("command must name a program, was " + command);
        }
        WorkerInfo.requireName(url, "url");
        parameters = Map.copyOf(requireNonNull(parameters, "parameters"));
        environment = Map.copyOf(requireNonNull(environment, "environment"));
        requireNonNull(directory, "directory");
        Placeholders.requireFillable(command, url, parameters);
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
        private Optional<Path> directory = Optional.empty();

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
         * @param url default {@code http://127.0.0.1:{port}}
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
         * Adds an environment variable.
         *
         * @param name the variable
         * @param value its value
         * @return this builder
         */
        public Builder environment(String name, String value) {
            environment.put(requireNonNull(name, "name"), requireNonNull(value, () -> "value of " + name));
            return this;
        }

        /**
         * Sets the working directory.
         *
         * @param directory default: this JVM's own
         * @return this builder
         */
        public Builder directory(Path directory) {
            this.directory = Optional.of(requireNonNull(directory, "directory"));
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
                    directory);
        }
    }
}
