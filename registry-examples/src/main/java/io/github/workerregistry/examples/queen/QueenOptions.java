package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.DurationConverter;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The options, set by picocli. */
final class QueenOptions {

    private static final int MAX_PORT = 65_535;

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--allowed-host",
            paramLabel = "<name>",
            description = "A further name of this machine, for the header Host; may be given several times. Addresses,"
                    + " localhost and the host name are accepted.")
    private List<String> allowedHosts = List.of();

    @Option(
            names = "--host",
            paramLabel = "<address>",
            defaultValue = "127.0.0.1",
            description = "The address to listen on (default: ${DEFAULT-VALUE}).")
    private String host;

    @Option(
            names = "--port",
            paramLabel = "<port>",
            defaultValue = "8080",
            description = "The port to listen on; 0 for any free port (default: ${DEFAULT-VALUE}).")
    private int port;

    @Option(
            names = "--zookeeper",
            paramLabel = "<host:port,...>",
            description = "The ZooKeeper servers to use (default: one in this process, for hives on this machine, whose"
                    + " data are deleted when the queen exits).")
    private String zookeeper;

    @Option(
            names = "--zookeeper-port",
            paramLabel = "<port>",
            defaultValue = "2181",
            description = "The port of the ZooKeeper server in this process, on 127.0.0.1; 0 for any free port"
                    + " (default: ${DEFAULT-VALUE}).")
    private int zookeeperPort;

    @Option(
            names = "--session-timeout",
            paramLabel = "<duration>",
            defaultValue = "10s",
            converter = DurationConverter.class,
            description = "How long the queen's own ZooKeeper session outlives its connection (default:"
                    + " ${DEFAULT-VALUE}). Each hive has its own: see its --session-timeout.")
    private Duration sessionTimeout;

    List<String> allowedHosts() {
        return allowedHosts;
    }

    String host() {
        return host;
    }

    int port() {
        return requirePort("--port", port);
    }

    /** The servers to use; empty means to start an embedded one. */
    Optional<String> zookeeper() {
        try {
            return Optional.ofNullable(zookeeper).map(ZooKeeperClients::requireServers);
        } catch (IllegalArgumentException e) {
            throw wrong("--zookeeper", e.getMessage());
        }
    }

    int zookeeperPort() {
        return requirePort("--zookeeper-port", zookeeperPort);
    }

    Duration sessionTimeout() {
        try {
            return ZooKeeperClients.requireTimeout(sessionTimeout);
        } catch (IllegalArgumentException e) {
            throw wrong("--session-timeout", e.getMessage());
        }
    }

    private int requirePort(String option, int value) {
        if (value < 0 || value > MAX_PORT) {
            throw wrong(option, "must be 0 to " + MAX_PORT + ", was " + value);
        }
        return value;
    }

    private ParameterException wrong(String option, String why) {
        return new ParameterException(command.commandLine(), "Invalid value for option '" + option + "': " + why);
    }
}
