package io.github.workerregistry.examples.bench;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
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
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.infra.ThreadParams;

/** Look-up of one worker by id, compared to a plain map, and of all workers. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(
        value = 1,
        jvmArgsAppend = {"-Xms2g", "-Xmx2g", "-XX:+AlwaysPreTouch", "-XX:+ExitOnOutOfMemoryError"})
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
@Threads(2)
public class LookupBenchmark {

    /** Number of workers. */
    @Param("1000")
    public int workers;

    /** Whether each has an open lease, so that its record is rebuilt at each read. */
    @Param({"false", "true"})
    public boolean leased;

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final Map<String, WorkerInfo> map = new ConcurrentHashMap<>();
    private final List<SlotLease> leases = new ArrayList<>();
    private String[] ids;

    /** Registers the workers, also in the map. */
    @Setup
    public void fill() {
        ids = new String[workers];
        for (int i = 0; i < workers; i++) {
            WorkerInfo worker = WorkerInfo.builder()
                    .id("worker-" + i)
                    .url("http://127.0.0.1:8100")
                    .modelRef("hf:TheBloke/TinyLlama")
                    .state(new Idle())
                    .build();
            ids[i] = worker.id();
            map.put(worker.id(), worker);
            registry.register(worker);
            if (leased) {
                leases.add(registry.tryAcquireFrom(worker.id()).orElseThrow());
            }
        }
    }

    /** One thread, which reads one worker after the other. */
    @State(Scope.Thread)
    public static class Caller {
        private String[] ids;
        private int next;

        /** Sets the start position of this thread. */
        @Setup
        public void arrive(LookupBenchmark benchmark, ThreadParams threads) {
            ids = benchmark.ids;
            next = ids.length * threads.getThreadIndex() / threads.getThreadCount();
        }

        private String nextId() {
            String id = ids[next];
            next = next + 1 == ids.length ? 0 : next + 1;
            return id;
        }
    }

    /** One worker. */
    @Benchmark
    public Optional<WorkerInfo> registryGet(Caller caller) {
        return registry.get(caller.nextId());
    }

    /** The lower bound of the cost. */
    @Benchmark
    public WorkerInfo mapGet(Caller caller) {
        return map.get(caller.nextId());
    }

    /** All workers. */
    @Benchmark
    @Threads(1)
    public List<WorkerInfo> registryList() {
        return registry.list();
    }
}
