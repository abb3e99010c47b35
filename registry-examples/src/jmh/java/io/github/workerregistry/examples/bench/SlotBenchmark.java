package io.github.workerregistry.examples.bench;

import java.util.Arrays;
import java.util.Collections;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.AuxCounters;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.Blackhole;
import org.openjdk.jmh.infra.ThreadParams;

/**
 * Acquires a free worker by its model and releases it: the same work for this library, three pools and the design of
 * the specification.
 *
 * <p>Measures the time until the caller has acquired and released a worker. A caller that finds none free tries again,
 * with any subject: after a spin, and occasionally after a {@link Thread#yield}, because with fewer cores than threads
 * it could otherwise block the holder of the slot. Misses are counted separately. A subject that runs out of memory has
 * no result.
 *
 * <p>The pages of the heap are touched before; otherwise the first gigabyte would measure the kernel.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(
        value = 1,
        jvmArgsAppend = {"-Xms2g", "-Xmx2g", "-XX:+AlwaysPreTouch", "-XX:+ExitOnOutOfMemoryError"})
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class SlotBenchmark {

    private static final int SPINS = 32;

    /** The subject. */
    @Param
    public Subject.Name subject;

    /** Number of workers. */
    @Param({"10", "1000", "100000"})
    public int workers;

    /** Which slots are free. */
    @Param
    public Workload.Free free;

    /** Number of models. */
    @Param({"1", "1000"})
    public int models;

    private Workload workload;
    private Subject filled;

    /** Fills the subject. */
    @Setup
    public void fill() throws Exception {
        workload = new Workload(workers, free, models);
        filled = subject.fill(workload);
    }

    /**
     * One thread. It requests one model after the other, in its own order: threads with the same order would soon run
     * in lockstep, at the pace of the slowest.
     */
    @State(Scope.Thread)
    public static class Caller {
        private String[] models;
        private int next;
        private Subject.Taker taker;

        /** Sets the start position of this thread. */
        @Setup
        public void arrive(SlotBenchmark benchmark, ThreadParams threads) {
            models = benchmark.workload.modelsWithFreeSlots();
            Collections.shuffle(Arrays.asList(models), new Random(threads.getThreadIndex()));
            taker = benchmark.filled.taker();
        }

        private String nextModel() {
            String model = models[next];
            next = next + 1 == models.length ? 0 : next + 1;
            return model;
        }
    }

    /** Counts how often no worker was free. */
    @AuxCounters(AuxCounters.Type.EVENTS)
    @State(Scope.Thread)
    public static class Misses {
        /** The count. */
        public long misses;
    }

    /** Repeats until it succeeds once. */
    @Benchmark
    @SuppressWarnings("ThreadPriorityCheck")
    public void takeAndGive(Caller caller, Misses misses, Blackhole hole) throws InterruptedException {
        String model = caller.nextModel();
        while (!caller.taker.takeAndGive(model, hole)) {
            if (++misses.misses % SPINS == 0) {
                Thread.yield();
            } else {
                Thread.onSpinWait();
            }
        }
    }
}
