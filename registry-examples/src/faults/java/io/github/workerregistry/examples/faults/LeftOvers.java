package io.github.workerregistry.examples.faults;

import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerListener;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** Resources that exist after the run but not before. Reads the system, not the library. */
final class LeftOvers implements WorkerListener {

    /** Threads that the JDK ends at any time. */
    private static final List<String> OF_THE_JDK = List.of(
            "process reaper",
            "HttpClient-",
            "ForkJoinPool.commonPool",
            "CompletableFutureDelayScheduler",
            "Keep-Alive-",
            "Common-Cleaner",
            "Attach Listener",
            "VirtualThread-");

    private static final int LOOKS = 100;
    private static final int LOOK_MILLIS = 50;

    private final String mark;
    private final Set<Thread> threadsBefore = Thread.getAllStackTraces().keySet();
    private final Set<Integer> ports = new ConcurrentSkipListSet<>();

    LeftOvers(String runId) {
        mark = Crew.MARK + "=" + runId;
    }

    /** Notes each worker's port. */
    @Override
    public void onEvent(WorkerEvent event) {
        if (event instanceof WorkerEvent.Registered registered) {
            ports.add(URI.create(registered.worker().url()).getPort());
        }
    }

    /** What remains after a few seconds. */
    private static <T> Set<T> whatStays(Supplier<Set<T>> search) throws InterruptedException {
        Set<T> left = search.get();
        for (int i = 0; i < LOOKS && !left.isEmpty(); i++) {
            Thread.sleep(LOOK_MILLIS);
            left = search.get();
        }
        return left;
    }

    /** Pids of descendants of this JVM and of processes with the mark of the run, including zombies. */
    Set<Long> processes() throws InterruptedException {
        return whatStays(() -> {
            Set<Long> pids = ProcessHandle.current()
                    .descendants()
                    .map(ProcessHandle::pid)
                    .collect(Collectors.toCollection(TreeSet::new));
            pids.addAll(marked());
            return pids;
        });
    }

    private Set<Long> marked() {
        Set<Long> pids = new TreeSet<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Path.of("/proc"), "[0-9]*")) {
            for (Path process : all) {
                if (environmentOf(process).contains(mark)) {
                    pids.add(Long.parseLong(process.getFileName().toString()));
                }
            }
        } catch (IOException noProc) {
            // not Linux: only descendants of this JVM are found
        }
        return pids;
    }

    private static String environmentOf(Path process) {
        try {
            return Files.readString(process.resolve("environ"), StandardCharsets.ISO_8859_1);
        } catch (IOException exited) {
            return "";
        }
    }

    /** Ports of workers that are still in use. */
    Set<Integer> ports() throws InterruptedException {
        return whatStays(() -> ports.stream().filter(port -> !canBind(port)).collect(Collectors.toSet()));
    }

    private static boolean canBind(int port) {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
            return true;
        } catch (IOException taken) {
            return false;
        }
    }

    /** Tasks of the scheduler; the removal of the last process's files may take a short time. */
    Set<Runnable> tasks(Collection<Runnable> queue) throws InterruptedException {
        return whatStays(() -> Set.copyOf(queue));
    }

    /** Names of threads that were started since construction and still run, except those of the JDK. */
    Set<String> threads() throws InterruptedException {
        return whatStays(() -> Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> !threadsBefore.contains(thread))
                .map(Thread::getName)
                .filter(name -> OF_THE_JDK.stream().noneMatch(name::startsWith))
                .collect(Collectors.toSet()));
    }
}
