package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.http.ForeignText;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.cache.ChildData;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.cache.CuratorCacheStorage;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.framework.state.ConnectionStateListener;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Mirrors the fleet from ZooKeeper: every node below the hives' path is one hive.
 *
 * <p>Curator's cache watches, reads, and reads everything again after a reconnect. This class is its storage, not one
 * of its listeners: a listener misses a node that was removed and re-created while disconnected if its version is the
 * same as before. Here nodes are compared by the id of their last write. The bytes are not kept.
 */
final class HiveMirror implements CuratorCacheStorage, AutoCloseable {

    private static final Logger log = LoggerFactory.getLogger(HiveMirror.class);

    private static final int LONGEST_MESSAGE = 300;

    private final Map<String, ChildData> nodes = new ConcurrentHashMap<>();
    private final CountDownLatch complete = new CountDownLatch(1);
    private final Fleet fleet;
    private final Contact contact;
    private final Consumer<HiveSnapshot> taken;
    private CuratorFramework client;
    private CuratorCache cache;
    private ConnectionStateListener connection;

    HiveMirror(Fleet fleet, Contact contact) {
        this(fleet, contact, snapshot -> {});
    }

    /** Creates a mirror with a callback for every accepted snapshot, on Curator's thread. */
    HiveMirror(Fleet fleet, Contact contact, Consumer<HiveSnapshot> taken) {
        this.fleet = fleet;
        this.contact = contact;
        this.taken = taken;
    }

    /** Starts. The client is closed by the caller. */
    void start(CuratorFramework zooKeeper) {
        client = zooKeeper;
        connection = (unused, state) -> connection(state);
        client.getConnectionStateListenable().addListener(connection);
        contact.zooKeeper(client.getZookeeperClient().isConnected());
        cache = CuratorCache.builder(client, NodeName.HIVES).withStorage(this).build();
        cache.listenable()
                .addListener(CuratorCacheListener.builder()
                        .forInitialized(this::complete)
                        .build());
        cache.start();
    }

    /** Waits until everything that existed at the start has been read; false if that takes longer. */
    boolean awaitComplete(long millis) throws InterruptedException {
        return complete.await(millis, TimeUnit.MILLISECONDS);
    }

    private void complete() {
        contact.complete();
        complete.countDown();
    }

    private void connection(ConnectionState state) {
        if (state.isConnected()) {
            log.info("connected to ZooKeeper");
        } else {
            log.warn("the connection to ZooKeeper is {}; answering from the last known state", state);
        }
        contact.zooKeeper(state.isConnected());
        if (state == ConnectionState.LOST) {
            // The state in the next session replaces the known one, even if it is older: ZooKeeper may have been
            // restored from a backup or re-created.
            nodes.replaceAll((path, data) -> new ChildData(path, null, null));
        }
    }

    @Override
    public Optional<ChildData> put(ChildData data) {
        ChildData before = nodes.put(data.getPath(), new ChildData(data.getPath(), data.getStat(), null));
        Optional<ChildData> known = Optional.ofNullable(before).filter(node -> node.getStat() != null);
        Optional<Stat> last = known.map(ChildData::getStat);
        Stat now = data.getStat();
        boolean same = last.filter(stat -> stat.getCzxid() == now.getCzxid()).isPresent();
        boolean unwritten =
                last.filter(stat -> stat.getMzxid() == now.getMzxid()).isPresent();
        if (!unwritten && !data.getPath().equals(NodeName.HIVES)) {
            apply(node(data.getPath()), data.getData(), !same);
        }
        return known;
    }

    /**
     * Applies the content of a node.
     *
     * @param recreated whether the node, or the queen's session, was re-created: then the content replaces the known
     *     one, even if it is older. A hive that regains its name from another one continues its numbering.
     */
    private void apply(String node, byte[] bytes, boolean recreated) {
        if (bytes == null || bytes.length == 0) { // a hive that is starting; a previous one has left
            fleet.drop(node);
            return;
        }
        try {
            HiveSnapshot snapshot = SnapshotCodec.decode(bytes);
            if (!snapshot.node().equals(node)) {
                throw new MalformedSnapshotException("a snapshot of the node " + snapshot.node());
            }
            if (recreated) {
                fleet.replace(snapshot);
            } else if (!fleet.accept(snapshot)) {
                log.warn("node {} holds an older snapshot than the known one; it is ignored", node);
                return;
            }
            taken.accept(snapshot);
        } catch (MalformedSnapshotException e) {
            log.warn("the hive of node {} is not listed: its node holds {}", node, shortMessage(e));
            fleet.drop(node);
        }
    }

    /** It may quote foreign content of the node. */
    private static String shortMessage(MalformedSnapshotException e) {
        String message = ForeignText.sanitised(e.getMessage());
        return message.length() <= LONGEST_MESSAGE ? message : message.substring(0, LONGEST_MESSAGE) + "...";
    }

    @Override
    public Optional<ChildData> remove(String path) {
        Optional<ChildData> removed = Optional.ofNullable(nodes.remove(path));
        if (!path.equals(NodeName.HIVES)) {
            dropUnlessReplaced(path); // even if unknown: it may be the predecessor, which was removed before
        }
        return removed;
    }

    /**
     * A hive that reconnects with a new session replaces its old node in one transaction, which ZooKeeper reports as
     * two events. Look-ups in between must still find the hive.
     */
    private void dropUnlessReplaced(String path) {
        try {
            client.checkExists()
                    .inBackground((unused, answer) -> {
                        if (answer.getResultCode() == KeeperException.Code.NONODE.intValue()) {
                            drop(node(path));
                        }
                    })
                    .forPath(path);
        } catch (Exception e) {
            log.debug("the queen is closing", e);
        }
    }

    private void drop(String node) {
        fleet.drop(node);
        contact.forget(node);
        log.info("the hive of node {} has left", node);
    }

    private static String node(String path) {
        return path.substring(NodeName.HIVES.length() + 1);
    }

    @Override
    public void clear() {
        nodes.clear();
    }

    @Override
    public Optional<ChildData> get(String path) {
        return Optional.ofNullable(nodes.get(path));
    }

    @Override
    public int size() {
        return nodes.size();
    }

    @Override
    public Stream<ChildData> stream() {
        return nodes.values().stream();
    }

    /** Closes the mirror; the fleet is unchanged. */
    @Override
    public void close() {
        if (cache != null) {
            cache.close();
            client.getConnectionStateListenable().removeListener(connection);
        }
    }
}
