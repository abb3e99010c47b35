package io.github.workerregistry.examples.queen;

import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The queen as a program: lists the workers of all hives, and sends requests to them.
 *
 * <p>Exit codes: 0 after SIGTERM or Ctrl-C, 1 if it cannot start, 2 for invalid options.
 */
@Command(
        name = "queen",
        sortOptions = false,
        abbreviateSynopsis = true,
        usageHelpWidth = 110,
        description = "Lists the workers of all hives, and sends requests to them.%n",
        synopsisHeading =
                "Usage: mvn -q compile exec:java -Dexec.mainClass=io.github.workerregistry.examples.queen.Queen"
                        + " -Dexec.args=\"...\"%n   or: ",
        footer = {
            "",
            "Durations are whole numbers with a unit: 500ms, 2s, 5m, 1h.",
            "Exit codes: 0 after SIGTERM or Ctrl-C, 1 if it cannot start, 2 for invalid options."
        })
public final class Queen implements Callable<Integer> {

    private static final int CANNOT_START = 1;

    @Mixin
    private QueenOptions options;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    @SuppressWarnings("UnusedVariable") // picocli reads it
    private boolean help;

    private RunningQueen running;
    private volatile int exitCode;

    private Queen() {}

    /**
     * Runs the queen; returns only with the end of the JVM.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        Queen queen = new Queen();
        // First, so that a signal is handled however early it arrives.
        Runtime.getRuntime().addShutdownHook(new Thread(queen::end, "queen-end"));
        queen.exitCode = new CommandLine(queen)
                .setParameterExceptionHandler(Queen::wrongOption)
                .execute(args);
        System.exit(queen.exitCode);
    }

    @Override
    public Integer call() throws InterruptedException {
        RunningQueen queen;
        try {
            queen = begin();
        } catch (IOException e) {
            System.err.println("queen: " + e.getMessage());
            return CANNOT_START;
        }
        queen.start();
        System.out.println(welcome(queen));
        new CountDownLatch(1).await(); // until a signal: then end() runs, and the JVM with it
        return 0;
    }

    /**
     * A concurrent signal is handled afterwards: a partly started queen would leave the directory of its ZooKeeper
     * behind.
     */
    private synchronized RunningQueen begin() throws IOException {
        running = new RunningQueen(options);
        return running;
    }

    /** As in the hive: SIGTERM is the ordinary way to stop, and no failure. */
    private synchronized void end() {
        int code = exitCode;
        if (running != null) {
            running.close();
        }
        System.out.flush();
        Runtime.getRuntime().halt(code);
    }

    private static String welcome(RunningQueen queen) {
        String url = queen.baseUrl();
        return String.join(
                System.lineSeparator(),
                "The queen answers on " + url + "; hives join through ZooKeeper at " + queen.zookeeper() + ".",
                "Try, in other terminals:",
                "",
                "  # a hive, and another one",
                hive(queen, "a", 8081, "8100-8199"),
                hive(queen, "b", 8082, "8200-8299"),
                "",
                "  # see the hives, and the workers of all of them",
                "  curl " + url + "/v1/hives; curl " + url + "/v1/workers/list",
                "",
                "  # where a request would go, and send one",
                "  curl '" + url + "/v1/route?model_ref=demo'",
                "  curl " + url + "/v1/execute -iN -H 'Content-Type: application/json'"
                        + " -d '{\"model_ref\": \"demo\", \"prompt\": \"Hello\"}'",
                "",
                "Ctrl-C ends the queen; the hives keep running.");
    }

    private static String hive(RunningQueen queen, String node, int port, String ports) {
        return "  mvn -q compile exec:java -Dexec.mainClass=" + QueenHive.class.getName() + " -Dexec.args=\"--queen "
                + queen.zookeeper() + " --node " + node + " --hive-id " + node + " --port " + port + " --ports " + ports
                + "\"";
    }

    private static int wrongOption(CommandLine.ParameterException e, String[] args) {
        System.err.println("queen: " + e.getMessage());
        System.err.println("queen: --help explains the options");
        return CommandLine.ExitCode.USAGE;
    }
}
