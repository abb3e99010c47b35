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
 * The file descriptors of this JVM, as Linux shows them. Each is a name under which the very file can be opened again,
 * wherever its own name has gone.
 *
 * <p>Java does not tell the number of a descriptor, so it is searched for, a few microseconds for each that is open.
 * Nothing here fails because the calling thread is interrupted.
 */
final class Descriptors {

    private static final String ALL = "/proc/self/fd";
    private static final String PROGRAM = "/proc/self/exe";

    /** Positions to which a descriptor is moved so that it is known by it. All file systems have them. */
    private static final long FIRST_MARK = 1L << 30;

    private static final long LAST_MARK = 1L << 31;

    private static volatile boolean shown;

    private Descriptors() {}

    /** Whether there are such names here. Not so on other systems, nor in every sandbox that looks like Linux. */
    static boolean areShown() {
        if (!shown) {
            try (RandomAccessFile open = new RandomAccessFile(PROGRAM, "r")) {
                shown = of(open, Path.of(PROGRAM).toRealPath()).isPresent();
            } catch (IOException e) {
                return false; // or no descriptor is free; the next call looks again
            }
        }
        return shown;
    }

    /** A descriptor of the file that has this name now; of several, any. Empty if there is none. */
    static Optional<Path> of(Path file) throws IOException {
        return find(descriptor -> leadsTo(file, descriptor));
    }

    /**
     * The descriptor of {@code open}, whose position is changed. Empty if {@code open} is not the file that has this
     * name now.
     */
    static Optional<Path> of(RandomAccessFile open, Path file) throws IOException {
        long mark = ThreadLocalRandom.current().nextLong(FIRST_MARK, LAST_MARK);
        try {
            open.seek(mark);
        } catch (IOException e) { // a pipe: it was opened by the number of a descriptor that is another's by now
            return Optional.empty();
        }
        return find(descriptor -> leadsTo(file, descriptor) && isAt(mark, descriptor));
    }

    /** The name that the file of a descriptor has now; with {@code " (deleted)"} at its end if it has none. */
    static Path target(Path descriptor) throws IOException {
        return Files.readSymbolicLink(descriptor);
    }

    private static Optional<Path> find(Predicate<Path> wanted) throws IOException {
        String[] numbers = new File(ALL).list();
        if (numbers == null) {
            throw new IOException(ALL + " cannot be read: is every file descriptor in use?");
        }
        for (int i = numbers.length - 1; i >= 0; i--) { // the one that was opened last often has the highest number
            Path descriptor = Path.of(ALL, numbers[i]);
            if (wanted.test(descriptor)) {
                return Optional.of(descriptor);
            }
        }
        return Optional.empty();
    }

    private static boolean leadsTo(Path file, Path descriptor) {
        try {
            return target(descriptor).equals(file);
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }

    /** Its information begins with {@code pos:}, a tab, and the position. */
    private static boolean isAt(long position, Path descriptor) {
        try (FileInputStream in = new FileInputStream("/proc/self/fdinfo/" + descriptor.getFileName())) {
            return new String(in.readAllBytes(), US_ASCII).startsWith("pos:\t" + position + "\n");
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }
}
