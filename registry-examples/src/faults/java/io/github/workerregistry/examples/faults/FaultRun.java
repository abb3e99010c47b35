package io.github.workerregistry.examples.faults;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import org.slf4j.LoggerFactory;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The fault run as a program: many real workers, random faults, and a table at the end.
 *
 * <p>Filling the common pool is effective only if it has more than one thread; otherwise JDK 17 does not use it. The
 * command in the pom sets this.
 */
@Command(
        name = "fault-run",
        sortOptions = false,
        abbreviateSynopsis = true,
        usageHelpWidth = 110,
        description = "Runs workers on this machine, injects random faults, and checks how the library handles them.%n",
        synopsisHeading = "Usage: mvn -q compile exec:exec@faults -Dfaults.args=\"...\"%n   or: ",
        footer = {
            "",
            "Durations are whole numbers with a unit: 500ms, 2s, 5m, 1h.",
            "Exit codes: 0 if every line of the table is as it should be, 1 if one is off, 2 for invalid options."
        })
public final class FaultRun implements Callable<Integer> {

    @Mixin
    private RunOptions options;

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Show this help and exit.")
    @SuppressWarnings("UnusedVariable") // picocli reads it
    private boolean help;

    private FaultRun() {}

    /**
     * Runs the program; returns only with the end of the JVM.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.exit(new CommandLine(new FaultRun()).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        if (!options.complaint().isEmpty()) {
            System.err.println("fault-run: " + options.complaint());
            return CommandLine.ExitCode.USAGE;
        }
        if (!options.isVerbose()) { // every fault is a WARN
            ((Logger) LoggerFactory.getLogger("io.github.workerregistry")).setLevel(Level.ERROR);
        }
        long seed = options.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong(Integer.MAX_VALUE));
        System.out.println("Fault run: " + options.workers() + " workers for " + options.duration() + ", --seed " + seed
                + ", JDK " + Runtime.version() + ".");
        Report report = new HiveUnderFire(options, seed).run();
        System.out.println();
        System.out.println(report.text());
        return report.exitCode();
    }
}
