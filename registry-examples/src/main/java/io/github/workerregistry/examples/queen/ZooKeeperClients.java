package io.github.workerregistry.examples.queen;

import java.time.Duration;
import java.util.regex.Pattern;
import org.apache.curator.RetryPolicy;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryForever;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.client.ConnectStringParser;

/** The ZooKeeper connections of hives and queen. Curator handles sessions and reconnects. */
public final class ZooKeeperClients {

    private static final Pattern SERVERS = Pattern.compile("[^\\s,/]+:\\d{1,5}(,[^\\s,/]+:\\d{1,5})*(/[!-~]+)?");
    private static final Duration SHORTEST = Duration.ofMillis(500);
    private static final Duration LONGEST = Duration.ofHours(24);
    private static final Duration CONNECT = Duration.ofSeconds(5);
    private static final Duration CLOSE = Duration.ofMillis(250);

    private ZooKeeperClients() {}

    /**
     * Checks the addresses of ZooKeeper.
     *
     * @param servers {@code host:port,host:port/path}; the path is optional
     * @return the same
     * @throws IllegalArgumentException if it is malformed, or a port or path is invalid
     */
    public static String requireServers(String servers) {
        if (!SERVERS.matcher(servers).matches()) {
            throw new IllegalArgumentException(
                    "must be host:port, or several of them with commas, was '" + servers + "'");
        }
        ConnectStringParser unused = new ConnectStringParser(servers); // it throws
        return servers;
    }

    /**
     * Checks a session timeout. ZooKeeper may grant a longer or a shorter one: 2 to 20 of its ticks.
     *
     * @param timeout the timeout
     * @return the same
     * @throws IllegalArgumentException if it is shorter than 500 ms or longer than a day
     */
    public static Duration requireTimeout(Duration timeout) {
        if (timeout.compareTo(SHORTEST) < 0 || timeout.compareTo(LONGEST) > 0) {
            throw new IllegalArgumentException("must be " + SHORTEST.toMillis() + "ms to " + LONGEST.toHours()
                    + "h, was " + timeout.toMillis() + "ms");
        }
        return timeout;
    }

    /** For reading: failed operations are retried without limit. */
    static CuratorFramework reader(String servers, Duration sessionTimeout) {
        return start(servers, sessionTimeout, new RetryForever(250));
    }

    /**
     * For writing: failed operations are not retried automatically, because the retry might happen in another session,
     * when the node belongs to another hive.
     */
    static CuratorFramework writer(String servers, Duration sessionTimeout) {
        return start(servers, sessionTimeout, new RetryNTimes(0, 0));
    }

    /**
     * Closes a connection. If ZooKeeper does not answer, it is closed in the background, because closing waits for up
     * to the session timeout.
     */
    static void close(CuratorFramework client) {
        Thread closing = new Thread(client::close, "zookeeper-close");
        closing.setDaemon(true);
        closing.start();
        try {
            closing.join(CLOSE.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static CuratorFramework start(String servers, Duration sessionTimeout, RetryPolicy retries) {
        int timeout = (int) sessionTimeout.toMillis();
        CuratorFramework client = CuratorFrameworkFactory.builder()
                .connectString(requireServers(servers))
                .ensembleTracker(false) // connects only to the given servers
                .sessionTimeoutMs(timeout)
                .connectionTimeoutMs((int) Math.min(timeout, CONNECT.toMillis()))
                .retryPolicy(retries)
                .build();
        client.start();
        return client;
    }
}
