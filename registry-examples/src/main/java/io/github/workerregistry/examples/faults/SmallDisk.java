package io.github.workerregistry.examples.faults;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Where the workers' output goes: a file system in memory, small enough to be filled up. Where that cannot be mounted
 * (it takes root, and Linux), an ordinary directory that is never full.
 */
final class SmallDisk implements AutoCloseable {

    private static final String SIZE = "16m";
    private static final int BLOCK = 4096;

    private final Path directory;
    private final Optional<String> whyNeverFull;
    private final Thread hook = new Thread(this::remove, "fault-run-disk");

    private SmallDisk(Path directory, Optional<String> whyNeverFull) {
        this.directory = directory;
        this.whyNeverFull = whyNeverFull;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    static SmallDisk create() throws IOException {
        Path directory = Files.createTempDirectory("fault-run");
        String refusal = run("mount", "-t", "tmpfs", "-o", "size=" + SIZE, "fault-run", directory.toString());
        return new SmallDisk(directory, refusal.isEmpty() ? Optional.empty() : Optional.of(refusal));
    }

    Path directory() {
        return directory;
    }

    /** Why this disk cannot be filled; empty if it can. */
    Optional<String> whyNeverFull() {
        return whyNeverFull;
    }

    /** Fills it to the last block. */
    void fill() {
        byte[] block = new byte[BLOCK];
        try (OutputStream out = Files.newOutputStream(filler())) {
            while (true) {
                out.write(block);
            }
        } catch (IOException full) {
            // that is what it was for
        }
    }

    void clear() throws IOException {
        Files.deleteIfExists(filler());
    }

    /** A worker has gone for good, and its id is never used again. */
    void forget(String workerId) {
        try {
            Files.deleteIfExists(directory.resolve(workerId + ".log"));
        } catch (IOException e) {
            // it goes with the directory
        }
    }

    private Path filler() {
        return directory.resolve("filler");
    }

    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(hook);
        remove();
    }

    private void remove() {
        if (whyNeverFull.isEmpty()) {
            run("umount", "--lazy", directory.toString()); // at Ctrl-C, the last workers may still write
        }
        try (Stream<Path> left = Files.walk(directory)) {
            for (Path path : left.sorted(Comparator.reverseOrder()).toList()) {
                Files.deleteIfExists(path);
            }
        } catch (IOException e) {
            System.err.println("fault run: cannot remove " + directory + ": " + e);
        }
    }

    /** What the command has to say if it fails; empty if it does not. */
    private static String run(String... command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(Redirect.from(Redirect.DISCARD.file()))
                    .start();
            String said = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
            int code = process.waitFor();
            return code == 0 ? "" : said.isEmpty() ? List.of(command) + " ends with " + code : said;
        } catch (IOException e) {
            return e.getMessage();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        }
    }
}
