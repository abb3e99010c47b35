package io.github.workerregistry.examples.queen;

import io.github.workerregistry.LogText;
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
 * Keeps the fleet as ZooKeeper has it: every node below the hives' path is one hive.
 *
 * <p>Curator's cache watches, reads, and reads all again after a reconnect. This is its storage rather than one of its
 * listeners: a listener is not told of a node that went and came again while the connection was down, if it happens to
 * have been written as often as the one before. Here a node is another one if the id of its last write is. The bytes
 * are not kept.
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

    /** A mirror that tells somebody of every snapshot that it has taken, on Curator's thread. */
    HiveMirror(Fleet fleet, Contact contact, Consumer<HiveSnapshot> taken) {
        this.fleet = fleet;
        this.contact = contact;
        this.taken = taken;
    }

    /** Begins. The client is the caller's to close. */
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

    /** Waits until everything that there was at the start is here; false if that takes longer. */
    boolean awaitComplete(long millis) throws InterruptedException {
        return complete.await(millis, TimeUnit.MILLISECONDS);
    }

    private void complete() {
        contact.complete();
        complete.countDown();
    }

    private void connection(ConnectionState state) {
        if (state.isConnected()) {
            log.info("in contact with ZooKeeper");
        } else {
            log.warn("the connection to ZooKeeper is {}; answering from what is known", state);
        }
        contact.zooKeeper(state.isConnected());
        if (state == ConnectionState.LOST) {
            // What ZooKeeper says in the next session is the truth, be it older than what is known: it may have been
            // restored from a backup, or begun anew.
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
            take(node(data.getPath()), data.getData(), !same);
        }
        return known;
    }

    /**
     * Takes what a node holds.
     *
     * @param anew whether the node has been made anew, or the queen's session has: then it is the truth, be it older
     *     than what is known. A hive that has its name back after another one had it counts on where it was.
     */
    private void take(String node, byte[] bytes, boolean anew) {
        if (bytes == null || bytes.length == 0) { // a hive that is just starting; if there was another, it has gone
            fleet.drop(node);
            return;
        }
        try {
            HiveSnapshot snapshot = SnapshotCodec.decode(bytes);
            if (!snapshot.node().equals(node)) {
                throw new MalformedSnapshotException("a snapshot of the node " + snapshot.node());
            }
            if (anew) {
                fleet.replace(snapshot);
            } else if (!fleet.accept(snapshot)) {
                log.warn("node {} holds an older snapshot than the one that is known; it is ignored", node);
                return;
            }
            taken.accept(snapshot);
        } catch (MalformedSnapshotException e) {
            log.warn("the hive of node {} is not listed, since it holds {}", node, inShort(e));
            fleet.drop(node);
        }
    }

    /** It may quote what somebody has put there. */
    private static String inShort(MalformedSnapshotException e) {
        String message = LogText.of(e.getMessage());
        return message.length() <= LONGEST_MESSAGE ? message : message.substring(0, LONGEST_MESSAGE) + "...";
    }

    @Override
    public Optional<ChildData> remove(String path) {
        Optional<ChildData> gone = Optional.ofNullable(nodes.remove(path));
        if (!path.equals(NodeName.HIVES)) {
            dropUnlessReplaced(path); // be it unknown: it may be the one that was in its place, and had gone before
        }
        return gone;
    }

    /**
     * A hive that comes back with a new session puts a new node in place of its old one, in one transaction, of which
     * ZooKeeper tells in two parts. Whoever asks in between must still find it.
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
            log.debug("the queen is ending", e);
        }
    }

    private void drop(String node) {
        fleet.drop(node);
        contact.forget(node);
        log.info("the hive of node {} has gone", node);
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

    /** Ends; the fleet stays as it is. */
    @Override
    public void close() {
        if (cache != null) {
            cache.close();
            client.getConnectionStateListenable().removeListener(connection);
        }
    }
}
