package io.github.workerregistry.examples.hive;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.pool.EvictionReason;
import io.github.workerregistry.pool.PoolStats;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.FunctionTimer;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.ToDoubleFunction;
import java.util.function.ToLongFunction;

/** The meters of one model, which are removed with it. Its counts are those of the last update. */
final class ModelMeters implements AutoCloseable {

    private static final List<String> STATES = List.of("loading", "idle", "busy", "backing_off", "stopping");

    private final MeterRegistry meters;
    private final String model;
    private final List<Meter> own = new ArrayList<>();
    private volatile List<WorkerInfo> workers = List.of();
    private volatile int waiting;
    private volatile Optional<PoolStats.Model> totals = Optional.empty();
    private boolean pooled;

    ModelMeters(MeterRegistry meters, String model) {
        this.meters = meters;
        this.model = model;
        for (String state : STATES) {
            own.add(Gauge.builder("hive.workers", this, now -> now.inState(state))
                    .description("Number of workers")
                    .tags("model", model, "state", state)
                    .register(meters));
        }
        gauge("hive.slots", "Number of slots", now -> now.sum(WorkerInfo::slotsTotal));
        gauge(
                "hive.slots.busy",
                "Number of slots in use",
                now -> now.sum(worker -> worker.slotsTotal() - worker.slotsAvailable()));
        gauge("hive.waiting", "Number of requests that wait for a slot", now -> now.waiting);
    }

    private void gauge(String name, String description, ToDoubleFunction<ModelMeters> value) {
        own.add(Gauge.builder(name, this, value)
                .description(description)
                .tag("model", model)
                .register(meters));
    }

    private long inState(String state) {
        return workers.stream()
                .filter(worker -> worker.state().label().equals(state))
                .count();
    }

    /** Of the workers that accept requests. */
    private long sum(ToLongFunction<WorkerInfo> count) {
        return workers.stream()
                .filter(worker -> worker.state().routable())
                .mapToLong(count)
                .sum();
    }

    void update(List<WorkerInfo> workersNow, int waitingNow, Optional<PoolStats.Model> totalsNow) {
        workers = workersNow;
        waiting = waitingNow;
        totals = totalsNow;
        if (totalsNow.isPresent() && !pooled) {
            pooled = true;
            addTotals();
        }
    }

    /** A model that the pool does not load has none of these. */
    private void addTotals() {
        total("hive.loads", "Number of loads that ended", PoolStats.Model::loads, "outcome", "ready");
        total("hive.loads", "Number of loads that ended", PoolStats.Model::failedLoads, "outcome", "failed");
        for (EvictionReason reason : EvictionReason.values()) {
            total(
                    "hive.evictions",
                    "Number of workers evicted for another model",
                    totals -> totals.evictions().getOrDefault(reason, 0L),
                    "reason",
                    reason.name().toLowerCase(Locale.ROOT));
        }
        own.add(FunctionCounter.builder(
                        "hive.resident",
                        this,
                        now -> now.total(totals -> totals.resident().toMillis()) / 1e3)
                .description("How long workers have been ready, added up")
                .baseUnit("seconds")
                .tag("model", model)
                .register(meters));
        own.add(FunctionTimer.builder(
                        "hive.load",
                        this,
                        now -> now.total(PoolStats.Model::loads),
                        now -> now.total(totals -> totals.loadTime().toNanos()),
                        TimeUnit.NANOSECONDS)
                .description("Time of loads, from the start to ready")
                .tag("model", model)
                .register(meters));
    }

    private void total(
            String name, String description, ToLongFunction<PoolStats.Model> count, String label, String value) {
        own.add(FunctionCounter.builder(name, this, now -> now.total(count))
                .description(description)
                .tags("model", model, label, value)
                .register(meters));
    }

    private long total(ToLongFunction<PoolStats.Model> count) {
        return totals.map(count::applyAsLong).orElse(0L);
    }

    void restarted(Exit.Cause cause) {
        Counter restarts = Counter.builder("hive.restarts")
                .description("Number of restarts after a failure")
                .tags("model", model, "cause", cause.name().toLowerCase(Locale.ROOT))
                .register(meters);
        if (!own.contains(restarts)) {
            own.add(restarts);
        }
        restarts.increment();
    }

    @Override
    public void close() {
        own.forEach(meters::remove);
    }
}
