package io.github.workerregistry.process;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.PrintStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/**
 * A hive in its own JVM, for tests that kill it. Arguments: hive id, output directory, and one or more workers: a shell
 * script, or {@code hive:<id>} for another hive that has a plain and a forking worker, or {@code reaping:<id>} for a
 * program that reaps once its hive is dead. Every started program prints its pid on a line.
 */
final class HiveMain {

    /** One pid. */
    static final String PLAIN = "echo $$; exec sleep 600";

    /** Three pids: itself, a re-parented child in its own session, and one with an emptied environment. */
    static final String FORKING = "echo $$; setsid sh -c 'sh -c \"echo \\$\\$; exec sleep 600\" &';"
            + " env -i sh -c 'echo $$; exec sleep 600' & wait";

    static final PrintStream OUT = new PrintStream(System.out, true, UTF_8);

    private HiveMain() {}

    public static void main(String[] args) throws IOException, InterruptedException {
        Path directory = Files.createDirectories(Path.of(args[1]));
        LocalProcessController controller = LocalProcessController.builder()
                .hiveId(args[0])
                .outputDirectory(directory)
                .build();
        for (int i = 2; i < args.length; i++) {
            List<String> command = command(args[i], directory.resolve("inner-" + i));
            controller.start(new ProcessSpec("worker " + (i - 2), command, Map.of(), Optional.empty()));
        }
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            OUT.println(ProcessHandle.current().pid());
            OUT.println("port " + socket.getLocalPort());
            OUT.println("ready");
            waitToBeKilled();
        }
    }

    private static List<String> command(String worker, Path directory) {
        if (worker.startsWith("hive:")) {
            return ChildJvm.command(
                    HiveMain.class, worker.substring("hive:".length()), directory.toString(), PLAIN, FORKING);
        }
        if (worker.startsWith("reaping:")) {
            String id = worker.substring("reaping:".length());
            List<String> wrapped = new ArrayList<>(
                    List.of("sh", "-c", "echo $$; sleep 600 </dev/null & echo $!; \"$@\"; echo over", "wrapper"));
            wrapped.addAll(ChildJvm.command(ReapingMain.class, id));
            return wrapped;
        }
        return List.of("sh", "-c", worker);
    }

    /** Bounded, because the test may have ended. */
    static void waitToBeKilled() throws InterruptedException {
        boolean unused = new CountDownLatch(1).await(10, TimeUnit.MINUTES);
    }
}
