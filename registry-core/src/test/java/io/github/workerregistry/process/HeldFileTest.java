package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;
import static org.junit.jupiter.api.Timeout.ThreadMode.SEPARATE_THREAD;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.channels.Pipe;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Which files are opened for a worker's output, and which are rejected: possible attacks in a shared directory. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class HeldFileTest {

    private static final int OTHER_UID = 4711;

    @RegisterExtension
    final RealProcesses processes = new RealProcesses();

    private final Path directory;
    private final Path file;
    private final Path victim;

    HeldFileTest(@TempDir Path directory, @TempDir Path elsewhere) throws IOException {
        this.directory = directory.toRealPath();
        this.file = this.directory.resolve("w.log");
        this.victim = Files.writeString(elsewhere.resolve("victim"), "target");
    }

    @Test
    void newFileIsAccessibleToItsOwnerOnly() throws IOException {
        HeldFile held = HeldFile.open(directory, "w.log");
        held.close();

        assertThat(held.wasCreated()).isTrue();
        assertThat(modeOf(file)).isEqualTo("rw-------");
    }

    @Test
    void existingFileKeepsItsContentAndMode() throws IOException {
        Files.writeString(file, "old\n");
        Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r-----"));

        try (HeldFile held = HeldFile.open(directory, "w.log")) {
            assertThat(held.wasCreated()).isFalse();
            assertThat(held.content().length()).isEqualTo(4);
        }

        assertThat(file).hasContent("old\n");
        assertThat(modeOf(file)).isEqualTo("rw-r-----");
    }

    @Test
    void descriptorPathOpensTheSameFileAfterARename() throws IOException {
        try (HeldFile held = HeldFile.open(directory, "w.log")) {
            Path moved = Files.move(file, directory.resolve("w.log.1"));
            Files.writeString(file, "of another user");
            Files.writeString(held.name(), "mine", StandardOpenOption.APPEND);
            assertThat(moved).hasContent("mine");

            Files.delete(moved);
            Files.writeString(held.name(), ", still", StandardOpenOption.APPEND);
            assertThat(held.content().length()).isEqualTo("mine, still".length());
        }
        assertThat(file).hasContent("of another user");
    }

    @Test
    void symbolicLinkIsRejected() throws IOException {
        Files.createSymbolicLink(file, victim);
        assertRefused("it is a symbolic link");

        Files.delete(file);
        Files.createSymbolicLink(file, directory.resolve("not there"));
        assertRefused("it is a symbolic link");
        assertThat(directory.resolve("not there")).doesNotExist();
    }

    @Test
    void hardLinkIsRejected() throws IOException {
        Files.createLink(file, victim);

        assertRefused("it has other names (hard links)");
    }

    @Test
    void irregularFileIsRejectedWithoutBlocking() throws IOException {
        Files.createDirectory(file);
        assertRefused("it is not a regular file");

        Files.delete(file);
        makeFifo(file);
        assertRefused("it is not a regular file");
    }

    @Test
    void directoryMayBeALink(@TempDir Path elsewhere) throws IOException {
        Path link = Files.createSymbolicLink(elsewhere.resolve("logs"), directory);

        try (HeldFile held = HeldFile.open(link, "w.log")) {
            Files.writeString(held.name(), "mine", StandardOpenOption.APPEND);
        }

        assertThat(file).hasContent("mine");
    }

    /** That user could read the output of the worker, or keep the file open and write to it. */
    @Test
    void fileOfAnotherUserIsRejectedUnlessThatUserOwnsTheDirectory() throws IOException {
        Files.writeString(file, "");
        assumeTrue(isOwnedBy(OTHER_UID, file), "only root can change the owner of a file");
        assertRefused("it belongs to another user");

        assertThat(isOwnedBy(OTHER_UID, directory)).isTrue();
        HeldFile.open(directory, "w.log").close();
        assertThat(isOwnedBy(0, file)).isTrue();
        HeldFile.open(directory, "w.log").close();
    }

    @Test
    void failureToOpenNamesTheFileAndLeavesNothingBehind(@TempDir Path missing) throws IOException {
        Files.delete(missing);

        assertThatThrownBy(() -> HeldFile.open(missing, "w.log"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("output file " + missing.resolve("w.log") + " cannot be opened: ");
        Files.createDirectory(missing);
    }

    @Test
    void fileNameIsOpenedAndCheckedWithoutDescriptorPaths() throws IOException {
        Files.writeString(file, "old\n");
        try (HeldFile held = HeldFile.openByName(directory, file, false)) {
            assertThat(held.name()).isEqualTo(file);
            assertThat(held.content().length()).isEqualTo(4);
            held.close();
            held.delete();
            assertThat(file).doesNotExist();
        }

        Files.createSymbolicLink(file, victim);
        assertThatThrownBy(() -> HeldFile.openByName(directory, file, false)).hasMessage("it is a symbolic link");
        assertThat(victim).hasContent("target");
    }

    @Test
    void interruptedThreadCanOpen() throws IOException {
        Thread.currentThread().interrupt();
        try (HeldFile held = HeldFile.open(directory, "w.log")) {
            assertThat(held.content().length()).isZero();
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void oneDescriptorIsUsedUntilClosed() throws IOException {
        assertThat(descriptorsIn(directory)).isZero();
        try (HeldFile held = HeldFile.open(directory, "w.log");
                HeldFile again = HeldFile.open(directory, "w.log")) {
            assertThat(descriptorsIn(directory)).isEqualTo(2);
            assertThat(held.name()).isNotEqualTo(again.name());
        }
        Files.delete(file);
        makeFifo(file);
        assertRefused("it is not a regular file");
        assertThat(descriptorsIn(directory)).isZero();
    }

    @Test
    void onlyTheSameFileIsDeletedWhateverItsNameInTheDirectory(@TempDir Path elsewhere) throws IOException {
        HeldFile held = HeldFile.open(directory, "w.log");
        Path renamed = Files.move(file, directory.resolve("renamed"));
        Files.writeString(file, "of another user");
        held.close();
        held.delete();
        assertThat(renamed).doesNotExist();
        assertThat(file).hasContent("of another user");

        Files.delete(file);
        held = HeldFile.open(directory, "w.log");
        Path taken = Files.move(file, elsewhere.resolve("taken"));
        held.close();
        held.delete();
        assertThat(taken).exists();
    }

    /** Regression: the number of the descriptor was reused by another thread; a start failed with "Illegal seek". */
    @Test
    void pipeWithTheSameDescriptorNumberIsNotUsed() throws IOException {
        Files.writeString(file, "old\n");
        Path fifo = directory.resolve("fifo");
        makeFifo(fifo);

        try (RandomAccessFile pipe = new RandomAccessFile(fifo.toFile(), "rw");
                RandomAccessFile regular = new RandomAccessFile(file.toFile(), "rw")) {
            assertThat(Descriptors.of(pipe, file)).isEmpty();
            assertThat(Descriptors.of(regular, file)).isPresent();
            assertThat(Descriptors.of(regular, fifo)).isEmpty();
        }
    }

    /**
     * A descriptor that one thread has found may be closed by another one, and its number reused for a pipe, before it
     * is used.
     */
    @Test
    void threadsOpenTheSameFileWhileDescriptorsAreReused() throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        AtomicBoolean over = new AtomicBoolean();
        try {
            Future<?> pipes = threads.submit(() -> {
                while (!over.get()) {
                    Pipe pipe = Pipe.open();
                    pipe.sink().close();
                    pipe.source().close();
                }
                return null;
            });
            List<Future<Integer>> opening = Stream.generate(() -> threads.submit(this::openManyTimes))
                    .limit(4)
                    .toList();
            for (Future<Integer> each : opening) {
                assertThat(each.get()).isEqualTo(100);
            }
            over.set(true);
            pipes.get();
        } finally {
            over.set(true);
            threads.shutdown();
        }
        assertThat(file).hasSize(4 * 100);
        assertThat(descriptorsIn(directory)).isZero();
    }

    private int openManyTimes() throws IOException {
        for (int i = 0; i < 100; i++) {
            try (HeldFile held = HeldFile.open(directory, "w.log")) {
                Files.writeString(held.name(), "x", StandardOpenOption.APPEND);
            }
        }
        return 100;
    }

    /** The name is a link, a FIFO and missing in turns, replaced as fast as possible. */
    @Test
    @Timeout(value = 60, threadMode = SEPARATE_THREAD)
    void continuouslyReplacedNameNeverOpensAnotherFileAndNeverBlocks() throws IOException, InterruptedException {
        Path fifo = directory.resolve("fifo");
        makeFifo(fifo);
        AtomicBoolean over = new AtomicBoolean();
        Thread attacker = new Thread(() -> {
            while (!over.get()) {
                swap(fifo);
            }
        });
        attacker.start();
        int opened = 0;
        int refused = 0;
        try {
            while (opened < 200 || refused < 200) {
                if (opensAndAppends()) {
                    opened++;
                } else {
                    refused++;
                }
            }
        } finally {
            over.set(true);
            attacker.join();
        }

        assertThat(victim).hasContent("target");
        assertThat(descriptorsIn(directory)).isZero();
    }

    private boolean opensAndAppends() {
        try (HeldFile held = HeldFile.open(directory, "w.log")) {
            Files.writeString(held.name(), "not for you", StandardOpenOption.APPEND);
            return true;
        } catch (IOException refused) {
            return false;
        }
    }

    private void swap(Path fifo) {
        try {
            Path next = directory.resolve("next");
            Files.createSymbolicLink(next, victim);
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
            Files.deleteIfExists(file);
            Files.createLink(next, fifo);
            Files.move(next, file, StandardCopyOption.ATOMIC_MOVE);
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void assertRefused(String why) {
        assertThatThrownBy(() -> HeldFile.open(directory, "w.log"))
                .isInstanceOf(IOException.class)
                .hasMessage("output file " + file + " cannot be opened: " + why);
        assertThat(victim).hasContent("target");
    }

    private void makeFifo(Path fifo) {
        ProcessHandle making = processes.start("mkfifo", fifo.toString());
        await().until(() -> !RealProcesses.runs(making));
        assertThat(fifo).exists();
    }

    private static String modeOf(Path file) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(file));
    }

    private static boolean isOwnedBy(int uid, Path file) {
        try {
            Files.setAttribute(file, "unix:uid", uid);
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private static long descriptorsIn(Path directory) throws IOException {
        try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
            return descriptors.filter(descriptor -> isIn(directory, descriptor)).count();
        }
    }

    private static boolean isIn(Path directory, Path descriptor) {
        try {
            return Files.readSymbolicLink(descriptor).startsWith(directory.toRealPath());
        } catch (IOException closedMeanwhile) {
            return false;
        }
    }
}
