package io.github.workerregistry.examples.queen;

import java.util.Random;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

/** A hive that consists only of its snapshots. It stores only a counter: its workers are generated each time. */
final class SimulatedHive {

    private static final int SLOTS = 4;
    private static final int FIRST_PORT = 8100;

    private final int number;
    private final int workers;
    private final int models;
    private final HiveNode node;
    private long incarnation;
    private final AtomicLong revision = new AtomicLong();

    SimulatedHive(int number, int workers, int models, HiveNode node) {
        this.number = number;
        this.workers = workers;
        this.models = models;
        this.node = node;
    }

    static String name(int number) {
        return "box-" + number;
    }

    static String model(int number) {
        return "hf:TheBloke/Model-" + number + "-GGUF";
    }

    String name() {
        return name(number);
    }

    void claim() throws Exception {
        incarnation = node.claim();
    }

    /** For a hive that is never written. */
    void pretend() {
        incarnation = 1;
    }

    long revision() {
        return revision.get();
    }

    /** The next snapshot: the same workers, with one free slot more or less. */
    HiveSnapshot next() {
        long next = revision.incrementAndGet();
        Random random = new Random(number); // the same ids each time
        return new HiveSnapshot(
                name(),
                "http://10.0." + number / 250 + "." + number % 250 + ":8081",
                incarnation,
                next,
                0,
                IntStream.range(0, workers)
                        .mapToObj(i -> worker(i, i == next % workers, random))
                        .toList());
    }

    private WorkerSnapshot worker(int index, boolean changed, Random random) {
        String id = new UUID(random.nextLong(), random.nextLong()).toString();
        int free = random.nextInt(SLOTS + 1);
        if (changed) {
            free = (free + 1) % (SLOTS + 1);
        }
        return new WorkerSnapshot(
                id,
                "http://127.0.0.1:" + (FIRST_PORT + index),
                model(index % models),
                "cuda",
                index % 8,
                free == SLOTS ? WorkerSnapshot.IDLE : WorkerSnapshot.BUSY,
                SLOTS,
                free,
                1);
    }

    void write(byte[] bytes) throws Exception {
        node.write(bytes);
    }
}
