package io.github.workerregistry.examples.faults;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.workerregistry.examples.TemporaryDirectory;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The destination of the workers' output: a small in-memory file system that can be filled. If it cannot be mounted
 * (which needs root and Linux), an ordinary directory that is never full.
 */
final class SmallDisk implements AutoCloseable {

    private static final String SIZE = "16m";
    private static final int BLOCK = 4096;

    private final TemporaryDirectory directory;
    private final Optional<String> whyNeverFull;
    private final Thread hook = new Thread(this::remove, "fault-run-disk");

    private SmallDisk(TemporaryDirectory directory, Optional<String> whyNeverFull) {
        this.directory = directory;
        this.whyNeverFull = whyNeverFull;
        Runtime.getRuntime().addShutdownHook(hook);
    }

    static SmallDisk create() throws IOException {
        TemporaryDirectory directory = TemporaryDirectory.create("fault-run");
        String path = directory.path().toString();
        String refusal = run("mount", "-t", "tmpfs", "-o", "size=" + SIZE, "fault-run", path);
        return new SmallDisk(directory, refusal.isEmpty() ? Optional.empty() : Optional.of(refusal));
    }

    Path directory() {
        return directory.path();
    }

    /** Why this disk cannot be filled; empty if it can be. */
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
            // expected: the disk is full
        }
    }

    void clear() throws IOException {
        Files.deleteIfExists(filler());
    }

    /** A worker was removed, and its id is never used again. */
    void forget(String workerId) {
        try {
            Files.deleteIfExists(directory().resolve(workerId + ".log"));
        } catch (IOException e) {
            // it is removed with the directory
        }
    }

    private Path filler() {
        return directory().resolve("filler");
    }

    @Override
    public void close() {
        Runtime.getRuntime().removeShutdownHook(hook);
        remove();
    }

    private void remove() {
        if (whyNeverFull.isEmpty()) {
            run("umount", "--lazy", directory().toString()); // after Ctrl-C, the last workers may still write
        }
        directory.close();
    }

    /** The output of the command if it fails; otherwise empty. */
    private static String run(String... command) {
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectInput(Redirect.from(Redirect.DISCARD.file()))
                    .start();
            String output = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
            int code = process.waitFor();
            return code == 0 ? "" : output.isEmpty() ? List.of(command) + " ends with " + code : output;
        } catch (IOException e) {
            return e.getMessage();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return "interrupted";
        }
    }
}
