package io.github.workerregistry.process;

import java.io.File;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Finds the file of a program as the JDK does when it starts one: a name without a slash in the directories of this
 * JVM's {@code PATH}, whatever {@code PATH} the child gets; any other name as it is. What is not absolute is relative
 * to the child's working directory.
 *
 * @param path the directories, in order; relative ones count from the child's working directory
 */
record ProgramSearch(List<String> path) {

    /** What the JDK takes where there is no such variable. */
    private static final String DEFAULT = ":/bin:/usr/bin";

    /**
     * The search in the value of a variable {@code PATH}.
     *
     * @param value the directories with colons between them, an empty one being the working directory; empty if the
     *     variable is not set
     */
    static ProgramSearch in(Optional<String> value) {
        return new ProgramSearch(Stream.of(value.orElse(DEFAULT).split(":", -1))
                .map(directory -> directory.isEmpty() ? "." : directory)
                .toList());
    }

    /**
     * Gives the name by which the child can execute the program in its working directory: it contains a slash and does
     * not begin with a hyphen.
     *
     * @param directory the child's working directory; empty for that of this JVM
     * @return empty if there is no file that may be executed
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
