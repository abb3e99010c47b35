package io.github.workerregistry.examples.bench;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;
import reactor.core.publisher.Mono;
import reactor.pool.InstrumentedPool;
import reactor.pool.PoolBuilder;
import reactor.pool.PooledRef;

/**
 * What waiting costs, and affinity: an asynchronous grant beside reactor-pool, a blocking hand-over beside a fair
 * {@link Semaphore}, and a request with an affinity key. Nanoseconds for each grant.
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class WaitBenchmark {

    private static final String MODEL = "hf:TheBloke/TinyLlama";
    private static final SlotRequest REQUEST = SlotRequest.forModel(MODEL);
    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final int WAITERS = 8;

    private static WorkerRegistry registry(int workers, int slots) {
        WorkerRegistry registry = WorkerRegistry.create();
        for (int i = 0; i < workers; i++) {
            registry.register(WorkerInfo.builder()
                    .id("w" + i)
                    .url("http://127.0.0.1:8100")
                    .modelRef(MODEL)
                    .slotsTotal(slots)
                    .state(new Idle())
                    .build());
        }
        return registry;
    }

    /** One slot, in use, and eight asynchronous requests that wait for it. */
    @State(Scope.Benchmark)
    public static class Asynchronous {
        private final WorkerRegistry registry = registry(1, 1);
        private SlotLease held = registry.tryAcquire(MODEL).orElseThrow();

        /** Fills the queue. */
        public Asynchronous() {
            for (int i = 0; i < WAITERS; i++) {
                request();
            }
        }

        private void request() {
            registry.acquireAsync(REQUEST, PATIENCE, Runnable::run).lease().thenAccept(lease -> held = lease);
        }
    }

    /** A release, the grant to the first of eight requests, its completion, and a new request. */
    @Benchmark
    public SlotLease asynchronousGrant(Asynchronous state) {
        state.held.close();
        state.request();
        return state.held;
    }

    /** The same with reactor-pool. */
    @State(Scope.Benchmark)
    public static class Reactor {
        private final InstrumentedPool<String> pool =
                PoolBuilder.from(Mono.just("w")).sizeBetween(1, 1).buildPool();
        private PooledRef<String> held = pool.acquire().block();

        /** Fills the queue. */
        public Reactor() {
            for (int i = 0; i < WAITERS; i++) {
                request();
            }
        }

        private void request() {
            pool.acquire(PATIENCE).subscribe(granted -> held = granted);
        }
    }

    /** A release, the grant, its completion, and a new request. */
    @Benchmark
    public PooledRef<String> asynchronousGrantOfReactorPool(Reactor state) {
        state.held.release().subscribe();
        state.request();
        return state.held;
    }

    /** One slot for all threads. */
    @State(Scope.Benchmark)
    public static class OneSlot {
        private final WorkerRegistry registry = registry(1, 1);
        private final Semaphore fair = new Semaphore(1, true);
    }

    /** Eight threads take turns with one slot. */
    @Benchmark
    @Threads(8)
    public String handOver(OneSlot state) throws InterruptedException {
        try (SlotLease lease = state.registry.acquire(MODEL, PATIENCE)) {
            return lease.workerId();
        }
    }

    /** Eight threads take turns with one permit. */
    @Benchmark
    @Threads(8)
    public Semaphore handOverOfFairSemaphore(OneSlot state) throws InterruptedException {
        state.fair.acquire();
        try {
            return state.fair;
        } finally {
            state.fair.release();
        }
    }

    /** Eight workers with four slots; 64 keys, each known. */
    @State(Scope.Thread)
    public static class Conversations {
        private final WorkerRegistry registry = registry(8, 4);
        private final SlotRequest[] requests = new SlotRequest[64];
        private int next;

        /** Makes the keys known. */
        public Conversations() {
            for (int i = 0; i < requests.length; i++) {
                requests[i] = REQUEST.affinity("session-" + i);
                registry.tryAcquire(requests[i]).orElseThrow().close();
            }
        }
    }

    /** Acquires a slot for a known key and releases it. */
    @Benchmark
    public SlotLease affinity(Conversations state) {
        SlotRequest request = state.requests[state.next++ & 63];
        SlotLease lease = state.registry.tryAcquire(request).orElseThrow();
        lease.close();
        return lease;
    }

    /** The same without the key. */
    @Benchmark
    public SlotLease withoutAffinity(Conversations state) {
        state.next++;
        SlotLease lease = state.registry.tryAcquire(MODEL).orElseThrow();
        lease.close();
        return lease;
    }
}
