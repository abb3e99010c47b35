package io.github.workerregistry.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Output in a directory of the hive: one persistent file for each worker id, to which its next process appends. */
record PersistentOutput(Path directory, long limit) implements OutputSource {

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
