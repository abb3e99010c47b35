package io.github.workerregistry.examples.bench;

import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.ModelSpec;
import io.github.workerregistry.pool.PoolConfig;
import io.github.workerregistry.pool.WorkerPool;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
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
import org.openjdk.jmh.annotations.Warmup;

/**
 * One pass of a pool with 1,000 models, 300 busy workers on 8 devices, and 10,000 requests that wait: the snapshot, and
 * the plan. Microseconds for each pass, in virtual time with fake processes.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(3)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class PlannerBenchmark {

    private static final int MODELS = 1_000;
    private static final int WORKERS = 300;
    private static final int DEVICES = 8;
    private static final int REQUESTS = 10_000;
    private static final Duration PATIENCE = Duration.ofHours(1);

    /** A pool whose workers are all busy. */
    @State(Scope.Benchmark)
    public static class Overloaded {

        /** Of so many models, none of which is loaded. */
        @Param({"10", "700"})
        public int waitingModels;

        private final VirtualTime time = new VirtualTime();
        private final WorkerRegistry registry = WorkerRegistry.builder()
                .clock(time)
                .timer(time)
                .waitQueueCapacity(REQUESTS)
                .build();
        private WorkerPool pool;

        /** Loads 300 models, leases their slots, and lets requests wait for others. */
        @Setup
        public void setUp() {
            WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
                    .processController(new FakeProcessController())
                    .lifecycle(LifecycleConfig.builder().noIdleTimeout().build())
                    .build();
            PoolConfig.Builder config = PoolConfig.builder().maxWorkers(WORKERS);
            for (int i = 0; i < DEVICES; i++) {
                config.device("cpu", i, WORKERS);
            }
            for (int i = 0; i < MODELS; i++) {
                config.model(ModelSpec.builder(name(i))
                        .worker(WorkerSpec.builder().command("serve").url("http://fake"))
                        .build());
            }
            pool = WorkerPool.builder(registry, supervisor)
                    .config(config.build())
                    .build();
            for (int i = 0; i < WORKERS; i++) {
                request(name(i));
            }
            time.runDueTasks();
            for (WorkerInfo worker : registry.list()) {
                supervisor.reportReady(worker.id());
            }
            for (int i = 0; i < REQUESTS; i++) {
                request(name(WORKERS + i % waitingModels));
            }
            time.runDueTasks();
        }

        private static String name(int model) {
            return "model-" + model;
        }

        private void request(String model) {
            pool.acquireAsync(SlotRequest.forModel(model), PATIENCE, Runnable::run);
        }
    }

    /** A call of the hive that is followed by a pass on its own thread. */
    @Benchmark
    public void pass(Overloaded state) {
        state.pool.pin("model-0", false);
    }
}
