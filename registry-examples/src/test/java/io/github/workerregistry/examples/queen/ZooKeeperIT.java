package io.github.workerregistry.examples.queen;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.examples.ExpectWarnings;
import io.github.workerregistry.examples.hive.FreePorts;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.zookeeper.CreateMode;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hives and the queen's mirror over a real ZooKeeper server, in this JVM. */
@ExpectWarnings({
    "does not answer; the hive runs without it",
    "the connection to ZooKeeper is",
    "cannot write the workers of node",
    "is not listed: its node holds",
    "holds an older snapshot",
    "the node idle of this hive was changed"
})
class ZooKeeperIT {

    private static final Duration SESSION = Duration.ofSeconds(2);
    private static final Duration INTERVAL = Duration.ofMillis(200);

    private final Deque<AutoCloseable> open = new ArrayDeque<>();
    private final Fleet fleet = new Fleet(System::nanoTime);
    private final Contact contact = new Contact(System::nanoTime);
    private final ConcurrentLinkedQueue<HiveSnapshot> seen = new ConcurrentLinkedQueue<>();

    @TempDir
    private Path data;

    private EmbeddedZooKeeper zooKeeper;
    private String servers;
    private CuratorFramework reader;
    private HiveMirror mirror;

    @BeforeEach
    void start() throws IOException {
        zooKeeper = new EmbeddedZooKeeper(data, FreePorts.one());
        servers = zooKeeper.servers();
        open.push(() -> zooKeeper.close());
        reader = ZooKeeperClients.reader(servers, SESSION);
        open.push(reader);
        mirror = new HiveMirror(fleet, contact, seen::add);
        mirror.start(reader);
        open.push(mirror);
    }

    @AfterEach
    void end() throws Exception {
        while (!open.isEmpty()) {
            open.pop().close();
        }
    }

    @Test
    void queenMirrorsTheWorkersOfEachHiveAndTheirChanges() throws Exception {
        WorkerRegistry one = hive("one", worker("w1", 1));
        WorkerRegistry two = hive("two", worker("w2", 4));
        soon().untilAsserted(() -> assertThat(fleet.ofModel("m")).hasSize(2));

        SlotLease lease = two.tryAcquire("m").orElseThrow(); // which causes no event
        soon().untilAsserted(() -> assertThat(best("two").slotsAvailable()).isEqualTo(3));
        lease.close();
        soon().untilAsserted(() -> assertThat(best("two").slotsAvailable()).isEqualTo(4));
        one.remove("w1");
        soon().untilAsserted(() ->
                assertThat(fleet.ofModel("m")).extracting(ModelView::node).containsExactly("two"));
        assertThat(fleet.hive("one")).as("it is listed, without workers").isPresent();
    }

    @Test
    void closedHiveIsRemovedAtOnce() throws Exception {
        try (HivePublisher publisher = join("brief", Duration.ofMinutes(5))) {
            publisher.publish(WorkerRegistry.create());
            soon().until(() -> fleet.hive("brief").isPresent());
        }

        soon().until(() -> fleet.hive("brief").isEmpty());
    }

    @Test
    void changesAreCombinedIntoFewWritesAndTheLastStateArrives() throws Exception {
        WorkerRegistry registry = hive("busy", worker("w1", 1));
        soon().until(() -> fleet.hive("busy").isPresent());
        long begin = System.nanoTime();

        while (System.nanoTime() - begin < 5 * INTERVAL.toNanos()) {
            registry.tryAcquire("m").orElseThrow().close();
            registry.incrementFailedHealthChecks("w1"); // an event each
        }
        assertThat(registry.tryAcquire("m")).isPresent();
        soon().untilAsserted(() -> assertThat(best("busy").slotsAvailable()).isZero());

        long intervals = (System.nanoTime() - begin) / INTERVAL.toNanos();
        assertThat(seen.stream()
                        .filter(snapshot -> snapshot.node().equals("busy"))
                        .count())
                .isLessThanOrEqualTo(intervals + 3);
        assertThat(seen.stream()
                        .filter(snapshot -> snapshot.node().equals("busy"))
                        .mapToLong(HiveSnapshot::revision))
                .isSorted()
                .doesNotHaveDuplicates();
    }

    @Test
    void secondHiveWithTheSameNameIsRejectedAndTheFirstIsUnchanged() throws Exception {
        WorkerRegistry first = hive("taken", worker("w1", 1));
        soon().until(() -> fleet.hive("taken").isPresent());
        ScheduledExecutorService life = Executors.newSingleThreadScheduledExecutor();
        open.push(life::shutdownNow);
        life.scheduleWithFixedDelay(() -> first.incrementFailedHealthChecks("w1"), 0, 10, TimeUnit.MILLISECONDS);

        assertThatThrownBy(() -> join("taken", SESSION))
                .isInstanceOf(NodeTakenException.class)
                .hasMessageContaining("'taken'")
                .hasMessageContaining("http://127.0.0.1:9")
                .hasMessageContaining("--node");
        assertThat(best("taken").id()).isEqualTo("w1");
    }

    @Test
    void successorOfAKilledHiveHasAGreaterIncarnation() throws Exception {
        CuratorFramework killed = ZooKeeperClients.writer(servers, SESSION);
        HiveNode node = new HiveNode(killed, "again");
        long before = node.claim();
        node.write(SnapshotCodec.encode(Snapshots.snapshot("again", before, 900, Snapshots.idle("w1"))));
        soon().until(() -> fleet.hive("again").isPresent());
        abandonSession(killed);

        WorkerRegistry registry = hive("again", worker("w2", 1)); // waits until the session expires

        soon().untilAsserted(() -> assertThat(best("again").id()).isEqualTo("w2"));
        HiveSnapshot after = fleet.hive("again").orElseThrow().snapshot();
        assertThat(after.incarnation()).isGreaterThan(before);
        assertThat(after.revision()).isLessThan(900);
        assertThat(registry.list()).hasSize(1);
        killed.close();
    }

    @Test
    void malformedSnapshotIsNotListedAndAffectsNoOtherHive() throws Exception {
        hive("good", worker("w1", 1));
        CuratorFramework external = ZooKeeperClients.writer(servers, SESSION);
        open.push(external);
        for (String bad : List.of("", "garbage", "{\"version\":2}", "{\"version\":1}")) {
            HiveNode node = new HiveNode(external, "bad" + bad.length());
            node.claim();
            node.write(bad.getBytes(StandardCharsets.UTF_8));
        }
        HiveNode otherNode = new HiveNode(external, "otherNode");
        otherNode.claim();
        HiveNode otherUrl = new HiveNode(external, "otherUrl");
        otherUrl.claim();
        otherUrl.write("{\"version\":1,\"node\":\"x\\nWARN forged\"}".getBytes(StandardCharsets.UTF_8));
        otherNode.write(SnapshotCodec.encode(Snapshots.snapshot("good", 99, 99)));
        HiveNode last = new HiveNode(external, "last");
        last.claim();
        last.write(SnapshotCodec.encode(Snapshots.snapshot("last", 1, 1)));

        soon().until(() -> fleet.hive("last").isPresent() && fleet.hive("good").isPresent());
        assertThat(fleet.hives()).hasSize(2);
        assertThat(best("good").id()).isEqualTo("w1");
    }

    @Test
    void hiveNeverWritesTheNodeOfAnother() throws Exception {
        CuratorFramework one = ZooKeeperClients.writer(servers, SESSION);
        CuratorFramework two = ZooKeeperClients.writer(servers, SESSION);
        open.push(one);
        open.push(two);
        HiveNode owner = new HiveNode(one, "mine");
        HiveNode other = new HiveNode(two, "mine");
        owner.claim();
        owner.write(new byte[] {1});

        assertThatThrownBy(other::claim).isInstanceOf(NodeTakenException.class);
        assertThatThrownBy(() -> other.write(new byte[] {2})).isInstanceOf(NodeTakenException.class);
        one.delete().forPath(NodeName.path("mine")); // as an operator might do
        owner.write(new byte[] {3});

        assertThat(two.getData().forPath(NodeName.path("mine"))).containsExactly(3);
        assertThatThrownBy(() -> other.write(new byte[] {2})).isInstanceOf(NodeTakenException.class);
    }

    /** Regression: it stayed so until the next change in the hive, which may never come. */
    @Test
    void idleHiveRestoresItsNodeAfterAnExternalWriteOrRemoval() throws Exception {
        WorkerRegistry registry = WorkerRegistry.create();
        HivePublisher publisher =
                HivePublisher.join(servers, "idle", "http://127.0.0.1:9", SESSION, Duration.ofMillis(20));
        open.push(publisher);
        publisher.publish(registry);
        soon().until(() -> fleet.hive("idle").isPresent());
        CuratorFramework external = ZooKeeperClients.writer(servers, SESSION);
        open.push(external);
        long before = revision("idle");

        external.setData().forPath(NodeName.path("idle"), "garbage".getBytes(StandardCharsets.UTF_8));
        soon().until(() -> revision("idle") > before);
        long again = revision("idle");
        external.delete().forPath(NodeName.path("idle"));

        soon().until(() -> revision("idle") > again);
    }

    private long revision(String node) {
        return fleet.hive(node).orElseThrow().snapshot().revision();
    }

    /** ZooKeeper reports this as a removal and a creation. */
    @Test
    void hiveThatReconnectsWithANewSessionIsNeverMissing() throws Exception {
        CuratorFramework client = ZooKeeperClients.writer(servers, Duration.ofMinutes(1));
        open.push(client);
        HiveNode node = new HiveNode(client, "back");
        node.claim();
        node.write(SnapshotCodec.encode(Snapshots.snapshot("back", 1, 1)));
        soon().until(() -> fleet.hive("back").isPresent());
        AtomicBoolean missing = new AtomicBoolean();
        ScheduledExecutorService looks = Executors.newSingleThreadScheduledExecutor();
        open.push(looks::shutdownNow);
        looks.scheduleWithFixedDelay(
                () -> missing.compareAndSet(false, fleet.hive("back").isEmpty()), 0, 50, TimeUnit.MICROSECONDS);

        for (int revision = 2; revision <= 6; revision++) {
            byte[] snapshot = SnapshotCodec.encode(Snapshots.snapshot("back", 1, revision));
            int expected = revision;
            abandonSession(client);
            soon().until(() -> {
                node.write(snapshot);
                return true;
            });
            soon().until(() -> fleet.hive("back").orElseThrow().snapshot().revision() == expected);
        }

        assertThat(missing).isFalse();
    }

    /**
     * Regression: if both events came together, the queen ignored the hive for ever, because it continues its lower
     * numbering.
     */
    @Test
    void hiveThatRegainsItsNameIsListed() throws Exception {
        CuratorFramework client = ZooKeeperClients.writer(servers, SESSION);
        open.push(client);
        HiveNode other = new HiveNode(client, "name");
        other.claim();
        other.write(SnapshotCodec.encode(Snapshots.snapshot("name", 9, 9, Snapshots.idle("other's"))));
        soon().until(() -> fleet.hive("name").isPresent());

        replace(client, "name", SnapshotCodec.encode(Snapshots.snapshot("name", 5, 5, Snapshots.idle("w"))));

        soon().untilAsserted(() -> assertThat(best("name").id()).isEqualTo("w"));
    }

    private static void replace(CuratorFramework client, String node, byte[] data) throws Exception {
        String path = NodeName.path(node);
        assertThat(client.transaction()
                        .forOperations(
                                client.transactionOp().delete().forPath(path),
                                client.transactionOp()
                                        .create()
                                        .withMode(CreateMode.EPHEMERAL)
                                        .forPath(path, data)))
                .hasSize(2);
    }

    /** Regression: it was not dropped, because the second removal was that of a node that had never been read. */
    @Test
    void hiveThatReconnectsAndClosesBeforeItIsReadIsRemoved() throws Exception {
        CuratorFramework client = ZooKeeperClients.writer(servers, SESSION);
        open.push(client);
        HiveNode node = new HiveNode(client, "brief");
        node.claim();
        node.write(SnapshotCodec.encode(Snapshots.snapshot("brief", 1, 1)));
        soon().until(() -> fleet.hive("brief").isPresent());

        assertThat(mirror.remove(NodeName.path("brief"))).isPresent(); // as the cache does; another node exists
        assertThat(reader.checkExists().forPath(NodeName.path("brief"))).isNotNull(); // the mirror has read that too
        client.delete().forPath(NodeName.path("brief"));

        soon().until(() -> fleet.hive("brief").isEmpty());
    }

    /** Regression: it delayed the shutdown of the hive and its workers for up to the session timeout. */
    @Test
    void hiveClosesInTimeWhileZooKeeperIsFrozen() throws Exception {
        try (Wire wire = new Wire(zooKeeper.port())) {
            HivePublisher publisher =
                    HivePublisher.join(wire.servers(), "frozen", "http://127.0.0.1:9", Duration.ofMinutes(1), INTERVAL);
            publisher.publish(WorkerRegistry.create());
            soon().until(() -> fleet.hive("frozen").isPresent());
            wire.freeze();

            assertThat(CompletableFuture.runAsync(publisher::close)).succeedsWithin(Duration.ofSeconds(10));
        }
    }

    /** For longer than the session timeout; the queen keeps answering. */
    @Test
    void hivesReconnectAfterAnOutageOfZooKeeper() throws Exception {
        WorkerRegistry one = hive("one", worker("w1", 1));
        hive("two", worker("w2", 1));
        soon().until(() -> fleet.ofModel("m").size() == 2);
        HiveSnapshot before = fleet.hive("one").orElseThrow().snapshot();
        CuratorFramework witness = ZooKeeperClients.reader(servers, SESSION);
        open.push(witness);
        CountDownLatch lost = new CountDownLatch(1);
        witness.blockUntilConnected();
        witness.getConnectionStateListenable().addListener((client, state) -> {
            if (state == ConnectionState.LOST) {
                lost.countDown();
            }
        });

        int port = zooKeeper.port();
        zooKeeper.close();
        soon().until(() -> !contact.hasZooKeeper());
        assertThat(fleet.ofModel("m")).hasSize(2);
        assertThat(contact.with("one")).isEqualTo(Contact.Trouble.ZOOKEEPER);
        assertThat(one.tryAcquire("m")).isPresent();
        assertThat(lost.await(30, TimeUnit.SECONDS)).as("sessions expire").isTrue();
        assertThat(fleet.ofModel("m")).as("nothing is dropped").hasSize(2);
        assertThat(one.list()).as("nothing is killed").hasSize(1);
        zooKeeper = new EmbeddedZooKeeper(data, port);

        soon().untilAsserted(() -> {
            assertThat(contact.with("one")).isEqualTo(Contact.Trouble.NONE);
            assertThat(best("one").slotsAvailable())
                    .as("changes during the outage are known")
                    .isZero();
            assertThat(fleet.ofModel("m")).hasSize(2);
        });
        HiveSnapshot after = fleet.hive("one").orElseThrow().snapshot();
        assertThat(after.incarnation()).isEqualTo(before.incarnation());
        assertThat(after.revision()).isGreaterThan(before.revision());
    }

    /**
     * Its transactions restart below those that its clients have seen; it rejects them until they start new sessions.
     */
    @Test
    void hivesAndQueenReconnectToAnEmptyZooKeeper(@TempDir Path other) throws Exception {
        WorkerRegistry one = hive("one", worker("w1", 1));
        soon().until(() -> fleet.hive("one").isPresent());

        int port = zooKeeper.port();
        zooKeeper.close();
        zooKeeper = new EmbeddedZooKeeper(other, port);

        assertThat(one.tryAcquire("m")).isPresent();
        soon().untilAsserted(() -> {
            assertThat(contact.hasZooKeeper()).isTrue();
            assertThat(best("one").slotsAvailable()).isZero();
        });
    }

    @Test
    void hiveThatStartsWithoutZooKeeperJoinsLater() throws Exception {
        int port = zooKeeper.port();
        zooKeeper.close();
        soon().until(() -> !contact.hasZooKeeper());
        WorkerRegistry registry = hive("early", worker("w1", 1));
        assertThat(registry.list()).hasSize(1);

        zooKeeper = new EmbeddedZooKeeper(data, port);

        soon().untilAsserted(() -> assertThat(best("early").id()).isEqualTo("w1"));
    }

    private HivePublisher join(String node, Duration session) throws Exception {
        return HivePublisher.join(servers, node, "http://127.0.0.1:9", session, INTERVAL);
    }

    private WorkerRegistry hive(String node, WorkerInfo worker) throws Exception {
        WorkerRegistry registry = WorkerRegistry.builder().node(node).build();
        registry.register(worker);
        HivePublisher publisher = join(node, SESSION);
        open.push(publisher);
        publisher.publish(registry);
        return registry;
    }

    /**
     * As if its process had been killed: the client sends nothing more to ZooKeeper. On the client's event thread;
     * otherwise it might still close the session.
     */
    private static void abandonSession(CuratorFramework client) throws Exception {
        CountDownLatch left = new CountDownLatch(1);
        client.checkExists()
                .inBackground((same, answer) -> {
                    same.getZookeeperClient().getZooKeeper().getTestable().injectSessionExpiration();
                    left.countDown();
                })
                .forPath("/");
        assertThat(left.await(30, TimeUnit.SECONDS)).isTrue();
    }

    private WorkerSnapshot best(String node) {
        return fleet.ofModel("m").stream()
                .filter(view -> view.node().equals(node))
                .findFirst()
                .orElseThrow()
                .best();
    }

    private static WorkerInfo worker(String id, int slots) {
        return WorkerInfo.builder()
                .id(id)
                .url("http://127.0.0.1:8100")
                .modelRef("m")
                .slotsTotal(slots)
                .state(new Idle())
                .build();
    }

    private static ConditionFactory soon() {
        return await().atMost(Duration.ofSeconds(30))
                .pollInterval(Duration.ofMillis(20))
                .ignoreExceptions();
    }
}
