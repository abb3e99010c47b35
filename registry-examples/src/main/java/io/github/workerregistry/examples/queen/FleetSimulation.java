package io.github.workerregistry.examples.queen;

import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.curator.framework.CuratorFramework;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * How far one queen goes: simulated hives register their workers through a real ZooKeeper server in this JVM, and the
 * queen's own mirror follows them. Prints what it measures, and what an ensemble would have to carry, with the
 * arithmetic.
 *
 * <p>The hives, ZooKeeper and the queen share one machine here, so the times are those of a crowded machine. The hives
 * share a few connections too: a thousand sessions would be two thousand threads.
 */
@Command(
        name = "fleet-simulation",
        sortOptions = false,
        description = "Registers simulated hives through a real ZooKeeper and measures.%n",
        mixinStandardHelpOptions = true)
public final class FleetSimulation implements Callable<Integer> {

    private static final Duration SESSION = Duration.ofSeconds(60);

    @Option(names = "--hives", defaultValue = "1000", description = "How many hives (default: ${DEFAULT-VALUE}).")
    private int hiveCount;

    @Option(names = "--workers", defaultValue = "1000", description = "Workers of each (default: ${DEFAULT-VALUE}).")
    private int workers;

    @Option(names = "--models", defaultValue = "20", description = "Models of each (default: ${DEFAULT-VALUE}).")
    private int models;

    @Option(names = "--rate", defaultValue = "50", description = "Changes a second (default: ${DEFAULT-VALUE}).")
    private int rate;

    @Option(names = "--seconds", defaultValue = "20", description = "For how long (default: ${DEFAULT-VALUE}).")
    private int seconds;

    @Option(
            names = "--connections",
            defaultValue = "4",
            description = "Sessions that the hives share (default: ${DEFAULT-VALUE}).")
    private int connections;

    private final Fleet fleet = new Fleet(System::nanoTime);
    private final Contact contact = new Contact(System::nanoTime);
    private final Router router = new Router(fleet, contact);
    private final Map<String, Long> begun = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<Long> lags = new ConcurrentLinkedQueue<>();
    private final List<SimulatedHive> hives = new ArrayList<>();
    private final AtomicLong bytesWritten = new AtomicLong();
    private final AtomicLong writes = new AtomicLong();

    private FleetSimulation() {}

    /**
     * Runs the simulation.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        System.exit(new CommandLine(new FleetSimulation()).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        Path directory = Files.createTempDirectory("worker-registry-simulation-");
        try (EmbeddedZooKeeper zooKeeper = new EmbeddedZooKeeper(directory, 0)) {
            simulate(zooKeeper);
        } finally {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(file);
                }
            }
        }
        return 0;
    }

    private void simulate(EmbeddedZooKeeper zooKeeper) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(connections);
        List<CuratorFramework> clients = new ArrayList<>();
        try (CuratorFramework reader = ZooKeeperClients.reader(zooKeeper.servers(), SESSION);
                HiveMirror mirror = new HiveMirror(fleet, contact, this::taken)) {
            mirror.start(reader);
            for (int i = 0; i < connections; i++) {
                clients.add(ZooKeeperClients.writer(zooKeeper.servers(), SESSION));
            }
            for (int i = 0; i < hiveCount; i++) {
                HiveNode node = new HiveNode(clients.get(i % connections), SimulatedHive.name(i));
                hives.add(new SimulatedHive(i, workers, models, node));
            }
            say(
                    "%,d hives of %,d workers and %d models each, over %d sessions; %d cores, heap %,d MB, JDK %s",
                    hiveCount,
                    workers,
                    models,
                    connections,
                    Runtime.getRuntime().availableProcessors(),
                    Runtime.getRuntime().maxMemory() >> 20,
                    System.getProperty("java.version"));
            register(threads);
            int bytes = snapshot();
            lookUp();
            change(threads);
            saturate(threads);
            long heap = heap();
            paper(bytes, heap);
        } finally {
            threads.shutdownNow();
            clients.forEach(CuratorFramework::close);
        }
    }

    private void register(ExecutorService threads) throws Exception {
        long start = System.nanoTime();
        onEach(threads, (thread, mine) -> {
            for (SimulatedHive hive : mine) {
                hive.claim();
                write(hive);
            }
        });
        awaitMirror();
        double took = secondsSince(start);
        say(
                "registered: all %,d workers in the mirror after %.1f s (%.0f hives a second)",
                (long) hiveCount * workers, took, hiveCount / took);
    }

    private int snapshot() {
        SimulatedHive hive = new SimulatedHive(hiveCount, workers, models, null);
        hive.pretend();
        HiveSnapshot snapshot = hive.next();
        byte[] json = SnapshotCodec.json(snapshot);
        byte[] bytes = SnapshotCodec.encode(snapshot);
        int rounds = 200;
        long start = System.nanoTime();
        for (int i = 0; i < rounds; i++) {
            SnapshotCodec.encode(snapshot);
        }
        double encode = secondsSince(start) * 1e3 / rounds;
        start = System.nanoTime();
        for (int i = 0; i < rounds; i++) {
            SnapshotCodec.decode(bytes);
        }
        say(
                "a snapshot: %,d bytes as JSON, %,d as written (%.0f a worker); %.1f ms to write, %.1f ms to read",
                json.length, bytes.length, bytes.length / (double) workers, encode, secondsSince(start) * 1e3 / rounds);
        return bytes.length;
    }

    private void lookUp() {
        int looks = 20_000;
        for (int round = 0; round < 2; round++) { // the first one warms up
            long anywhere = time(looks, i -> router.best(SimulatedHive.model(i % models), Optional.empty()));
            long onNode = time(
                    looks,
                    i -> router.best(SimulatedHive.model(i % models), Optional.of(SimulatedHive.name(i % hiveCount))));
            if (round == 1) {
                say(
                        "a route: %,d ns, the best of %,d hives that have the model; %,d ns on one node",
                        anywhere / looks, fleet.ofModel(SimulatedHive.model(0)).size(), onNode / looks);
            }
        }
    }

    private interface Look {
        Optional<ModelView> at(int i);
    }

    private static long time(int looks, Look look) {
        int found = 0;
        long start = System.nanoTime();
        for (int i = 0; i < looks; i++) {
            found += look.at(i).isPresent() ? 1 : 0;
        }
        long took = System.nanoTime() - start;
        if (found != looks) {
            throw new IllegalStateException("a model was not found");
        }
        return took;
    }

    private void change(ExecutorService threads) throws Exception {
        lags.clear();
        long start = System.nanoTime();
        long gap = TimeUnit.SECONDS.toNanos(connections) / rate;
        int each = rate * seconds / connections;
        onEach(threads, (thread, mine) -> {
            for (int i = 0; i < each; i++) {
                LockSupport.parkNanos(start + i * gap + thread * gap / connections - System.nanoTime());
                write(mine.get(i % mine.size()));
            }
        });
        double took = secondsSince(start);
        awaitMirror();
        long[] sorted = lags.stream().mapToLong(Long::longValue).sorted().toArray();
        say(
                "mirror lag at %.0f changes a second, from the change to the queen's answer: median %.1f ms, p99 %.1f ms,"
                        + " worst %.1f ms, of %,d",
                sorted.length / took,
                sorted[sorted.length / 2] / 1e6,
                sorted[(int) (sorted.length * 0.99)] / 1e6,
                sorted[sorted.length - 1] / 1e6,
                sorted.length);
        say(
                "    a hive adds up to %d ms, since it writes at most once in that time",
                HivePublisher.DEFAULT_INTERVAL.toMillis());
    }

    /** As fast as it goes, for five seconds at most. */
    private void saturate(ExecutorService threads) throws Exception {
        long written = writes.get();
        long bytes = bytesWritten.get();
        long start = System.nanoTime();
        onEach(threads, (thread, mine) -> {
            for (int i = 0; secondsSince(start) < Math.min(5, seconds); i++) {
                write(mine.get(i % mine.size()));
            }
        });
        awaitMirror();
        double took = secondsSince(start);
        say(
                "as fast as it goes: %.0f writes a second, %.1f MB/s, until the mirror has the last; with hives, ZooKeeper"
                        + " and queen on these cores",
                (writes.get() - written) / took, (bytesWritten.get() - bytes) / took / 1e6);
    }

    private long heap() throws InterruptedException {
        long with = used();
        for (int i = 0; i < hiveCount; i++) {
            fleet.drop(SimulatedHive.name(i));
        }
        long mirrored = with - used();
        say(
                "heap: %,d MB for what the queen knows, %d bytes a worker, with its strings",
                mirrored >> 20, mirrored / hiveCount / workers);
        return mirrored;
    }

    private void paper(int bytes, long heap) {
        int fleetSize = 10_000;
        double interval = HivePublisher.DEFAULT_INTERVAL.toMillis() / 1e3;
        double most = fleetSize / interval;
        double leader = 1.25e9 / 4; // 10 Gbit/s, to four followers
        double carried = Math.min(18_000, leader / bytes);
        say("on paper, %,d hives of %,d workers:", fleetSize, workers);
        say(
                "    all change all the time: %,d hives / %.1f s = %,.0f writes a second, x %,d bytes = %,.0f MB/s",
                fleetSize, interval, most, bytes, most * bytes / 1e6);
        say("    five servers carry 18,000 writes a second of 1 kB (Hunt et al., ZooKeeper, USENIX ATC 2010, table 1)");
        say(
                "    a leader with 10 Gbit/s sends each write to 4 followers: 1,250 MB/s / 4 / %,d bytes = %,.0f writes a"
                        + " second",
                bytes, leader / bytes);
        say(
                "    the lesser of the two, %,.0f a second, is a write of each hive every %.1f s: --publish-interval %dms",
                carried, fleetSize / carried, (int) Math.ceil(fleetSize / carried * 10) * 100);
        say(
                "    each queen reads, and each server logs, what is written: %,.0f MB/s at that rate",
                carried * bytes / 1e6);
        say(
                "    hives of which one in %.0f changes at a time fit with the default of %d ms",
                most / carried, HivePublisher.DEFAULT_INTERVAL.toMillis());
        double looks = fleetSize / (HivePublisher.INTERVALS_PER_LOOK * interval);
        say(
                "    each looks at its node every %.0f s: %,.0f reads a second of some 100 bytes, of the 165,000 that five"
                        + " servers answer (same table); to write it anew instead would be %,.0f MB/s",
                HivePublisher.INTERVALS_PER_LOOK * interval, looks, looks * bytes / 1e6);
        say(
                "    in the memory of each server: %,d x %,d bytes = %,d MB; of each queen: %,d MB",
                fleetSize, bytes, (long) fleetSize * bytes / 1_000_000, (heap / hiveCount * fleetSize) >> 20);
        say(
                "    sessions: %,d, each with a ping every third of 10 s: %,.0f a second",
                fleetSize, fleetSize / (10 / 3.0));
    }

    private interface Work {
        void on(int thread, List<SimulatedHive> mine) throws Exception;
    }

    /** Every session has a thread, and every hive one session. */
    private void onEach(ExecutorService threads, Work work) throws Exception {
        List<Future<?>> running = new ArrayList<>();
        for (int t = 0; t < connections; t++) {
            int thread = t;
            List<SimulatedHive> mine = new ArrayList<>();
            for (int i = t; i < hiveCount; i += connections) {
                mine.add(hives.get(i));
            }
            running.add(threads.submit(() -> {
                work.on(thread, mine);
                return null;
            }));
        }
        for (Future<?> each : running) {
            each.get();
        }
    }

    private void write(SimulatedHive hive) throws Exception {
        long start = System.nanoTime();
        HiveSnapshot snapshot = hive.next();
        begun.put(key(snapshot), start);
        byte[] bytes = SnapshotCodec.encode(snapshot);
        hive.write(bytes);
        writes.incrementAndGet();
        bytesWritten.addAndGet(bytes.length);
    }

    private void taken(HiveSnapshot snapshot) {
        Long start = begun.remove(key(snapshot));
        if (start != null) {
            lags.add(System.nanoTime() - start);
        }
    }

    private static String key(HiveSnapshot snapshot) {
        return snapshot.node() + "/" + snapshot.revision();
    }

    /** A snapshot that was replaced before the mirror read it never comes. */
    private void awaitMirror() throws InterruptedException {
        for (SimulatedHive hive : hives) {
            while (fleet.hive(hive.name())
                    .filter(view -> view.snapshot().revision() >= hive.revision())
                    .isEmpty()) {
                TimeUnit.MILLISECONDS.sleep(1);
            }
        }
        begun.clear();
    }

    private static double secondsSince(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    private static long used() throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            System.gc();
            TimeUnit.MILLISECONDS.sleep(50);
        }
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    @SuppressWarnings("AnnotateFormatMethod") // the annotation is not on this program's class path
    private static void say(String format, Object... values) {
        System.out.println(String.format(Locale.ROOT, format, values));
    }
}
