package io.github.workerregistry.process;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds the file of a program as the JDK does: a name without a slash in the directories of this JVM's {@code PATH},
 * independent of the child's {@code PATH}; any other name as a path. Relative paths are resolved against the child's
 * working directory.
 *
 * @param path the directories, in order; relative ones are resolved against the child's working directory
 */
record ProgramSearch(List<String> path) {

    /** The default of the JDK if {@code PATH} is not set. */
    private static final String DEFAULT = ":/bin:/usr/bin";

    /**
     * Parses the value of {@code PATH}.
     *
     * @param value the directories, separated by colons, an empty one being the working directory; empty if the
     *     variable is not set
     */
    static ProgramSearch in(Optional<String> value) {
        return new ProgramSearch(Stream.of(value.orElse(DEFAULT).split(":", -1))
                .map(directory -> directory.isEmpty() ? "." : directory)
                .toList());
    }

    /**
     * The path by which the child can execute the program from its working directory. It contains a slash and does not
     * begin with a hyphen.
     *
     * @param directory the child's working directory; empty for that of this JVM
     * @return empty if there is no executable file
     */
    Optional<String> find(String program, Optional<Path> directory) {
        Stream<String> candidates = program.contains("/")
                ? Stream.of(program)
                : path.stream().map(parent -> parent.endsWith("/") ? parent + program : parent + "/" + program);
        return candidates
                .filter(file -> isExecutable(file, directory))
                .findFirst()
                .map(file -> file.startsWith("-") ? "./" + file : file);
    }

    private static boolean isExecutable(String name, Optional<Path> directory) {
        File file = new File(name);
        File seen = file.isAbsolute() || directory.isEmpty()
                ? file
                : new File(directory.get().toFile(), name);
        return seen.isFile() && seen.canExecute();
    }
}
