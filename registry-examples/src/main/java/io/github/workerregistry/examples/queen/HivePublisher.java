package io.github.workerregistry.examples.queen;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.Subscription;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.examples.hive.Membership;
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
 * Publishes the workers of one hive to ZooKeeper, and so to the queen.
 *
 * <p>A snapshot of all workers is written after an event of the registry, when the free slots of a model have changed,
 * and after a reconnect; at most one per interval. Leases cause no events, because they take nanoseconds. So the free
 * slots are read once per interval, in one pass over the workers under the read lock, without a cost for leases. A hook
 * in each lease would have a cost and would miss leases acquired elsewhere.
 *
 * <p>A hive without changes writes nothing. It checks its node every 10 s, and rewrites it if it was overwritten or
 * removed.
 *
 * <p>Everything runs on its own thread: the hive's threads never wait for ZooKeeper. Without ZooKeeper the hive and its
 * workers keep running.
 */
public final class HivePublisher implements Membership.Place {

    /** The default minimum interval between two writes. */
    public static final Duration DEFAULT_INTERVAL = Duration.ofMillis(200);

    private static final Logger log = LoggerFactory.getLogger(HivePublisher.class);

    /** Number of intervals between two checks of the node: 10 s with the default interval. */
    static final int INTERVALS_PER_CHECK = 50;

    private static final Duration LONGEST_INTERVAL = Duration.ofHours(1);
    private static final Duration FIRST_CONTACT = Duration.ofSeconds(5);
    private static final Duration RETRY = Duration.ofSeconds(1);

    /** ZooKeeper expires sessions once per tick, 2 s by default; plus one tick for load. */
    private static final Duration EXPIRY_MARGIN = Duration.ofSeconds(5);

    private final CuratorFramework client;
    private final String node;
    private final String url;
    private final HiveNode hiveNode;
    private final long intervalNanos;
    private final ScheduledThreadPoolExecutor thread = thread();
    private final AtomicBoolean writeRequested = new AtomicBoolean();
    private volatile long lastWriteNanos;

    // Set by publish(), before the thread reads it.
    private WorkerRegistry registry;
    private Subscription events;

    // Used only on the thread, once it runs.
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
     * Connects and claims the node name. The name of a killed hive stays taken until its session expires, so if the
     * name is taken, this waits for at most that time, and logs it.
     *
     * <p>If ZooKeeper cannot be reached, the hive runs without it, and claims its name later.
     *
     * @param servers the ZooKeeper servers, {@code host:port,host:port}
     * @param node the name
     * @param url the url by which the queen reaches the hive
     * @param sessionTimeout how soon the queen detects the death of a hive
     * @param interval minimum interval between two writes, see {@link #requireInterval}
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
                    "this hive is published as {}, which other machines cannot reach: see --host and --advertise", url);
        }
        HivePublisher publisher =
                new HivePublisher(ZooKeeperClients.writer(servers, sessionTimeout), node, url, interval);
        boolean joined = false;
        try {
            publisher.claimName(servers, sessionTimeout);
            joined = true;
            return publisher;
        } finally {
            if (!joined) {
                publisher.close();
            }
        }
    }

    /**
     * Checks the published url of a hive.
     *
     * @param url {@code http://host:port}
     * @return the same
     * @throws IllegalArgumentException if it is malformed or has more parts
     */
    public static String requireUrl(String url) {
        return HttpAddress.require(url);
    }

    /**
     * Checks the interval between two writes.
     *
     * @param interval the interval
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

    private void claimName(String servers, Duration sessionTimeout) throws NodeTakenException, InterruptedException {
        long firstContact = Math.min(FIRST_CONTACT.toMillis(), sessionTimeout.toMillis());
        if (!client.blockUntilConnected((int) firstContact, TimeUnit.MILLISECONDS)) {
            log.warn("ZooKeeper at {} does not answer; the hive runs without it and joins when it does", servers);
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
                lastWrite = awaitExpiry(e, lastWrite, patience, deadline);
            } catch (InterruptedException e) {
                throw e;
            } catch (Exception e) {
                log.warn("cannot claim the node name {} yet; the hive runs without it", node, e);
                return;
            }
        }
    }

    /** Fails when the holder writes: then it is not a dead predecessor. */
    private long awaitExpiry(NodeTakenException taken, long lastWrite, Duration patience, long deadline)
            throws NodeTakenException, InterruptedException {
        long written;
        try {
            written = hiveNode.lastWrite();
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            written = lastWrite; // it will be detected the next time
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
     * Starts publishing. Called once.
     *
     * @param workers the hive's registry
     */
    @Override
    public void publish(WorkerRegistry workers) {
        registry = requireNonNull(workers, "workers");
        client.getConnectionStateListenable().addListener((unused, state) -> connection(state));
        events = registry.subscribe(event -> requestWrite(), Runnable::run);
        thread.scheduleWithFixedDelay(this::checkSlots, intervalNanos, intervalNanos, TimeUnit.NANOSECONDS);
        long look = INTERVALS_PER_CHECK * intervalNanos;
        long first = ThreadLocalRandom.current().nextLong(look); // so that hives do not check in step
        thread.scheduleWithFixedDelay(this::checkNode, first, look, TimeUnit.NANOSECONDS);
        requestWrite();
    }

    private void connection(ConnectionState state) {
        if (state.isConnected()) {
            log.info("connected to ZooKeeper again");
            requestWrite();
        } else {
            log.warn("the connection to ZooKeeper is {}; the hive keeps running", state);
        }
    }

    private void checkSlots() {
        if (!writeRequested.get() && !freeSlots(registry.list()).equals(freeWhenWritten)) {
            requestWrite();
        }
    }

    private void checkNode() {
        if (writeRequested.get() || troubled || !client.getZookeeperClient().isConnected()) {
            return; // it will be written anyway
        }
        try {
            if (hiveNode.isChangedByAnother()) {
                log.warn("the node {} of this hive was changed externally; it is rewritten", node);
                requestWrite();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // closed
        } catch (Exception e) {
            log.debug("cannot check the node {}", node, e); // the next check may succeed
        }
    }

    /** Requests a write as soon as the interval allows. Cheap, callable from any thread. */
    private void requestWrite() {
        if (writeRequested.compareAndSet(false, true)) {
            long wait = lastWriteNanos + intervalNanos - System.nanoTime();
            thread.schedule(this::write, Math.max(0, wait), TimeUnit.NANOSECONDS);
        }
    }

    private void write() {
        lastWriteNanos = System.nanoTime(); // before the next request, which would not wait otherwise
        writeRequested.set(false); // before the read, so that later changes are written the next time
        if (!client.getZookeeperClient().isConnected()) {
            return; // connection() requests a write after the reconnect
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
                log.info("the workers of node {} are published again", node);
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
                log.error("{}. The queen does not list this hive until the name is free", e.getMessage());
            } else {
                log.warn("cannot write the workers of node {} to ZooKeeper, will retry: {}", node, e.toString());
            }
        }
        thread.schedule(this::requestWrite, RETRY.toNanos(), TimeUnit.NANOSECONDS);
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
                    "{} workers do not fit into ZooKeeper's 1 MiB; the last {} are omitted, and the queen does not list"
                            + " them",
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

    /** Closes: the node is removed at once, or with its session if ZooKeeper does not answer soon. Idempotent. */
    @Override
    public void close() {
        if (events != null) {
            events.close();
        }
        thread.shutdownNow();
        ZooKeeperClients.close(client);
    }

    private static ScheduledThreadPoolExecutor thread() {
        // Requests after the shutdown are dropped without an exception.
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
