package io.github.workerregistry.process;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Predicate;

/**
 * The file descriptors of this JVM, as listed by Linux. The path of a descriptor opens the same file again, even if the
 * file was renamed or deleted.
 *
 * <p>Java does not expose the number of a descriptor, so it is searched for, a few microseconds per open descriptor.
 * Not affected by interrupts of the calling thread.
 */
final class Descriptors {

    private static final String ALL = "/proc/self/fd";
    private static final String PROGRAM = "/proc/self/exe";

    /** File positions used to mark a descriptor. All file systems support them. */
    private static final long FIRST_MARK = 1L << 30;

    private static final long LAST_MARK = 1L << 31;

    private static volatile boolean available;

    private Descriptors() {}

    /** Whether this system supports such paths. Other systems and some Linux sandboxes do not. */
    static boolean areAvailable() {
        if (!available) {
            try (RandomAccessFile open = new RandomAccessFile(PROGRAM, "r")) {
                available = of(open, Path.of(PROGRAM).toRealPath()).isPresent();
            } catch (IOException e) {
                return false; // or no descriptor is free; the next call tries again
            }
        }
        return available;
    }

    /** A descriptor of the file that currently has this name; any of several. Empty if there is none. */
    static Optional<Path> of(Path file) throws IOException {
        return find(descriptor -> pointsTo(file, descriptor));
    }

    /**
     * The descriptor of {@code open}, whose position is changed. Empty if {@code open} is not the file that currently
     * has this name.
     */
    static Optional<Path> of(RandomAccessFile open, Path file) throws IOException {
        long mark = ThreadLocalRandom.current().nextLong(FIRST_MARK, LAST_MARK);
        try {
            open.seek(mark);
        } catch (IOException e) { // a pipe: the number of the descriptor was reused meanwhile
            return Optional.empty();
        }
        return find(descriptor -> pointsTo(file, descriptor) && isAt(mark, descriptor));
    }

    /** The current name of the file of a descriptor, with the suffix {@code " (deleted)"} if it was deleted. */
    static Path target(Path descriptor) throws IOException {
        return Files.readSymbolicLink(descriptor);
    }

    private static Optional<Path> find(Predicate<Path> wanted) throws IOException {
        String[] numbers = new File(ALL).list();
        if (numbers == null) {
            throw new IOException(ALL + " cannot be read: is every file descriptor in use?");
        }
        for (int i = numbers.length - 1; i >= 0; i--) { // the last opened one often has the highest number
            Path descriptor = Path.of(ALL, numbers[i]);
            if (wanted.test(descriptor)) {
                return Optional.of(descriptor);
            }
        }
        return Optional.empty();
    }

    private static boolean pointsTo(Path file, Path descriptor) {
        try {
            return target(descriptor).equals(file);
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }

    /** The fdinfo file begins with {@code pos:}, a tab, and the position. */
    private static boolean isAt(long position, Path descriptor) {
        try (FileInputStream in = new FileInputStream("/proc/self/fdinfo/" + descriptor.getFileName())) {
            return new String(in.readAllBytes(), US_ASCII).startsWith("pos:\t" + position + "\n");
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }
}
