package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.DurationConverter;
import io.github.workerregistry.examples.http.Listening;
import io.github.workerregistry.examples.queen.HivePublisher;
import io.github.workerregistry.examples.queen.NodeName;
import io.github.workerregistry.examples.queen.NodeTakenException;
import io.github.workerregistry.examples.queen.ZooKeeperClients;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.Optional;
import java.util.function.Function;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Whether this hive is one of a queen's, and under which name. */
final class QueenMembership {

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--queen",
            paramLabel = "<host:port,...>",
            description = "The ZooKeeper servers of the queen, which she prints when she starts; then her clients see"
                    + " this hive's workers, and she sends it requests (default: none).")
    private String queen;

    @Option(
            names = "--node",
            paramLabel = "<name>",
            description =
                    "This hive's name among the queen's; no two may have the same" + " (default: <host name>-<port>).")
    private String node;

    @Option(
            names = "--advertise",
            paramLabel = "<url>",
            description = "Where the queen reaches this hive (default: http:// with --host, or the host name if that is"
                    + " every address, and --port).")
    private String advertise;

    @Option(
            names = "--session-timeout",
            paramLabel = "<duration>",
            defaultValue = "10s",
            converter = DurationConverter.class,
            description =
                    "How soon this hive is gone for the queen when it dies, give or take a tick of ZooKeeper's, which is"
                            + " 2 s as a rule (default: ${DEFAULT-VALUE}).")
    private Duration sessionTimeout;

    @Option(
            names = "--publish-interval",
            paramLabel = "<duration>",
            defaultValue = "200ms",
            converter = DurationConverter.class,
            description = "How old what the queen knows may be: at most one write to ZooKeeper in this time"
                    + " (default: ${DEFAULT-VALUE}).")
    private Duration publishInterval;

    /**
     * Joins the queen, if there is one, and so takes the node's name.
     *
     * @return what will tell her of the workers; empty if there is none
     * @throws IOException if another hive has the name
     * @throws ParameterException if an option is wrong
     */
    Optional<HivePublisher> join(Listening listening) throws IOException {
        if (queen == null) {
            return Optional.empty();
        }
        String servers = checked("--queen", ZooKeeperClients::requireServers, queen);
        Duration timeout = checked("--session-timeout", ZooKeeperClients::requireTimeout, sessionTimeout);
        try {
            return Optional.of(HivePublisher.join(
                    servers,
                    checked("--node", NodeName::require, node(listening)),
                    url(listening),
                    timeout,
                    checked("--publish-interval", HivePublisher::requireInterval, publishInterval)));
        } catch (NodeTakenException e) {
            throw new IOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the hive joined the queen", e);
        }
    }

    private String node(Listening listening) throws IOException {
        return node != null ? node : hostName() + "-" + listening.port();
    }

    private String url(Listening listening) throws IOException {
        String url =
                advertise != null ? advertise : listening.isEverywhere() ? listening.url(hostName()) : listening.url();
        return checked("--advertise", HivePublisher::requireUrl, url);
    }

    private static String hostName() {
        try {
            return InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return "localhost";
        }
    }

    private <T> T checked(String option, Function<T, T> check, T value) {
        try {
            return check.apply(value);
        } catch (IllegalArgumentException e) {
            throw new ParameterException(
                    command.commandLine(), "Invalid value for option '" + option + "': " + e.getMessage());
        }
    }
}
