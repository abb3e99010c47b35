package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.http.Refusal;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The example hive as a program: reads its options, runs until it is signalled, and stops all its workers.
 *
 * <p>Exit codes: 0 after SIGTERM or Ctrl-C, 1 if it cannot start, 2 for invalid options.
 */
@Command(
        name = "hive",
        sortOptions = false,
        abbreviateSynopsis = true,
        usageHelpWidth = 110,
        description = "Runs LLM workers on this machine and sends requests to them.%n",
        synopsisHeading = "Usage: mvn -q compile exec:java -Dexec.args=\"...\"%n   or: ",
        footer = {
            "",
            "Durations are whole numbers with a unit: 500ms, 2s, 5m, 1h.",
            "Exit codes: 0 after SIGTERM or Ctrl-C, 1 if it cannot start, 2 for invalid options."
        })
public final class Hive implements Callable<Integer> {

    private static final int CANNOT_START = 1;

    @Mixin
    private HiveOptions options;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    @SuppressWarnings("UnusedVariable") // picocli reads it
    private boolean help;

    private volatile RunningHive running;
    private volatile int exitCode;

    @Mixin
    private final Membership membership;

    private Hive(Membership membership) {
        this.membership = membership;
    }

    /**
     * Runs the hive; returns only with the end of the JVM.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        run(args, Membership.none());
    }

    /**
     * Runs a hive that may be a member of a fleet; returns only with the end of the JVM.
     *
     * @param args see {@code --help}
     * @param membership the membership, whose picocli options become options of the program
     */
    public static void run(String[] args, Membership membership) {
        Hive hive = new Hive(membership);
        // First, so that a signal is handled however early it arrives.
        Runtime.getRuntime().addShutdownHook(new Thread(hive::end, "hive-end"));
        CommandLine program = new CommandLine(hive);
        hive.exitCode = program.setParameterExceptionHandler(Hive::wrongOption).execute(args);
        System.exit(hive.exitCode);
    }

    @Override
    public Integer call() throws InterruptedException {
        try {
            running = new RunningHive(options, membership);
            // Before the first spawn, so that they are printed even if it fails.
            OrphanLines.of(running.orphans()).forEach(System.out::println);
            running.start();
        } catch (IOException e) {
            return cannotStart(e.getMessage());
        } catch (Refusal e) {
            return cannotStart("cannot start a first worker: " + e.getMessage());
        }
        System.out.println(Welcome.text(running.baseUrl(), options));
        new CountDownLatch(1).await(); // until a signal: then end() runs, and the JVM with it
        return 0;
    }

    /**
     * Closes the hive and stops all its workers. Runs as the JVM's shutdown hook.
     *
     * <p>A JVM that a signal ends exits with 128 + signal even if its hooks completed. For a hive SIGTERM is the
     * ordinary way to stop, and a service manager should see success: hence {@code halt}. A hook is used because
     * {@code sun.misc.Signal} is not part of Java.
     */
    private void end() {
        int code = exitCode; // read now: a start that fails because of this shutdown is no failure
        RunningHive hive = running;
        if (hive != null) {
            hive.close();
        }
        System.out.flush();
        Runtime.getRuntime().halt(code);
    }

    private static int cannotStart(String why) {
        System.err.println("hive: " + why);
        return CANNOT_START;
    }

    private static int wrongOption(CommandLine.ParameterException e, String[] args) {
        System.err.println("hive: " + e.getMessage());
        System.err.println("hive: --help explains the options");
        return CommandLine.ExitCode.USAGE;
    }
}
