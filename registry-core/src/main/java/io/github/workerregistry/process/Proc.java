package io.github.workerregistry.process;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;

import java.io.BufferedReader;
import java.io.File;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Reads {@code /proc} of Linux. On a system without it every process is absent.
 *
 * <p>Reading a file or listing a directory takes a file descriptor. Checking whether a file exists does not.
 */
final class Proc {

    private static final Path ROOT = Path.of("/proc");
    private static final String SOCKET = "socket:[";
    private static final boolean AVAILABLE = !Files.notExists(ROOT.resolve("self/stat"));

    /** Each takes a read of about 10 µs. */
    private static final int MAX_THREADS = 1_000;

    private static volatile @Nullable String bootId;
    private static volatile @Nullable String pidNamespace;

    private Proc() {}

    static boolean isAvailable() {
        return AVAILABLE;
    }

    /**
     * The id of this boot of the machine; empty if the system has none.
     *
     * @throws UnreadableException if it could not be read so far
     */
    static String bootId() {
        String known = bootId;
        if (known == null) {
            Reading<String> reading = read("sys/kernel/random/boot_id");
            if (reading.hasFailed()) {
                throw new UnreadableException("the id of this boot", null);
            }
            known = reading.value().orElse("").strip();
            bootId = known;
        }
        return known;
    }

    /**
     * Whether a process can be identified uniquely, also across boots.
     *
     * @throws UnreadableException if that could not be read so far
     */
    static boolean identifiesProcesses() {
        return AVAILABLE && !bootId().isEmpty();
    }

    /**
     * The number of the pid namespace of this JVM; empty if it cannot be read. Containers have different namespaces,
     * and a pid is meaningful only within one.
     */
    static String pidNamespace() {
        String known = pidNamespace;
        if (known == null) {
            try { // the link leads to pid:[4026531836]
                String target =
                        Files.readSymbolicLink(ROOT.resolve("self/ns/pid")).toString();
                known = target.replaceAll("[^0-9]", "");
            } catch (NoSuchFileException | AccessDeniedException | UnsupportedOperationException e) {
                known = "";
            } catch (IOException e) {
                return "";
            }
            pidNamespace = known;
        }
        return known;
    }

    /** Whether reading works now, tested with a file that always exists and is readable. */
    static boolean canBeRead() {
        return read("self/stat").value().isPresent();
    }

    /**
     * All current pids.
     *
     * @throws UnreadableException if the list cannot be read completely
     */
    static Set<Long> pids() {
        Set<Long> pids = new HashSet<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(ROOT)) {
            for (Path entry : entries) {
                String name = entry.getFileName().toString();
                if (Character.isDigit(name.charAt(0))) {
                    pids.add(Long.valueOf(name));
                }
            }
        } catch (IOException | DirectoryIteratorException e) {
            throw new UnreadableException("the list of processes", e);
        }
        return pids;
    }

    /** The last pid assigned in this namespace; absent if the system does not expose it (gVisor shows 0). */
    static Reading<Long> lastPid() {
        Reading<String> text = read("loadavg")
                .map(line -> line.substring(line.lastIndexOf(' ') + 1).strip());
        boolean isNumber = text.value()
                .filter(number -> number.matches("[1-9][0-9]{0,17}"))
                .isPresent();
        return isNumber ? text.map(Long::valueOf) : text.hasFailed() ? Reading.failed() : Reading.absent();
    }

    static Reading<Stat> stat(long pid) {
        return stat(Long.toString(pid));
    }

    /**
     * The stat of a process or of one of its threads.
     *
     * @param task the pid, or a path as {@link #otherThreads} gives it
     */
    static Reading<Stat> stat(String task) {
        Reading<String> text = read(task + "/stat");
        return text.value().filter(String::isEmpty).isPresent() ? Reading.failed() : text.map(Stat::parse);
    }

    /**
     * Whether a process is stopped, as by SIGSTOP; not if stopped by a debugger, because SIGCONT does not resume it.
     */
    static Reading<Boolean> isStopped(long pid) {
        Reading<Stat> first = stat(pid);
        if (first.value().filter(Stat::livesInOtherThreads).isEmpty()) {
            return first.map(Stat::isStopped);
        }
        Reading<String> living = LiveThreadFinder.of(pid);
        return living.value()
                .map(thread -> stat(thread).map(Stat::isStopped))
                .orElseGet(() -> living.map(none -> false));
    }

    /**
     * The environment that a process was started with: {@code NAME=value} entries, each ended by NUL. An ended thread
     * shows none, even if the process still runs.
     *
     * @param task the pid, or a path as {@link #otherThreads} gives it
     */
    static Reading<String> environment(String task) {
        return read(task + "/environ");
    }

    /** All threads of a process but the first, whose number is the pid. */
    static Reading<List<String>> otherThreads(long pid) {
        List<String> threads = new ArrayList<>();
        try (DirectoryStream<Path> entries = Files.newDirectoryStream(ROOT.resolve(pid + "/task"))) {
            for (Path entry : entries) {
                if (!entry.endsWith(Long.toString(pid))) {
                    threads.add(pid + "/task/" + entry.getFileName());
                }
            }
            return Reading.read(threads);
        } catch (NoSuchFileException e) {
            return Reading.absent();
        } catch (IOException | DirectoryIteratorException e) {
            return Reading.failed();
        }
    }

    /** Whether a pid is that of a process, and not of one of its threads, which are not listed but can be read. */
    static Reading<Boolean> isProcess(long pid) {
        return AVAILABLE
                ? read(pid + "/status").map(text -> text.contains("\nTgid:\t" + pid + "\n"))
                : Reading.read(true);
    }

    /** Whether the kernel lists the children of a thread. */
    static boolean listsChildren() {
        return Files.exists(ROOT.resolve("self/task/" + ProcessHandle.current().pid() + "/children"));
    }

    /** The pids of the children of a process. Of a process with very many threads, only those of the first ones. */
    static Reading<List<Long>> children(long pid) {
        String directory = pid + "/task";
        String[] threads = new File(ROOT + "/" + directory).list();
        if (threads == null) {
            return failure(ROOT.resolve(directory), new IOException(directory));
        }
        List<Long> children = new ArrayList<>();
        for (String thread : Arrays.asList(threads).subList(0, Math.min(threads.length, MAX_THREADS))) {
            Reading<String> list = read(directory + "/" + thread + "/children");
            if (list.hasFailed()) {
                return Reading.failed();
            }
            list.value()
                    .ifPresent(pids -> Stream.of(pids.split(" ", -1))
                            .filter(text -> !text.isBlank())
                            .forEach(child -> children.add(Long.valueOf(child.strip()))));
        }
        return Reading.read(children);
    }

    /**
     * The inodes of the sockets among the descriptors of a process or one of its threads.
     *
     * @param task the pid, or a path as {@link #otherThreads} gives it
     */
    static Reading<Set<Long>> sockets(String task) {
        Path directory = ROOT.resolve(task + "/fd");
        Set<Long> inodes = new HashSet<>();
        try (DirectoryStream<Path> descriptors = Files.newDirectoryStream(directory)) {
            for (Path descriptor : descriptors) {
                addSocket(descriptor, inodes);
            }
            return Reading.read(inodes);
        } catch (IOException e) {
            return failure(directory, e);
        } catch (DirectoryIteratorException e) {
            return failure(directory, requireNonNull(e.getCause()));
        }
    }

    /** The link of a socket has the target {@code socket:[4711]}. */
    private static void addSocket(Path descriptor, Set<Long> inodes) throws IOException {
        try {
            String target = Files.readSymbolicLink(descriptor).toString();
            if (target.startsWith(SOCKET)) {
                inodes.add(Long.valueOf(target.substring(SOCKET.length(), target.length() - 1)));
            }
        } catch (NoSuchFileException closedMeanwhile) {
            // no longer one of its descriptors
        }
    }

    /** The first lines of a file, up to the first that does not match. */
    static Reading<List<String>> linesWhile(String name, Predicate<String> wanted) {
        Path file = ROOT.resolve(name);
        List<String> lines = new ArrayList<>();
        try (BufferedReader in = new BufferedReader(new InputStreamReader(Files.newInputStream(file), ISO_8859_1))) {
            for (String line = in.readLine(); line != null && wanted.test(line); line = in.readLine()) {
                lines.add(line);
            }
            return Reading.read(lines);
        } catch (IOException e) {
            return failure(file, e);
        }
    }

    /** Works on an interrupted thread, because such streams are not interruptible. */
    private static Reading<String> read(String name) {
        try (InputStream in = new FileInputStream(ROOT + "/" + name)) { // twice as fast as by path
            return Reading.read(new String(in.readAllBytes(), ISO_8859_1));
        } catch (IOException e) {
            return readByPath(ROOT.resolve(name));
        }
    }

    /** Distinguishes a missing file from one that cannot be read, which the faster stream does not. */
    private static Reading<String> readByPath(Path file) {
        try (InputStream in = Files.newInputStream(file)) {
            return Reading.read(new String(in.readAllBytes(), ISO_8859_1));
        } catch (IOException e) {
            return failure(file, e);
        }
    }

    private static <T> Reading<T> failure(Path file, IOException why) {
        if (why instanceof NoSuchFileException) {
            return Reading.absent();
        }
        if (why instanceof AccessDeniedException) {
            return Reading.refused();
        }
        if (Files.notExists(file)) {
            return Reading.absent();
        }
        return Files.isReadable(file) ? Reading.failed() : Reading.refused();
    }

    /**
     * The fields of {@code /proc/PID/stat} that are used here; see proc(5).
     *
     * @param state the state letter of its first thread
     * @param parent the pid of its parent; 0 for the first process
     * @param threads the number of threads, including the first one even if it has ended
     * @param startTime in clock ticks since boot
     * @param memory virtual memory in bytes; 0 for a zombie, a thread that has ended, or a kernel thread
     * @param environmentStart start address of the environment
     * @param environmentEnd end address of the environment
     */
    record Stat(
            char state,
            long parent,
            long threads,
            long startTime,
            long memory,
            long environmentStart,
            long environmentEnd) {

        private static final int FIRST = 3; // number of the field after the program name

        /** The program name, in parentheses, may contain spaces and parentheses; the last one ends it. */
        static Stat parse(String text) {
            String[] fields = text.substring(text.lastIndexOf(')') + 2).strip().split(" ", -1);
            return new Stat(
                    fields[3 - FIRST].charAt(0),
                    Long.parseLong(fields[4 - FIRST]),
                    Long.parseLong(fields[20 - FIRST]),
                    Long.parseLong(fields[22 - FIRST]),
                    Long.parseLong(fields[23 - FIRST]),
                    Long.parseLong(fields[50 - FIRST]),
                    Long.parseLong(fields[51 - FIRST]));
        }

        /**
         * A zombie: exited, but not yet reaped by its parent. The state is that of the first thread only: other threads
         * may still run, with files and ports open.
         */
        boolean isZombie() {
            return (state == 'Z' || state == 'X') && threads <= 1;
        }

        boolean isStopped() {
            return state == 'T';
        }

        /** Its first thread has ended and shows no data any more; other threads still run. */
        boolean livesInOtherThreads() {
            return memory == 0 && threads > 1;
        }

        /** It has neither program nor environment: a zombie, or a kernel thread. */
        boolean isBare() {
            return memory == 0 && threads <= 1;
        }

        /**
         * During {@code exec} the new memory has no environment address yet, which differs from an empty environment.
         */
        boolean hasNoEnvironment() {
            return environmentStart == environmentEnd && environmentEnd != 0;
        }
    }
}
