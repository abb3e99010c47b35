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
 * A hive's node in ZooKeeper, and the right to write it: it belongs to the session that created it, and goes with it.
 *
 * <p>Curator's {@code PersistentNode} would overwrite a node of the same name that is another hive's. This one never
 * does. Not thread-safe.
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
     * Takes the name. The node is empty until the first {@link #write}.
     *
     * @return the id of the transaction that made the node. ZooKeeper counts them, so a later claim has a greater one:
     *     it serves as incarnation
     * @throws NodeTakenException if somebody has the name
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
                return claim(); // it went just now
            }
            if (stat.getEphemeralOwner() != session()) { // else an earlier try succeeded, unnoticed
                throw taken();
            }
        }
        owned(stat.getVersion());
        return stat.getCzxid();
    }

    /** Says who has the name, for a message. */
    String holder() throws Exception {
        Stat stat = new Stat();
        try {
            byte[] data = client.getData().storingStatIn(stat).forPath(path);
            return description(data) + " (session 0x" + Long.toHexString(stat.getEphemeralOwner()) + ")";
        } catch (KeeperException.NoNodeException e) {
            return "nobody";
        }
    }

    /** The id of the last write to the node, whoever has it; 0 if there is none. */
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
     * Writes the node, and makes it anew if it went with an earlier session.
     *
     * @throws NodeTakenException if somebody else has taken the name meanwhile
     * @throws Exception if ZooKeeper does not answer
     */
    void write(byte[] data) throws Exception {
        if (version != NOT_OURS && owner == session()) {
            try {
                set(data, version);
                return;
            } catch (KeeperException.NoNodeException | KeeperException.BadVersionException e) {
                log.debug("the node {} is not as this hive left it", path, e);
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
     * Whether somebody else has written or removed the node since the last {@link #write}, in the same session. To ask
     * is a read, which one server answers from memory; a write costs all of them.
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

    /** It is left over from this hive's own last session, which ZooKeeper has yet to end. */
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
