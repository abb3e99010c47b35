package io.github.workerregistry.examples.queen;

import io.github.workerregistry.examples.TemporaryDirectory;
import java.io.IOException;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.ArrayList;
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
import org.apache.curator.framework.CuratorFramework;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/**
 * The capacity of one queen: simulated hives register their workers through a real ZooKeeper server in this JVM, and
 * the queen's mirror follows them. Prints measurements, and the calculated load on an ensemble.
 *
 * <p>Hives, ZooKeeper and queen share one machine, so the times are those of a loaded machine. The hives share a few
 * connections: a thousand sessions would need two thousand threads.
 */
@Command(
        name = "fleet-simulation",
        sortOptions = false,
        description = "Registers simulated hives through a real ZooKeeper and measures.%n",
        mixinStandardHelpOptions = true)
public final class FleetSimulation implements Callable<Integer> {

    private static final Duration SESSION = Duration.ofSeconds(60);

    private static final Duration LONGEST_SATURATION = Duration.ofSeconds(5);

    @Mixin
    private SimulationOptions options;

    private final PrintStream out;
    private final Fleet fleet = new Fleet(System::nanoTime);
    private final Contact contact = new Contact(System::nanoTime);
    private final Router router = new Router(fleet, contact);
    private final Map<String, Long> begun = new ConcurrentHashMap<>();
    private final ConcurrentLinkedQueue<Long> lags = new ConcurrentLinkedQueue<>();
    private final Map<String, Long> arrived = new ConcurrentHashMap<>();
    private final List<SimulatedHive> hives = new ArrayList<>();
    private final AtomicLong bytesWritten = new AtomicLong();
    private final AtomicLong writes = new AtomicLong();
    private TemporaryDirectory directory;
    private EmbeddedZooKeeper zooKeeper;

    FleetSimulation(PrintStream out) {
        this.out = out;
    }

    /**
     * Runs the simulation.
     *
     * @param args see {@code --help}
     */
    public static void main(String[] args) {
        FleetSimulation simulation = new FleetSimulation(System.out);
        // Removes ZooKeeper's data also after Ctrl-C.
        Runtime.getRuntime().addShutdownHook(new Thread(simulation::end, "simulation-end"));
        System.exit(new CommandLine(simulation).execute(args));
    }

    @Override
    public Integer call() throws Exception {
        say(
                "%,d hives of %,d workers and %d models each, over %d sessions; %,d changes a second for %,d ms;"
                        + " %d cores, heap %,d MB, JDK %s",
                options.hives(),
                options.workers(),
                options.models(),
                options.connections(),
                options.rate(),
                options.duration().toMillis(),
                Runtime.getRuntime().availableProcessors(),
                Runtime.getRuntime().maxMemory() >> 20,
                System.getProperty("java.version"));
        try {
            begin();
            simulate();
        } finally {
            end();
        }
        return 0;
    }

    /** A concurrent signal is handled afterwards, so that the directory is removed. */
    private synchronized void begin() throws IOException {
        directory = TemporaryDirectory.create("worker-registry-simulation-");
        zooKeeper = new EmbeddedZooKeeper(directory.path(), 0);
    }

    private synchronized void end() {
        try {
            if (zooKeeper != null) {
                zooKeeper.close();
            }
        } finally {
            if (directory != null) {
                directory.close();
            }
        }
    }

    private void simulate() throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(options.connections());
        List<CuratorFramework> clients = new ArrayList<>();
        try (CuratorFramework reader = ZooKeeperClients.reader(zooKeeper.servers(), SESSION);
                HiveMirror mirror = new HiveMirror(fleet, contact, this::taken)) {
            mirror.start(reader);
            for (int i = 0; i < options.connections(); i++) {
                clients.add(ZooKeeperClients.writer(zooKeeper.servers(), SESSION));
            }
            for (int i = 0; i < options.hives(); i++) {
                HiveNode node = new HiveNode(clients.get(i % options.connections()), SimulatedHive.name(i));
                hives.add(new SimulatedHive(i, options.workers(), options.models(), node));
            }
            register(threads);
            int bytes = snapshot();
            lookUp();
            change(threads);
            saturate(threads);
            new OnPaper(options.workers(), bytes, heap() / options.hives())
                    .lines()
                    .forEach(out::println);
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
                (long) options.hives() * options.workers(), took, options.hives() / took);
    }

    private int snapshot() {
        SimulatedHive hive = new SimulatedHive(options.hives(), options.workers(), options.models(), null);
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
                json.length,
                bytes.length,
                bytes.length / (double) options.workers(),
                encode,
                secondsSince(start) * 1e3 / rounds);
        return bytes.length;
    }

    private void lookUp() {
        int looks = 20_000;
        for (int round = 0; round < 2; round++) { // the first one is the warm-up
            long anywhere = time(looks, i -> router.best(SimulatedHive.model(i % options.models()), Optional.empty()));
            long onNode = time(
                    looks,
                    i -> router.best(
                            SimulatedHive.model(i % options.models()),
                            Optional.of(SimulatedHive.name(i % options.hives()))));
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
        long gap = TimeUnit.SECONDS.toNanos(options.connections()) / options.rate();
        long each = Math.max(1, options.duration().toNanos() / gap);
        onEach(threads, (thread, mine) -> {
            for (long i = 0; i < each; i++) {
                LockSupport.parkNanos(start + i * gap + thread * gap / options.connections() - System.nanoTime());
                write(mine.get((int) (i % mine.size())));
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

    /** At the maximum rate, for a few seconds. */
    private void saturate(ExecutorService threads) throws Exception {
        long written = writes.get();
        long bytes = bytesWritten.get();
        long most = Math.min(LONGEST_SATURATION.toNanos(), options.duration().toNanos());
        long start = System.nanoTime();
        onEach(threads, (thread, mine) -> {
            for (int i = 0; System.nanoTime() - start < most; i++) {
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
        for (int i = 0; i < options.hives(); i++) {
            fleet.drop(SimulatedHive.name(i));
        }
        long mirrored = Math.max(0, with - used()); // for a small fleet it is below the noise
        say(
                "heap: %,d MB for what the queen knows, %d bytes a worker, with its strings",
                mirrored >> 20, mirrored / options.hives() / options.workers());
        return mirrored;
    }

    private interface Work {
        void on(int thread, List<SimulatedHive> mine) throws Exception;
    }

    /** Each session has one thread, and each hive uses one session. */
    private void onEach(ExecutorService threads, Work work) throws Exception {
        List<Future<?>> running = new ArrayList<>();
        for (int t = 0; t < options.connections(); t++) {
            int thread = t;
            List<SimulatedHive> mine = new ArrayList<>();
            for (int i = t; i < options.hives(); i += options.connections()) {
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
        arrived.put(snapshot.node(), snapshot.revision());
    }

    private static String key(HiveSnapshot snapshot) {
        return snapshot.node() + "/" + snapshot.revision();
    }

    /** A snapshot that is replaced before the mirror reads it is never received. */
    private void awaitMirror() throws InterruptedException {
        for (SimulatedHive hive : hives) {
            while (arrived.getOrDefault(hive.name(), 0L) < hive.revision()) {
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
    private void say(String format, Object... values) {
        out.println(String.format(Locale.ROOT, format, values));
    }
}
