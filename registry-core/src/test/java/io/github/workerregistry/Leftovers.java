package io.github.workerregistry;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.nio.channels.AsynchronousSocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionTimeoutException;

/**
 * Fails the run if tests left something behind: processes (also zombies, and those that another process has adopted),
 * threads, file descriptors, temporary files.
 *
 * <p>{@link UnexpectedWarnings} puts one instance a run into JUnit's root store, which is closed at the end of the run:
 * the failure is that of a test named "JUnit Jupiter", and lists the culprits. (The properties run in an engine of
 * their own and are not checked.) The build sets a mark in the environment of every run, which the processes of the
 * tests inherit, and a directory for its temporary files; so other runs on this machine do not count. Without the mark,
 * as in an IDE, only descendants of this JVM are checked, and no files.
 */
public final class Leftovers implements AutoCloseable {

    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private static final String MARK = "WORKER_REGISTRY_TEST_RUN";

    /** Threads that the JDK and the build keep: while idle for minutes, or, for timers of virtual threads, for ever. */
    private static final Pattern KEPT_THREAD =
            Pattern.compile("main|surefire-.*|junit-jupiter-timeout-watcher|HttpClient-\\d+-Worker-\\d+"
                    + "|ForkJoinPool\\.commonPool-.*|ForkJoinPool-1-delayScheduler|CompletableFutureDelayScheduler");

    /** Files that classes and random numbers are read from. */
    private static final Pattern KEPT_FILE = Pattern.compile(".*\\.jar|.*/lib/modules|/dev/u?random");

    /**
     * JDK 17's HTTP client leaks a connection, and with it its thread, after an answer that is not HTTP. Newer versions
     * must leak nothing.
     */
    private static final boolean LOSES_CONNECTIONS = Runtime.version().feature() == 17;

    private static final Pattern HTTP_CLIENT = Pattern.compile("HttpClient-\\d+-SelectorManager");
    private static final Pattern SELECTOR = Pattern.compile("anon_inode:\\[(eventpoll|eventfd)]");

    /** A state in {@code /proc/net/tcp}: the peer has closed the connection, this process has not. */
    private static final String CLOSE_WAIT = "08";

    private final Duration patience;
    private final Set<String> before;

    /** Records what exists before the first test. */
    public Leftovers() {
        this(PATIENCE);
    }

    Leftovers(Duration patience) {
        this.patience = patience;
        useSocketsOnce();
        this.before = everything();
    }

    /** The JDK opens a few files with the first socket, and keeps them. */
    private static void useSocketsOnce() {
        try {
            AsynchronousSocketChannel.open().close();
            new ServerSocket(0).close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits for what the JDK closes at garbage collection: the thread and files of an HTTP client. */
    @Override
    public void close() {
        try {
            Awaitility.await()
                    .atMost(patience)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(100))
                    .pollInSameThread()
                    .until(() -> {
                        System.gc();
                        return found().isEmpty();
                    });
        } catch (ConditionTimeoutException e) {
            List<String> found = found();
            if (!found.isEmpty()) {
                throw new AssertionError(
                        "left behind by the tests:\n  " + String.join("\n  ", found) + stacksOf(found), e);
            }
        }
    }

    /** What did not exist before the first test. */
    List<String> found() {
        Set<String> found = everything();
        found.removeAll(before);
        return found.stream().sorted().toList();
    }

    private static Set<String> everything() {
        return Stream.of(processes(), threads(), descriptors(), temporaryFiles())
                .flatMap(kind -> kind)
                .collect(Collectors.toCollection(HashSet::new));
    }

    private static Stream<String> processes() {
        return Stream.concat(
                        ProcessHandle.current().descendants(),
                        ProcessHandle.allProcesses().filter(Leftovers::isMarked))
                .filter(process -> !process.equals(ProcessHandle.current()))
                .map(process -> "process " + process.pid() + ": " + commandOf(process));
    }

    private static boolean isMarked(ProcessHandle process) {
        String run = System.getenv(MARK);
        return run != null && ("\0" + read(process, "environ")).contains("\0" + MARK + "=" + run + "\0");
    }

    private static String commandOf(ProcessHandle process) {
        String line = read(process, "cmdline").replace('\0', ' ').strip();
        return line.isEmpty() ? "zombie of " + read(process, "comm").strip() : line;
    }

    /** Empty for a process that has exited, may not be read, or is a zombie. */
    private static String read(ProcessHandle process, String file) {
        try {
            return Files.readString(Path.of("/proc/" + process.pid() + "/" + file), ISO_8859_1);
        } catch (IOException e) {
            return "";
        }
    }

    private static String stacksOf(List<String> found) {
        StringBuilder stacks = new StringBuilder();
        Thread.getAllStackTraces().forEach((thread, frames) -> {
            if (found.contains(nameOf(thread))) {
                stacks.append("\n").append(nameOf(thread)).append(" is at");
                Stream.of(frames)
                        .limit(12)
                        .forEach(frame -> stacks.append("\n    ").append(frame));
            }
        });
        return stacks.toString();
    }

    private static String nameOf(Thread thread) {
        return "thread " + thread.getId() + ": " + thread.getName();
    }

    private static Stream<String> threads() {
        return Thread.getAllStackTraces().entrySet().stream()
                .filter(thread -> !isOfTheSystem(thread.getKey())
                        && !isKept(thread.getKey().getName())
                        && !isIdleOfChannels(thread.getKey(), thread.getValue()))
                .map(thread -> nameOf(thread.getKey()));
    }

    private static boolean isKept(String name) {
        return KEPT_THREAD.matcher(name).matches()
                || (LOSES_CONNECTIONS && HTTP_CLIENT.matcher(name).matches());
    }

    /**
     * Threads in the pool of the JDK's asynchronous channels have no name of their own, and end after an idle minute.
     */
    private static boolean isIdleOfChannels(Thread thread, StackTraceElement[] frames) {
        return thread.isDaemon()
                && thread.getName().startsWith("Thread-")
                && Stream.of(frames).anyMatch(frame -> frame.getMethodName().equals("getTask"));
    }

    /** Threads of the JVM, such as those that reap processes. A thread that has ended has no group. */
    private static boolean isOfTheSystem(Thread thread) {
        ThreadGroup group = thread.getThreadGroup();
        return group == null
                || group.getName().equals("system")
                || group.getName().equals("InnocuousThreadGroup");
    }

    private static Stream<String> descriptors() {
        return list(Path.of("/proc/self/fd")).flatMap(descriptor -> {
            try {
                String target = Files.readSymbolicLink(descriptor).toString();
                boolean kept = KEPT_FILE.matcher(target).matches() || (LOSES_CONNECTIONS && isOfAnHttpClient(target));
                return kept ? Stream.empty() : Stream.of("descriptor " + descriptor.getFileName() + ": " + target);
            } catch (IOException closed) { // the descriptor of the listing itself
                return Stream.empty();
            }
        });
    }

    private static boolean isOfAnHttpClient(String target) {
        return SELECTOR.matcher(target).matches()
                || Stream.of("/proc/self/net/tcp", "/proc/self/net/tcp6")
                        .flatMap(Leftovers::lines)
                        .map(line -> line.strip().split("\\s+", -1))
                        .anyMatch(socket -> socket.length > 9
                                && socket[3].equals(CLOSE_WAIT)
                                && target.equals("socket:[" + socket[9] + "]"));
    }

    private static Stream<String> lines(String file) {
        try {
            return Files.readAllLines(Path.of(file)).stream();
        } catch (IOException e) {
            return Stream.empty();
        }
    }

    private static Stream<String> temporaryFiles() {
        return System.getenv(MARK) == null
                ? Stream.empty()
                : list(Path.of(System.getProperty("java.io.tmpdir")))
                        .filter(file -> !file.getFileName().toString().startsWith("surefire"))
                        .map(file -> "temporary file " + file);
    }

    private static Stream<Path> list(Path directory) {
        if (!Files.isDirectory(directory)) {
            return Stream.empty();
        }
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList().stream();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
