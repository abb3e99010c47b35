package io.github.workerregistry.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Output in a temporary directory, which exists while a process has output in it. Each process has its own file,
 * because the next process of a worker may start before the file of the previous one is deleted.
 */
final class TemporaryOutput implements OutputSource {

    private final String prefix;
    private final long limit;
    private @Nullable Path directory;
    private long opened;

    TemporaryOutput(String hiveId, long limit) {
        this.prefix = AbandonedDirectories.prefix(hiveId);
        this.limit = limit;
    }

    @Override
    public synchronized ProcessOutput open(String workerId) throws IOException {
        Path home = home();
        try {
            HeldFile file = HeldFile.open(home, ++opened + "-" + OutputFileName.of(workerId));
            Runnable remove = () -> remove(file, home);
            return new OutputFile(file, limit, remove, remove);
        } catch (IOException | RuntimeException e) {
            OutputFile.delete(home);
            throw e;
        }
    }

    private Path home() throws IOException {
        if (directory == null || !Files.isDirectory(directory, LinkOption.NOFOLLOW_LINKS)) {
            try {
                directory = Files.createTempDirectory(prefix);
            } catch (IOException e) {
                throw new IOException("temporary output directory cannot be created: " + e, e);
            }
        }
        return directory;
    }

    /** Holds the same lock as {@link #open}, so that no file is created in a directory that is being deleted. */
    private synchronized void remove(HeldFile file, Path home) {
        file.delete();
        OutputFile.delete(home);
    }
}
