package io.github.workerregistry.examples;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/**
 * One of the programs, in its own process.
 *
 * @param process the process
 * @param out the file of its standard output
 * @param err the file of its standard error
 */
public record Program(Process process, Path out, Path err) {

    /** A JVM that runs for seconds: optimisation would cost more than it saves. */
    private static final List<String> SHORT_LIVED = List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC");

    /**
     * Starts a program that prints into the directory, and does not wait for it. Its temporary files go to {@code tmp}
     * there, so that a killed one leaves none elsewhere.
     */
    public static Program start(Class<?> main, Path directory, String... options) throws IOException {
        Path temporary = Files.createDirectories(directory.resolve("tmp"));
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(SHORT_LIVED);
        command.add("-Djava.io.tmpdir=" + temporary);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), main.getName()));
        command.addAll(List.of(options));
        Path out = directory.resolve("out");
        Path err = directory.resolve("err");
        return new Program(
                new ProcessBuilder(command)
                        .redirectOutput(out.toFile())
                        .redirectError(err.toFile())
                        .start(),
                out,
                err);
    }

    /** Waits until it has printed a match. */
    public MatchResult awaitPrinted(Pattern pattern) {
        return await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(20))
                .until(() -> pattern.matcher(Files.readString(out)).results().findFirst(), Optional::isPresent)
                .orElseThrow();
    }

    public String printed() throws IOException {
        return Files.readString(out);
    }

    public List<String> errors() throws IOException {
        return Files.readAllLines(err);
    }
}
