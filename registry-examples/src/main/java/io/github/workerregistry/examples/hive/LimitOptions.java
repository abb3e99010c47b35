package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.DurationConverter;
import io.github.workerregistry.examples.http.Bounds;
import io.github.workerregistry.examples.http.Forwarding;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The options for what clients may hold, and how long requests may take. */
final class LimitOptions {

    @Option(
            names = "--queue-timeout",
            paramLabel = "<duration>",
            defaultValue = "2m",
            converter = DurationConverter.class,
            description = "How long a request waits for a slot, also while its model is loaded"
                    + " (default: ${DEFAULT-VALUE}).")
    private Duration queueTimeout;

    @Option(
            names = "--first-byte-timeout",
            paramLabel = "<duration>",
            defaultValue = "10m",
            converter = DurationConverter.class,
            description = "How long a worker may take to begin its answer (default: ${DEFAULT-VALUE}).")
    private Duration firstByte;

    @Option(
            names = "--piece-timeout",
            paramLabel = "<duration>",
            defaultValue = "2m",
            converter = DurationConverter.class,
            description = "How long a worker may pause in its answer (default: ${DEFAULT-VALUE}).")
    private Duration betweenPieces;

    @Option(
            names = "--reader-timeout",
            paramLabel = "<duration>",
            defaultValue = "30s",
            converter = DurationConverter.class,
            description = "How long a client may not read its answer (default: ${DEFAULT-VALUE}).")
    private Duration reader;

    @Option(
            names = "--arrival-timeout",
            paramLabel = "<duration>",
            defaultValue = "30s",
            converter = DurationConverter.class,
            description = "How long a request may take to arrive, and a connection may be unused"
                    + " (default: ${DEFAULT-VALUE}).")
    private Duration arrival;

    @Option(
            names = "--max-body",
            paramLabel = "<MiB>",
            defaultValue = "32",
            converter = Count.class,
            description = "The size of a forwarded body, in MiB (default: ${DEFAULT-VALUE}). At most 1 MiB of it is"
                    + " kept in memory.")
    private int body;

    @Option(
            names = "--max-connections",
            paramLabel = "<count>",
            defaultValue = "10000",
            converter = Count.class,
            description = "The number of connections of clients (default: ${DEFAULT-VALUE}).")
    private int connections;

    @Option(
            names = "--allowed-host",
            paramLabel = "<name>",
            description = "A further name of this machine, for the header Host; may be given several times. Addresses,"
                    + " localhost and the host name are accepted.")
    private List<String> allowedHosts = List.of();

    @Option(
            names = "--models-dir",
            paramLabel = "<directory>",
            description = "The directory that a model_path must be in (default: any file).")
    private Path modelsDir;

    /** The names of this machine that clients may use. */
    List<String> allowedHosts() {
        return allowedHosts;
    }

    Optional<Path> modelsDir() {
        return Optional.ofNullable(modelsDir);
    }

    Duration queueTimeout() {
        return queueTimeout;
    }

    Forwarding.Patience patience() {
        return new Forwarding.Patience(firstByte, betweenPieces, reader);
    }

    Bounds bounds() {
        return new Bounds((long) body << 20, Bounds.DEFAULT.memory(), connections, arrival);
    }

    /** A number that is at least 1. */
    static final class Count implements ITypeConverter<Integer> {
        @Override
        public Integer convert(String text) {
            if (!text.matches("[1-9]\\d{0,5}")) {
                throw new TypeConversionException("'" + text + "' is not a number from 1 to 999999");
            }
            return Integer.valueOf(text);
        }
    }
}
