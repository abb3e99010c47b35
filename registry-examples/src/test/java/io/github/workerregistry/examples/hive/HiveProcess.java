package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.Program;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A hive in its own process.
 *
 * @param program the program
 */
public record HiveProcess(Program program) {

    private static final Pattern URL = Pattern.compile("listens on (http://\\S+:\\d+)");

    /** Starts a hive that prints into the directory, and does not wait for it. */
    public static HiveProcess start(Path directory, String... options) throws IOException {
        return start(Hive.class, directory, options);
    }

    /** Starts a hive from another main class. */
    public static HiveProcess start(Class<?> program, Path directory, String... options) throws IOException {
        return new HiveProcess(Program.start(program, directory, options));
    }

    public Process process() {
        return program.process();
    }

    /** Waits until it listens. */
    HiveClient client() {
        return new HiveClient(url());
    }

    /** Waits until it listens. */
    public String url() {
        return program.awaitPrinted(URL).group(1);
    }

    String printed() throws IOException {
        return program.printed();
    }

    List<String> errors() throws IOException {
        return program.errors();
    }

    static Optional<String> find(Pattern pattern, Path file) throws IOException {
        return pattern.matcher(Files.readString(file))
                .results()
                .map(found -> found.group(1))
                .findFirst();
    }
}
