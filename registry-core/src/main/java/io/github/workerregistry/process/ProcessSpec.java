package io.github.workerregistry.process;

import static io.github.workerregistry.WorkerInfo.requireName;
import static java.util.Objects.requireNonNull;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a {@link ProcessController} is to start.
 *
 * @param workerId the worker that the process is for, a name as in {@link io.github.workerregistry.WorkerInfo}; names
 *     its output file
 * @param command the program and its arguments, at least one, no null; never passed through a shell
 * @param environment variables added to those of this JVM (a same name is replaced)
 * @param directory the working directory; empty for this JVM's own
 */
public record ProcessSpec(
        String workerId, List<String> command, Map<String, String> environment, Optional<Path> directory) {

    /**
     * Copies the collections and checks the command.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if the worker's id is no name, the command empty or its program blank
     */
    public ProcessSpec {
        requireName(workerId, "workerId");
        command = List.copyOf(requireNonNull(command, "command"));
        environment = Map.copyOf(requireNonNull(environment, "environment"));
        requireNonNull(directory, "directory");
        if (command.isEmpty() || command.get(0).isBlank()) {
            throw new IllegalArgumentException("command must name a program, was " + command);
        }
    }
}
