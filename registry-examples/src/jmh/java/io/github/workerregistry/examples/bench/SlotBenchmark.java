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
 * Finds a free worker by its model, takes it and gives it back: the same work for this library, for three pools and for
 * the specification's own design.
 *
 * <p>What is measured is the time until the caller has had a worker. So one that finds none free tries again, whoever
 * the subject is: after a spin, and now and then after a {@link Thread#yield}, or on a machine with fewer processors
 * than threads it would only keep the one from running who could give the slot back. How often none was free is counted
 * beside. A subject that runs out of memory on the way has no result.
 *
 * <p>The heap's pages are touched before, or the first gigabyte that is allocated would measure the kernel.
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

    /** Who is measured. */
    @Param
    public Subject.Name subject;

    /** How many workers there are. */
    @Param({"10", "1000", "100000"})
    public int workers;

    /** Which of their slots are free. */
    @Param
    public Workload.Free free;

    /** How many models they serve. */
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
     * One thread. It asks for one model after the other, in an order of its own: two threads in the same order would
     * soon run one behind the other, at the pace of the slower.
     */
    @State(Scope.Thread)
    public static class Caller {
        private String[] models;
        private int next;
        private Subject.Taker taker;

        /** Finds this thread's place. */
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

    /** How often no worker was free. */
    @AuxCounters(AuxCounters.Type.EVENTS)
    @State(Scope.Thread)
    public static class Misses {
        /** So often. */
        public long misses;
    }

    /** Until it has succeeded once. */
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
