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
 * The example hive as a program: reads its options, runs until it is told to end, and takes every worker along.
 *
 * <p>Exit codes: 0 after SIGTERM or Ctrl-C, 1 if it cannot start, 2 for options that it does not understand.
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
            "Exit codes: 0 after SIGTERM or Ctrl-C, 1 if it cannot start, 2 for wrong options."
        })
public final class Hive implements Callable<Integer> {

    private static final int CANNOT_START = 1;

    @Mixin
    private HiveOptions options;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and end.")
    @SuppressWarnings("UnusedVariable") // picocli reads it
    private boolean help;

    private volatile RunningHive running;
    private volatile int exitCode;

    private Hive() {}

    /**
     * Runs the hive; returns only with the end of the JVM.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        Hive hive = new Hive();
        // First of all, so that a signal finds it however early it comes.
        Runtime.getRuntime().addShutdownHook(new Thread(hive::end, "hive-end"));
        hive.exitCode = new CommandLine(hive)
                .setParameterExceptionHandler(Hive::wrongOption)
                .execute(args);
        System.exit(hive.exitCode);
    }

    @Override
    public Integer call() throws InterruptedException {
        try {
            running = new RunningHive(options);
            // Before the first spawn, so that they are told even if that fails.
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
     * Ends the hive and all its workers. Runs as the JVM's shutdown hook.
     *
     * <p>A JVM that a signal ends reports 128 + signal even though its hooks ran to their end. For a hive, SIGTERM is
     * the ordinary way to stop, and whoever supervises it is to see a success: hence {@code halt}. A hook, because
     * {@code sun.misc.Signal} is no part of Java.
     */
    private void end() {
        int code = exitCode; // now: a start that this end makes fail is no failure
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
