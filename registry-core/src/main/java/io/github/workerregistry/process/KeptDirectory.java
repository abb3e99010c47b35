package io.github.workerregistry.process;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.net.URLEncoder;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.UUID;

/** A directory of the host, where output stays: one file for each worker id, appended to by its next process. */
record KeptDirectory(Path directory, long limit) implements OutputSource {

    private static final int LONGEST_NAME = 200; // most file systems end at 255 bytes

    @Override
    public ProcessOutput open(String workerId) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw new IOException("output directory " + directory + " does not exist or is no directory");
        }
        if (!Files.isWritable(directory)) {
            throw new IOException("output directory " + directory + " is not writable");
        }
        Path file = directory.resolve(fileName(workerId));
        boolean made = make(file);
        return new OutputFile(file.toFile(), limit, () -> {}, () -> {
            if (made) {
                OutputFile.delete(file);
            }
        });
    }

    /** Different ids give different names, and no id leads out of the directory. */
    static String fileName(String workerId) {
        String safe = URLEncoder.encode(workerId, UTF_8).replace("*", "%2A");
        if (safe.length() > LONGEST_NAME) {
            safe = safe.substring(0, LONGEST_NAME / 2) + "-" + UUID.nameUUIDFromBytes(workerId.getBytes(UTF_8));
        }
        return safe + ".log";
    }

    private static boolean make(Path file) throws IOException {
        try {
            Files.createFile(file);
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        } catch (IOException e) {
            throw new IOException("output file " + file + " cannot be made: " + e, e);
        }
    }
}
