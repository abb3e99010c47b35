package io.github.workerregistry.process;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A directory of our own that is there while a process has output in it. Every process gets a file of its own: the next
 * one of a worker may start before the file of the last one is deleted.
 */
final class TemporaryDirectory implements OutputSource {

    private final String prefix;
    private final long limit;
    private @Nullable Path directory;
    private long opened;

    TemporaryDirectory(String hiveId, long limit) {
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
                throw new IOException("temporary output directory cannot be made: " + e, e);
            }
        }
        return directory;
    }

    /** Under the same lock as {@link #open}: a directory that is about to get a file is not empty. */
    private synchronized void remove(HeldFile file, Path home) {
        file.delete();
        OutputFile.delete(home);
    }
}
