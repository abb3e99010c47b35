package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.DurationConverter;
import io.github.workerregistry.examples.hive.Membership;
import io.github.workerregistry.examples.http.BoundAddress;
import java.io.IOException;
import java.net.InetAddress;
import java.net.URI;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.List;
import java.util.function.Function;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The membership of a hive in a queen's fleet, and its node name. */
final class QueenMembership implements Membership {

    @Spec(Spec.Target.MIXEE)
    private CommandSpec command;

    @Option(
            names = "--queen",
            paramLabel = "<host:port,...>",
            description = "The ZooKeeper servers of the queen, which it prints at its start; its clients then see"
                    + " this hive's workers, and it sends requests to this hive (default: none).")
    private String queen;

    @Option(
            names = "--node",
            paramLabel = "<name>",
            description = "The node name of this hive, unique in the fleet (default: <host name>-<port>).")
    private String node;

    @Option(
            names = "--advertise",
            paramLabel = "<url>",
            description =
                    "The URL of this hive for the queen (default: http:// with --host, or the host name if that is"
                            + " every address, and --port).")
    private String advertise;

    @Option(
            names = "--session-timeout",
            paramLabel = "<duration>",
            defaultValue = "10s",
            converter = DurationConverter.class,
            description = "How soon the queen detects the death of this hive, plus or minus a ZooKeeper tick, usually"
                    + " 2 s (default: ${DEFAULT-VALUE}).")
    private Duration sessionTimeout;

    @Option(
            names = "--publish-interval",
            paramLabel = "<duration>",
            defaultValue = "200ms",
            converter = DurationConverter.class,
            description = "The maximum age of the queen's data: at most one write to ZooKeeper in this time"
                    + " (default: ${DEFAULT-VALUE}).")
    private Duration publishInterval;

    @Override
    public List<String> hostNames() {
        return advertise == null
                ? List.of()
                : List.of(URI.create(checked("--advertise", HivePublisher::requireUrl, advertise))
                        .getHost());
    }

    @Override
    public Place join(BoundAddress address) throws IOException {
        Duration timeout = checked("--session-timeout", ZooKeeperClients::requireTimeout, sessionTimeout);
        Duration interval = checked("--publish-interval", HivePublisher::requireInterval, publishInterval);
        if (queen == null) {
            requireNameAndUrl();
            return Membership.none().join(address);
        }
        String servers = checked("--queen", ZooKeeperClients::requireServers, queen);
        try {
            return HivePublisher.join(
                    servers, checked("--node", NodeName::require, node(address)), url(address), timeout, interval);
        } catch (NodeTakenException e) {
            throw new IOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while the hive joined the queen", e);
        }
    }

    /** Checks what was given. A mistake shows before there is a queen. */
    private void requireNameAndUrl() {
        if (node != null) {
            checked("--node", NodeName::require, node);
        }
        if (advertise != null) {
            checked("--advertise", HivePublisher::requireUrl, advertise);
        }
    }

    private String node(BoundAddress address) {
        return node != null ? node : hostName() + "-" + address.port();
    }

    private String url(BoundAddress address) {
        String url = advertise != null ? advertise : address.isEverywhere() ? address.url(hostName()) : address.url();
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
