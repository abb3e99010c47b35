package io.github.workerregistry.process;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import io.github.workerregistry.internal.LogText;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermissions;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A regular file that is kept open. It remains the same file even if its name is deleted, renamed or replaced.
 *
 * <p>Files that could belong to another user are rejected, see {@link OutputFileChecks}. On Linux the opened file
 * itself is checked, without a race; elsewhere the name is checked before and after opening.
 *
 * <p>Takes one file descriptor. Uses a {@link RandomAccessFile} because an interrupt closes a channel. Closed at the
 * latest by the garbage collector. Not thread-safe.
 */
final class HeldFile implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(HeldFile.class);

    private static final int ATTEMPTS = 10;

    private final RandomAccessFile content;
    private final Path name;
    private final Path directory;
    private final Path path;
    private final boolean created;
    private Path lastPath;

    /**
     * Wraps an open file.
     *
     * @param name a path that opens the same file again
     * @param directory the directory in which it was opened, with links resolved
     * @param path its path in that directory
     */
    HeldFile(RandomAccessFile content, Path name, Path directory, Path path, boolean created) {
        this.content = content;
        this.name = name;
        this.directory = directory;
        this.path = path;
        this.created = created;
        this.lastPath = path;
    }

    /**
     * Opens a file, or creates it with mode 0600. The mode of an existing file is not changed.
     *
     * @throws IOException if that is not possible or not safe; the message contains the reason
     */
    static HeldFile open(Path directory, String file) throws IOException {
        try {
            return openWithRetries(directory.toRealPath(), file);
        } catch (IOException e) {
            boolean hasReason = e.getClass() == IOException.class; // the message of a subclass begins with a path
            String why = hasReason ? e.getMessage() : e.toString();
            throw new IOException("output file " + directory.resolve(file) + " cannot be opened: " + why, e);
        }
    }

    private static HeldFile openWithRetries(Path directory, String file) throws IOException {
        Path path = directory.resolve(file);
        boolean created = false;
        for (int attempt = 1; ; attempt++) {
            try {
                created |= create(path);
                return openExisting(directory, path, created);
            } catch (NoSuchFileException | FileNotFoundException e) {
                if (attempt == ATTEMPTS) {
                    discard(path, created);
                    throw e;
                } // else: moved concurrently, or a descriptor was closed
            } catch (Throwable t) {
                discard(path, created);
                throw t;
            }
        }
    }

    private static void discard(Path path, boolean created) {
        if (created) {
            OutputFile.delete(path);
        }
    }

    private static HeldFile openExisting(Path directory, Path path, boolean created) throws IOException {
        OutputFileChecks.requireRegular(path);
        return Descriptors.areAvailable()
                ? openByDescriptor(directory, path, created)
                : openByName(directory, path, created);
    }

    private static boolean create(Path path) throws IOException {
        try {
            Files.createFile(path, ownerOnly(path));
            return true;
        } catch (FileAlreadyExistsException e) {
            return false;
        }
    }

    private static FileAttribute<?>[] ownerOnly(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("posix")
                ? new FileAttribute<?>[] {
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------"))
                }
                : new FileAttribute<?>[0];
    }

    /**
     * The channel does not follow links and does not block on a FIFO. All further steps use the path of its descriptor.
     */
    private static HeldFile openByDescriptor(Path directory, Path path, boolean created) throws IOException {
        try (FileChannel opened = FileChannel.open(path, READ, WRITE, NOFOLLOW_LINKS)) {
            Path descriptor = Descriptors.of(path).orElseThrow(() -> moved(path));
            RandomAccessFile content = new RandomAccessFile(descriptor.toFile(), "rw");
            try {
                Path own = Descriptors.of(content, path).orElseThrow(() -> moved(path));
                OutputFileChecks.requireSafe(own, directory);
                return new HeldFile(content, own, directory, path, created);
            } catch (Throwable t) {
                content.close();
                throw t;
            }
        }
    }

    /**
     * For systems without descriptor paths. A link created between the check and the opening is detected, but only
     * after it was opened.
     */
    static HeldFile openByName(Path directory, Path path, boolean created) throws IOException {
        RandomAccessFile content = new RandomAccessFile(path.toFile(), "rw");
        try {
            OutputFileChecks.requireRegular(path);
            return new HeldFile(content, path, directory, path, created);
        } catch (Throwable t) {
            content.close();
            throw t;
        }
    }

    private static NoSuchFileException moved(Path path) {
        return new NoSuchFileException(path.toString(), null, "moved or replaced while it was opened");
    }

    RandomAccessFile content() {
        return content;
    }

    /** A path that opens the same file again, until it is closed. */
    Path name() {
        return name;
    }

    /** Whether {@link #open} created it. */
    boolean wasCreated() {
        return created;
    }

    @Override
    public void close() {
        lastPath = currentPath();
        try {
            content.close();
        } catch (IOException e) {
            log.debug("{} cannot be closed", this, LogText.of(e));
        }
    }

    /** Deletes the closed file, also if it was renamed within its directory. */
    void delete() {
        if (directory.equals(lastPath.getParent())) {
            OutputFile.delete(lastPath);
        }
    }

    private Path currentPath() {
        try {
            return name.equals(path) ? path : Descriptors.target(name);
        } catch (IOException e) {
            return path;
        }
    }

    @Override
    public String toString() {
        return LogText.of(path.toString());
    }
}
