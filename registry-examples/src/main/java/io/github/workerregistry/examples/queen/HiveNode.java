package io.github.workerregistry.examples.queen;

import java.util.List;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A hive's node in ZooKeeper: it is owned by the session that created it and removed with it.
 *
 * <p>Curator's {@code PersistentNode} would overwrite a node of the same name that belongs to another hive. This class
 * never does. Not thread-safe.
 */
final class HiveNode {

    private static final Logger log = LoggerFactory.getLogger(HiveNode.class);
    private static final byte[] NOTHING_YET = {};
    private static final int NOT_OURS = -1;

    private final CuratorFramework client;
    private final String node;
    private final String path;
    private long owner;
    private int version = NOT_OURS;

    HiveNode(CuratorFramework client, String node) {
        this.client = client;
        this.node = node;
        this.path = NodeName.path(node);
    }

    /**
     * Claims the name. The node is empty until the first {@link #write}.
     *
     * @return the id of the transaction that created the node. ZooKeeper counts transactions, so a later claim has a
     *     greater id: it serves as incarnation
     * @throws NodeTakenException if the name is taken
     * @throws Exception if ZooKeeper does not answer
     */
    long claim() throws Exception {
        Stat stat = new Stat();
        try {
            client.create()
                    .storingStatIn(stat)
                    .creatingParentsIfNeeded()
                    .withMode(CreateMode.EPHEMERAL)
                    .forPath(path, NOTHING_YET);
        } catch (KeeperException.NodeExistsException e) {
            stat = client.checkExists().forPath(path);
            if (stat == null) {
                return claim(); // it was removed just now
            }
            if (stat.getEphemeralOwner() != session()) { // otherwise an earlier attempt succeeded without a response
                throw taken();
            }
        }
        owned(stat.getVersion());
        return stat.getCzxid();
    }

    /** Describes the holder of the name, for a message. */
    String holder() throws Exception {
        Stat stat = new Stat();
        try {
            byte[] data = client.getData().storingStatIn(stat).forPath(path);
            return description(data) + " (session 0x" + Long.toHexString(stat.getEphemeralOwner()) + ")";
        } catch (KeeperException.NoNodeException e) {
            return "no hive";
        }
    }

    /** The id of the last write to the node by any hive; 0 if there is none. */
    long lastWrite() throws Exception {
        Stat stat = client.checkExists().forPath(path);
        return stat == null ? 0 : stat.getMzxid();
    }

    private static String description(byte[] data) {
        try {
            return "the hive at " + SnapshotCodec.decode(data).url();
        } catch (MalformedSnapshotException e) {
            return "another hive";
        }
    }

    /**
     * Writes the node, and re-creates it if it was removed with an earlier session.
     *
     * @throws NodeTakenException if another hive has claimed the name meanwhile
     * @throws Exception if ZooKeeper does not answer
     */
    void write(byte[] data) throws Exception {
        if (version != NOT_OURS && owner == session()) {
            try {
                set(data, version);
                return;
            } catch (KeeperException.NoNodeException | KeeperException.BadVersionException e) {
                log.debug("the node {} was changed since the last write of this hive", path, e);
            }
        }
        Stat stat = client.checkExists().forPath(path);
        if (stat == null) {
            create(data);
        } else if (stat.getEphemeralOwner() == session()) {
            set(data, stat.getVersion());
        } else if (stat.getEphemeralOwner() == owner) {
            replace(data, stat.getVersion());
        } else {
            throw taken();
        }
    }

    /**
     * Whether the node was written or removed externally since the last {@link #write}, in the same session. This is a
     * read, which one server answers from memory; a write involves all of them.
     */
    boolean isChangedByAnother() throws Exception {
        Stat stat = client.checkExists().forPath(path);
        return owner == session()
                && (stat == null || stat.getEphemeralOwner() != owner || stat.getVersion() != version);
    }

    private void set(byte[] data, int expected) throws Exception {
        owned(client.setData().withVersion(expected).forPath(path, data).getVersion());
    }

    private void create(byte[] data) throws Exception {
        client.create().creatingParentsIfNeeded().withMode(CreateMode.EPHEMERAL).forPath(path, data);
        owned(0);
    }

    /** It is left over from the last session of this hive, which has not expired yet. */
    private void replace(byte[] data, int expected) throws Exception {
        List<CuratorTransactionResult> unused = client.transaction()
                .forOperations(
                        client.transactionOp().delete().withVersion(expected).forPath(path),
                        client.transactionOp()
                                .create()
                                .withMode(CreateMode.EPHEMERAL)
                                .forPath(path, data));
        owned(0);
    }

    private void owned(int current) throws Exception {
        owner = session();
        version = current;
    }

    private NodeTakenException taken() throws Exception {
        return new NodeTakenException(node, holder());
    }

    private long session() throws Exception {
        return client.getZookeeperClient().getZooKeeper().getSessionId();
    }
}
