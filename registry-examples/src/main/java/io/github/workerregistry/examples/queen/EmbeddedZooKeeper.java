package io.github.workerregistry.examples.queen;

import java.io.File;
import java.io.IOException;
import java.net.BindException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.server.NIOServerCnxnFactory;
import org.apache.zookeeper.server.PurgeTxnLog;
import org.apache.zookeeper.server.ServerCnxnFactory;
import org.apache.zookeeper.server.ZooKeeperServer;
import org.apache.zookeeper.server.persistence.FileTxnLog;
import org.apache.zookeeper.server.persistence.FileTxnSnapLog;
import org.apache.zookeeper.util.ServiceUtils;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A ZooKeeper server in this JVM, for trials: a single server, reachable from this machine only, whose data are deleted
 * with its directory.
 */
final class EmbeddedZooKeeper implements AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(EmbeddedZooKeeper.class);

    /** How often the server checks for expired sessions. */
    private static final int TICK_MILLIS = 200;

    private static final int SHORTEST_SESSION = 500;
    private static final int LONGEST_SESSION = (int) TimeUnit.MINUTES.toMillis(5);
    private static final int ANY_NUMBER = 0;
    private static final int KEPT_SNAPSHOTS = 3;

    static {
        // ZooKeeper reads these once, before its first server. Data in a temporary directory need not survive a crash
        // of the machine, and must not fill its disk.
        setDefault("zookeeper.forceSync", "no");
        setDefault("zookeeper.snapSizeLimitInKb", "32768");
        FileTxnLog.setPreallocSize(1 << 20);
        ServiceUtils.setSystemExitProcedure(code -> log.error(
                "the ZooKeeper server has stopped with code {}; the rest of the program keeps running", code));
    }

    private final File directory;
    private final FileTxnSnapLog files;
    private final ServerCnxnFactory connections;

    /**
     * Starts a server.
     *
     * @param directory the directory for its data; existing data are loaded
     * @param port the port on 127.0.0.1; 0 for any free port
     * @throws IOException if that is not possible
     */
    EmbeddedZooKeeper(Path directory, int port) throws IOException {
        this.directory = directory.toFile();
        files = new FileTxnSnapLog(this.directory, this.directory);
        ZooKeeperServer server = new ZooKeeperServer(files, TICK_MILLIS, "");
        server.setMinSessionTimeout(SHORTEST_SESSION);
        server.setMaxSessionTimeout(LONGEST_SESSION);
        connections = new NIOServerCnxnFactory();
        boolean started = false;
        try {
            connections.configure(new InetSocketAddress(InetAddress.getLoopbackAddress(), port), ANY_NUMBER);
            connections.startup(server);
            started = true;
        } catch (BindException e) {
            throw new IOException("ZooKeeper cannot listen on 127.0.0.1:" + port + ": " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while ZooKeeper started", e);
        } finally {
            if (!started) {
                files.close();
            }
        }
    }

    int port() {
        return connections.getLocalPort();
    }

    /** The connect string for clients. */
    String servers() {
        return "127.0.0.1:" + port();
    }

    /** Removes files that are only needed to restore older states. */
    void purge() {
        try {
            PurgeTxnLog.purge(directory, directory, KEPT_SNAPSHOTS);
        } catch (IOException e) {
            log.warn("ZooKeeper's old files in {} were not removed", directory, e);
        }
    }

    /** Stops; the data are kept. */
    @Override
    public void close() {
        connections.shutdown();
        try {
            files.close();
        } catch (IOException e) {
            log.warn("ZooKeeper's files in {} were not closed", directory, e);
        }
    }

    private static void setDefault(String property, String value) {
        if (System.getProperty(property) == null) {
            System.setProperty(property, value);
        }
    }
}
