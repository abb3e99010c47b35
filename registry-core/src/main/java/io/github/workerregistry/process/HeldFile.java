package io.github.workerregistry.process;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import io.github.workerregistry.LogText;
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
 * A regular file that is held open. From then on it is that file and no other, whoever deletes it, renames it or puts
 * something else in its place.
 *
 * <p>What could lead to the file of somebody else is refused, see {@link OutputFileChecks}. On Linux nothing can come
 * between these checks and the opening; elsewhere they are made before and after it.
 *
 * <p>Costs one file descriptor. It is a {@link RandomAccessFile} because an interrupt closes a channel. Closed by the
 * garbage collector if by nobody else. Not thread-safe.
 */
final class HeldFile implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(HeldFile.class);

    private static final int ATTEMPTS = 10;

    private final RandomAccessFile content;
    private final Path name;
    private final Path directory;
    private final Path path;
    private final boolean created;
    private Path last;

    /**
     * Takes over an open file.
     *
     * @param name by which the very file can be opened again
     * @param directory where it was opened, with no link in it
     * @param path its name in there
     */
    HeldFile(RandomAccessFile content, Path name, Path directory, Path path, boolean created) {
        this.content = content;
        this.name = name;
        this.directory = directory;
        this.path = path;
        this.created = created;
        this.last = path;
    }

    /**
     * Opens a file, or makes it, then with mode 0600. The mode of one that is there stays as it is.
     *
     * @throws IOException if that is not possible or not safe; the message says why, in words for the reader of a log
     */
    static HeldFile open(Path directory, String file) throws IOException {
        try {
            return openNow(directory.toRealPath(), file);
        } catch (IOException e) {
            boolean speaks = e.getClass() == IOException.class; // the message of others is a path, or begins with it
            String why = speaks ? e.getMessage() : e.toString();
            throw new IOException("output file " + directory.resolve(file) + " cannot be opened: " + why, e);
        }
    }

    private static HeldFile openNow(Path directory, String file) throws IOException {
        Path path = directory.resolve(file);
        boolean created = false;
        for (int attempt = 1; ; attempt++) {
            try {
                created |= make(path);
                return openThere(directory, path, created);
            } catch (NoSuchFileException | FileNotFoundException e) {
                if (attempt == ATTEMPTS) {
                    discard(path, created);
                    throw e;
                } // else: moved by somebody between two of our steps, or a descriptor was closed
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

    private static HeldFile openThere(Path directory, Path path, boolean created) throws IOException {
        OutputFileChecks.requireRegular(path);
        return Descriptors.areShown()
                ? openByDescriptor(directory, path, created)
                : openByName(directory, path, created);
    }

    private static boolean make(Path path) throws IOException {
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
     * The channel follows no link and does not block, were this a FIFO by now. What was opened has a name of its own
     * then, by which the rest is done.
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

    /** Where descriptors have no names. A link that comes between the check and the opening is seen, but opened. */
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

    /** A name by which the very file can be opened again, until it is closed. */
    Path name() {
        return name;
    }

    /** Whether it was not there before. */
    boolean wasCreated() {
        return created;
    }

    @Override
    public void close() {
        last = currentPath();
        try {
            content.close();
        } catch (IOException e) {
            log.debug("{} cannot be closed", this, LogText.of(e));
        }
    }

    /** After it was closed: deletes the file, also under another name, if it has not left its directory. */
    void delete() {
        if (directory.equals(last.getParent())) {
            OutputFile.delete(last);
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
