package io.github.workerregistry.process;

import static io.github.workerregistry.internal.Checks.requireName;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.Checks;
import io.github.workerregistry.internal.CommandText;
import io.github.workerregistry.internal.LogText;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * The specification of a process for a {@link ProcessController}. Rejects text that cannot be passed to a process (NUL,
 * and characters that this JVM's encoding would replace by {@code ?}); the message names the parameter but not its
 * value.
 *
 * @param workerId the worker that the process belongs to, a name as in {@link io.github.workerregistry.WorkerInfo};
 *     determines the name of its output file
 * @param command the program and its arguments, at least one, no null; never passed through a shell
 * @param environment variables added to the inherited ones, replacing those of the same name; a name is not empty and
 *     has no {@code =}
 * @param directory the working directory; empty for this JVM's own
 * @param inherited which variables of this JVM the process inherits
 * @since 0.1
 */
public record ProcessSpec(
        String workerId,
        List<String> command,
        Map<String, String> environment,
        Optional<Path> directory,
        InheritedEnvironment inherited) {

    /**
     * Copies the collections and checks the values.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if the worker id is not a valid name, the command is empty or its program blank,
     *     or an argument, a variable or the directory cannot be passed to a process; the message names it
     */
    public ProcessSpec {
        requireName(workerId, "workerId");
        command = Checks.copyOf(command, "command");
        environment = Checks.copyOf(environment, "environment");
        requireNonNull(directory, "directory");
        requireNonNull(inherited, "inherited");
        if (command.isEmpty() || command.get(0).isBlank()) {
            throw new IllegalArgumentException("command must name a program, but "
                    + (command.isEmpty() ? "it is empty" : "its first element is blank"));
        }
        for (int i = 0; i < command.size(); i++) {
            ProcessText.require(command.get(i), i == 0 ? "the command's program" : "argument " + i + " of the command");
        }
        environment.forEach((name, value) -> {
            ProcessText.requireVariable(name, "name of an environment variable");
            ProcessText.require(value, "environment variable " + LogText.of(name));
        });
        directory.ifPresent(path -> ProcessText.require(path.toString(), "directory"));
    }

    /**
     * A specification whose process inherits every variable of this JVM.
     *
     * @param workerId the worker that the process belongs to
     * @param command the program and its arguments
     * @param environment variables added to those of this JVM
     * @param directory the working directory; empty for this JVM's own
     * @throws NullPointerException if a parameter is null; the message names it
     * @throws IllegalArgumentException as for all components
     */
    public ProcessSpec(
            String workerId, List<String> command, Map<String, String> environment, Optional<Path> directory) {
        this(workerId, command, environment, directory, InheritedEnvironment.all());
    }

    /**
     * The program, the number of arguments and the names of the added variables. Arguments and values are omitted: they
     * may hold secrets.
     */
    @Override
    public String toString() {
        return "ProcessSpec[workerId=" + workerId + ", program=" + LogText.of(CommandText.program(command))
                + ", arguments="
                + (command.size() - 1) + ", variables=" + LogText.of(new TreeSet<>(environment.keySet()).toString())
                + directory
                        .map(path -> ", directory=" + LogText.of(path.toString()))
                        .orElse("") + "]";
    }
}
