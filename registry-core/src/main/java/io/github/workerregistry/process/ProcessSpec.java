package io.github.workerregistry.process;

import static io.github.workerregistry.WorkerInfo.requireName;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.LogText;
import io.github.workerregistry.internal.CommandText;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/**
 * What a {@link ProcessController} is to start. What no process can be given is refused here, by name and without its
 * value: NUL, and characters that this JVM's encoding would turn into {@code ?}.
 *
 * @param workerId the worker that the process is for, a name as in {@link io.github.workerregistry.WorkerInfo}; names
 *     its output file
 * @param command the program and its arguments, at least one, no null; never passed through a shell
 * @param environment variables added to those inherited (a same name is replaced); a name is not empty and has no
 *     {@code =}
 * @param directory the working directory; empty for this JVM's own
 * @param inherited which of this JVM's own variables the process has too
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
     * @throws IllegalArgumentException if the worker's id is no name, the command empty or its program blank, or an
     *     argument, a variable or the directory is none that a process can be given; the message names the culprit
     */
    public ProcessSpec {
        requireName(workerId, "workerId");
        command = List.copyOf(requireNonNull(command, "command"));
        environment = Map.copyOf(requireNonNull(environment, "environment"));
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
     * @param workerId the worker that the process is for
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
     * The program, how many arguments it has, and which variables are added: without arguments and values, which may
     * hold secrets.
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
