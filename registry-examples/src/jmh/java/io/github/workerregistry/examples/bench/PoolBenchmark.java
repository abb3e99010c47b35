package io.github.workerregistry.examples.bench;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.ModelSpec;
import io.github.workerregistry.pool.PoolConfig;
import io.github.workerregistry.pool.WorkerPool;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/** What a pool adds to the acquisition of a slot of a loaded model, requested by an alias. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class PoolBenchmark {

    private static final String MODEL = "hf:TheBloke/TinyLlama";
    private static final String ALIAS = "gpt-4o";
    private static final int WORKERS = 1_000;

    private final WorkerRegistry registry = WorkerRegistry.create();
    private final WorkerPool pool;

    /** The workers are not the pool's own: for a request that makes no difference. */
    public PoolBenchmark() {
        for (int i = 0; i < WORKERS; i++) {
            registry.register(WorkerInfo.builder()
                    .id("w" + i)
                    .url("http://127.0.0.1:8100")
                    .modelRef(MODEL)
                    .state(new Idle())
                    .build());
        }
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, new VirtualTime())
                .processController(new FakeProcessController())
                .build();
        pool = WorkerPool.builder(registry, supervisor)
                .config(PoolConfig.builder()
                        .device("cpu", 0, 1)
                        .model(ModelSpec.builder(MODEL)
                                .alias(ALIAS)
                                .worker(WorkerSpec.builder().command("serve", "{port}"))
                                .build())
                        .build())
                .build();
    }

    /** Without a pool. */
    @Benchmark
    public SlotLease registry() {
        try (SlotLease lease = registry.tryAcquire(MODEL).orElseThrow()) {
            return lease;
        }
    }

    /** Through the pool. */
    @Benchmark
    public SlotLease pool() {
        try (SlotLease lease = pool.tryAcquire(ALIAS).orElseThrow()) {
            return lease;
        }
    }
}
