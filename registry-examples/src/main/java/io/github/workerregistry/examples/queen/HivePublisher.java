package io.github.workerregistry.examples.queen;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.Subscription;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.queen.SnapshotCodec.Encoded;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.state.ConnectionState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells ZooKeeper, and so the queen, about the workers of one hive, for as long as the hive lives.
 *
 * <p>A snapshot of all workers is written when the registry tells of an event, when the free slots of a model have
 * changed, and when a connection that was lost is back; at most one in an interval. Leases make no events, on purpose:
 * they take nanoseconds. So the free slots are looked at once an interval, which is one pass over the workers under the
 * read lock, and costs no lease anything. A hook in each lease would, and would miss whoever takes one elsewhere.
 *
 * <p>A hive where nothing happens writes nothing. It looks at its node every 10 s, and writes it anew if somebody has
 * overwritten or removed it.
 *
 * <p>All of it happens on one thread of its own: the hive's threads never wait for ZooKeeper. Whatever becomes of
 * ZooKeeper, the hive and its workers go on.
 */
public final class HivePublisher implements AutoCloseable {

    /** How long two writes are apart at least, unless somebody says otherwise. */
    public static final Duration DEFAULT_INTERVAL = Duration.ofMillis(200);

    private static final Logger log = LoggerFactory.getLogger(HivePublisher.class);

    /** How many intervals are between two looks at the node: 10 s, unless somebody says otherwise. */
    static final int INTERVALS_PER_LOOK = 50;

    private static final Duration LONGEST_INTERVAL = Duration.ofHours(1);
    private static final Duration FIRST_CONTACT = Duration.ofSeconds(5);
    private static final Duration RETRY = Duration.ofSeconds(1);

    /** ZooKeeper looks for sessions that have ended once a tick, which is 2 s by default; and one more for the load. */
    private static final Duration EXPIRY_MARGIN = Duration.ofSeconds(5);

    private final CuratorFramework client;
    private final String node;
    private final String url;
    private final HiveNode hiveNode;
    private final long intervalNanos;
    private final ScheduledThreadPoolExecutor thread = thread();
    private final AtomicBoolean wanted = new AtomicBoolean();
    private volatile long lastWriteNanos;

    // Set by publish(), before the thread looks.
    private WorkerRegistry registry;
    private Subscription events;

    // Only on the thread, once it runs.
    private long incarnation;
    private long revision;
    private Map<String, Integer> freeWhenWritten = Map.of();
    private boolean troubled;
    private boolean cut;

    private HivePublisher(CuratorFramework client, String node, String url, Duration interval) {
        this.client = client;
        this.node = node;
        this.url = url;
        this.hiveNode = new HiveNode(client, node);
        this.intervalNanos = interval.toNanos();
        this.lastWriteNanos = System.nanoTime() - intervalNanos;
    }

    /**
     * Connects and takes the node's name. A hive that was killed keeps its name until its session ends, so if the name
     * is taken, this waits for as long as that may last, and says so.
     *
     * <p>If ZooKeeper cannot be reached, the hive goes on without, and takes its name when it can.
     *
     * @param servers where ZooKeeper is, {@code host:port,host:port}
     * @param node the name
     * @param url where the queen reaches the hive
     * @param sessionTimeout how soon a hive that dies is gone for the queen
     * @param interval how long two writes are apart at least: see {@link #requireInterval}
     * @return a publisher that publishes nothing yet
     * @throws NodeTakenException if another hive has the name
     * @throws InterruptedException if the thread is interrupted
     */
    public static HivePublisher join(
            String servers, String node, String url, Duration sessionTimeout, Duration interval)
            throws NodeTakenException, InterruptedException {
        NodeName.require(node);
        requireUrl(url);
        requireInterval(interval);
        if (Loopback.isOutOfReach(url, servers)) {
            log.warn(
                    "the queen is told that this hive is at {}, where no other machine finds it: see --host and --advertise",
                    url);
        }
        HivePublisher publisher =
                new HivePublisher(ZooKeeperClients.writer(servers, sessionTimeout), node, url, interval);
        boolean joined = false;
        try {
            publisher.takeName(servers, sessionTimeout);
            joined = true;
            return publisher;
        } finally {
            if (!joined) {
                publisher.close();
            }
        }
    }

    /**
     * Checks where a hive says that it is reached.
     *
     * @param url {@code http://host:port}
     * @return the same
     * @throws IllegalArgumentException if it is none, or more than that
     */
    public static String requireUrl(String url) {
        return HttpAddress.require(url);
    }

    /**
     * Checks how long two writes are to be apart.
     *
     * @param interval the time
     * @return the same
     * @throws IllegalArgumentException if it is not &gt; 0 and at most an hour
     */
    public static Duration requireInterval(Duration interval) {
        if (interval.isNegative() || interval.isZero() || interval.compareTo(LONGEST_INTERVAL) > 0) {
            throw new IllegalArgumentException(
                    "must be 1ms to " + LONGEST_INTERVAL.toHours() + "h, was " + interval.toMillis() + "ms");
        }
        return interval;
    }

    private void takeName(String servers, Duration sessionTimeout) throws NodeTakenException, InterruptedException {
        long firstContact = Math.min(FIRST_CONTACT.toMillis(), sessionTimeout.toMillis());
        if (!client.blockUntilConnected((int) firstContact, TimeUnit.MILLISECONDS)) {
            log.warn("ZooKeeper at {} does not answer; the hive goes on without, and joins when it does", servers);
            return;
        }
        Duration patience = sessionTimeout.plus(EXPIRY_MARGIN);
        long deadline = System.nanoTime() + patience.toNanos();
        long lastWrite = 0;
        while (true) {
            try {
                incarnation = hiveNode.claim();
                return;
            } catch (NodeTakenException e) {
                lastWrite = waitForItsEnd(e, lastWrite, patience, deadline);
            } catch (InterruptedException e) {
                throw e;
            } catch (Exception e) {
                log.warn("cannot take the node name {} yet; the hive goes on without", node, e);
                return;
            }
        }
    }

    /** Gives up when the holder writes: then it is no dead predecessor. */
    private long waitForItsEnd(NodeTakenException taken, long lastWrite, Duration patience, long deadline)
            throws NodeTakenException, InterruptedException {
        long written;
        try {
            written = hiveNode.lastWrite();
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            written = lastWrite; // it will be seen the next time
        }
        if (lastWrite == 0) {
            log.info(
                    "{}. If that is an earlier run of this hive, its session ends soon: waiting up to {} s",
                    taken.getMessage(),
                    patience.toSeconds());
        } else if (written > lastWrite || System.nanoTime() - deadline > 0) {
            throw taken;
        }
        TimeUnit.MILLISECONDS.sleep(200);
        return written;
    }

    /**
     * Begins to publish. Once.
     *
     * @param workers the hive's registry
     */
    public void publish(WorkerRegistry workers) {
        registry = requireNonNull(workers, "workers");
        client.getConnectionStateListenable().addListener((unused, state) -> connection(state));
        events = registry.subscribe(event -> want(), Runnable::run);
        thread.scheduleWithFixedDelay(this::lookAtSlots, intervalNanos, intervalNanos, TimeUnit.NANOSECONDS);
        long look = INTERVALS_PER_LOOK * intervalNanos;
        long first = ThreadLocalRandom.current().nextLong(look); // so that no two hives look in step
        thread.scheduleWithFixedDelay(this::lookAtNode, first, look, TimeUnit.NANOSECONDS);
        want();
    }

    private void connection(ConnectionState state) {
        if (state.isConnected()) {
            log.info("in contact with ZooKeeper again");
            want();
        } else {
            log.warn("the connection to ZooKeeper is {}; the hive goes on", state);
        }
    }

    private void lookAtSlots() {
        if (!wanted.get() && !freeSlots(registry.list()).equals(freeWhenWritten)) {
            want();
        }
    }

    private void lookAtNode() {
        if (wanted.get() || troubled || !client.getZookeeperClient().isConnected()) {
            return; // it will be written without a look
        }
        try {
            if (hiveNode.isChangedByAnother()) {
                log.warn("somebody has changed the node {}, which is this hive's; it is written anew", node);
                want();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed
        } catch (Exception e) {
            log.debug("cannot look at the node {}", node, e); // the next look may
        }
    }

    /** A snapshot is to be written as soon as the interval allows. Cheap, and from any thread. */
    private void want() {
        if (wanted.compareAndSet(false, true)) {
            long wait = lastWriteNanos + intervalNanos - System.nanoTime();
            thread.schedule(this::write, Math.max(0, wait), TimeUnit.NANOSECONDS);
        }
    }

    private void write() {
        lastWriteNanos = System.nanoTime(); // before the next is wanted, or it would not wait
        wanted.set(false); // before the look, so that what happens from here on is written the next time
        if (!client.getZookeeperClient().isConnected()) {
            return; // when it is, connection() says so
        }
        try {
            if (incarnation == 0) {
                incarnation = hiveNode.claim();
            }
            List<WorkerInfo> workers = registry.list();
            hiveNode.write(encode(workers));
            freeWhenWritten = freeSlots(workers);
            if (troubled) {
                troubled = false;
                log.info("the workers of node {} are in ZooKeeper again", node);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed
        } catch (Exception e) {
            failed(e);
        }
    }

    private void failed(Exception e) {
        if (!troubled) {
            troubled = true;
            if (e instanceof NodeTakenException) {
                log.error("{}. The queen does not see this hive until the name is free", e.getMessage());
            } else {
                log.warn("cannot write the workers of node {} to ZooKeeper, and tries on: {}", node, e.toString());
            }
        }
        thread.schedule(this::want, RETRY.toNanos(), TimeUnit.NANOSECONDS);
    }

    private byte[] encode(List<WorkerInfo> workers) {
        revision++;
        Encoded encoded = SnapshotCodec.fitting(new HiveSnapshot(
                node,
                url,
                incarnation,
                revision,
                0,
                workers.stream().map(WorkerSnapshot::of).toList()));
        int omitted = encoded.snapshot().omitted();
        if (omitted > 0 && !cut) {
            log.warn(
                    "{} workers are more than fit into ZooKeeper's 1 MiB; the last {} are left out, and the queen lists"
                            + " them not",
                    workers.size(),
                    omitted);
        }
        cut = omitted > 0;
        return encoded.bytes();
    }

    static Map<String, Integer> freeSlots(List<WorkerInfo> workers) {
        Map<String, Integer> free = new HashMap<>();
        for (WorkerInfo worker : workers) {
            free.merge(worker.modelRef(), worker.slotsAvailable(), Integer::sum);
        }
        return free;
    }

    /** Ends: the node goes at once, or with its session if ZooKeeper does not answer in a moment. Idempotent. */
    @Override
    public void close() {
        if (events != null) {
            events.close();
        }
        thread.shutdownNow();
        ZooKeeperClients.close(client);
    }

    private static ScheduledThreadPoolExecutor thread() {
        // Whoever still wants something when it has ended gets nothing, and no exception.
        ScheduledThreadPoolExecutor thread = new ScheduledThreadPoolExecutor(
                1,
                task -> {
                    Thread publisher = new Thread(task, "hive-publisher");
                    publisher.setDaemon(true);
                    return publisher;
                },
                new ThreadPoolExecutor.DiscardPolicy());
        thread.setRemoveOnCancelPolicy(true);
        return thread;
    }
}
