package io.github.workerregistry.examples.hive;

import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/** A hive that is a process of its own. */
public final class HiveProcess {

    private static final Pattern URL = Pattern.compile("listens on (http://\\S+:\\d+)");

    private final Path directory;
    private final Process process;

    private HiveProcess(Path directory, Process process) {
        this.directory = directory;
        this.process = process;
    }

    /** Starts one that prints into the directory, and does not wait for it. */
    public static HiveProcess start(Path directory, String... options) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Hive.class.getName()));
        command.addAll(List.of(options));
        Files.createDirectories(directory);
        return new HiveProcess(
                directory,
                new ProcessBuilder(command)
                        .redirectOutput(directory.resolve("hive.out").toFile())
                        .redirectError(directory.resolve("hive.err").toFile())
                        .start());
    }

    public Process process() {
        return process;
    }

    /** Waits until it listens. */
    HiveClient client() {
        return new HiveClient(url());
    }

    /** Waits until it listens. */
    public String url() {
        return await().atMost(Duration.ofSeconds(30))
                .until(() -> find(URL, directory.resolve("hive.out")), Optional::isPresent)
                .orElseThrow();
    }

    String printed() throws IOException {
        return Files.readString(directory.resolve("hive.out"));
    }

    List<String> errors() throws IOException {
        return Files.readAllLines(directory.resolve("hive.err"));
    }

    static Optional<String> find(Pattern pattern, Path file) throws IOException {
        return pattern.matcher(Files.readString(file))
                .results()
                .map(found -> found.group(1))
                .findFirst();
    }
}
