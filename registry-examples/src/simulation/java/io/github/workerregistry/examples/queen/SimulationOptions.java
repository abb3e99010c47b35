package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.DurationConverter;
import java.time.Duration;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options of the simulation, set by picocli. */
final class SimulationOptions {

    private static final int MOST_HIVES = 60_000; // each has an address in 10.0.0.0/16
    private static final int MOST_WORKERS = 10_000;
    private static final int MOST_CONNECTIONS = 1_000;
    private static final int HIGHEST_RATE = 1_000_000;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--hives",
            paramLabel = "<count>",
            defaultValue = "1000",
            description = "Number of hives (default: ${DEFAULT-VALUE}).")
    private int hives;

    @Option(
            names = "--workers",
            paramLabel = "<count>",
            defaultValue = "1000",
            description = "Workers per hive (default: ${DEFAULT-VALUE}).")
    private int workers;

    @Option(
            names = "--models",
            paramLabel = "<count>",
            defaultValue = "20",
            description = "Models per hive, at most its workers (default: ${DEFAULT-VALUE}).")
    private int models;

    @Option(
            names = "--rate",
            paramLabel = "<count>",
            defaultValue = "50",
            description = "Changes per second (default: ${DEFAULT-VALUE}).")
    private int rate;

    @Option(
            names = "--duration",
            paramLabel = "<duration>",
            defaultValue = "20s",
            converter = DurationConverter.class,
            description = "Duration (default: ${DEFAULT-VALUE}).")
    private Duration duration;

    @Option(
            names = "--connections",
            paramLabel = "<count>",
            defaultValue = "4",
            description = "Sessions that the hives share, at most one per hive (default: ${DEFAULT-VALUE}).")
    private int connections;

    int hives() {
        return require("--hives", hives, MOST_HIVES);
    }

    int workers() {
        return require("--workers", workers, MOST_WORKERS);
    }

    int models() {
        return Math.min(require("--models", models, MOST_WORKERS), workers());
    }

    int rate() {
        return require("--rate", rate, HIGHEST_RATE);
    }

    Duration duration() {
        return duration;
    }

    int connections() {
        return Math.min(require("--connections", connections, MOST_CONNECTIONS), hives());
    }

    private int require(String option, int value, int most) {
        if (value < 1 || value > most) {
            throw new ParameterException(
                    command.commandLine(),
                    "Invalid value for option '" + option + "': must be 1 to " + most + ", was " + value);
        }
        return value;
    }
}
