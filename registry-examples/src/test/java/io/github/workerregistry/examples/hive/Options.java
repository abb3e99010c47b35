package io.github.workerregistry.examples.hive;

import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Options as the program parses them. */
@Command
final class Options {

    @Mixin
    private HiveOptions options;

    private Options() {}

    static HiveOptions parse(String... args) {
        Options parsed = new Options();
        new CommandLine(parsed).parseArgs(args);
        return parsed.options;
    }
}
