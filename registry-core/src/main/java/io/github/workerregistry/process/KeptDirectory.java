package io.github.workerregistry.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** A directory of the host, where output stays: one file for each worker id, appended to by its next process. */
record KeptDirectory(Path directory, long limit) implements OutputSource {

    @Override
    public ProcessOutput open(String workerId) throws IOException {
        if (!Files.isDirectory(directory)) {
            throw new IOException("output directory " + directory + " does not exist or is no directory");
        }
        if (!Files.isWritable(directory)) {
            throw new IOException("output directory " + directory + " is not writable");
        }
        HeldFile file = HeldFile.open(directory, OutputFileName.of(workerId));
        return new OutputFile(file, limit, () -> {}, file.wasCreated() ? file::delete : () -> {});
    }
}
