package io.github.workerregistry.examples.hive;

import static java.util.stream.Collectors.groupingBy;

import io.github.workerregistry.Exit;
import io.github.workerregistry.Subscription;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.BackingOff;
import io.github.workerregistry.examples.http.Answer;
import io.github.workerregistry.examples.http.Exchange;
import io.github.workerregistry.examples.http.Text;
import io.github.workerregistry.pool.ModelStatus;
import io.github.workerregistry.pool.PoolStats;
import io.github.workerregistry.pool.WorkerPool;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Executor;

/**
 * What Prometheus reads. Labels are model, state, outcome, reason and cause, never the id of a worker; a model that is
 * neither configured nor has a worker has no meter.
 */
final class HiveMetrics implements AutoCloseable {

    static final String PROMETHEUS = "text/plain; version=0.0.4; charset=utf-8";

    private final WorkerRegistry registry;
    private final Optional<WorkerPool> pool;
    private final PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final AcquireTimes acquireTimes = new AcquireTimes(meters);
    private final JvmMeters jvm = new JvmMeters(meters);
    private final Map<String, ModelMeters> models = new HashMap<>();
    private final Subscription events;

    HiveMetrics(WorkerRegistry registry, Optional<WorkerPool> pool, Executor executor) {
        this.registry = registry;
        this.pool = pool;
        for (Exit.Cause cause : Exit.Cause.values()) {
            FunctionCounter.builder("hive.exits", registry, now -> now.stats().ended(cause))
                    .description("Number of ends of worker processes")
                    .tag("cause", cause.name().toLowerCase(Locale.ROOT))
                    .register(meters);
        }
        events = registry.subscribe(this::onEvent, executor);
    }

    AcquireTimes acquireTimes() {
        return acquireTimes;
    }

    Answer scrape(Exchange exchange) {
        return Answer.ok(new Text(PROMETHEUS, text()));
    }

    String text() {
        Map<String, PoolStats.Model> totals =
                pool.map(pooled -> pooled.stats().models()).orElse(Map.of());
        Set<String> named = new HashSet<>(totals.keySet());
        named.addAll(configured());
        Map<String, List<WorkerInfo>> workers = registry.list().stream().collect(groupingBy(WorkerInfo::modelRef));
        named.addAll(workers.keySet());
        synchronized (this) {
            Set.copyOf(models.keySet()).stream()
                    .filter(model -> !named.contains(model))
                    .forEach(this::remove);
            named.forEach(model -> of(model)
                    .update(
                            workers.getOrDefault(model, List.of()),
                            registry.waiting(model),
                            Optional.ofNullable(totals.get(model))));
            return meters.scrape();
        }
    }

    private List<String> configured() {
        return pool.stream()
                .flatMap(pooled -> pooled.models().stream())
                .map(ModelStatus::modelRef)
                .toList();
    }

    private ModelMeters of(String model) {
        return models.computeIfAbsent(model, name -> new ModelMeters(meters, name));
    }

    private void remove(String model) {
        ModelMeters gone = models.remove(model);
        if (gone != null) {
            gone.close();
        }
    }

    private void onEvent(WorkerEvent event) {
        if (event instanceof WorkerEvent.RestartScheduled restart
                && restart.worker().state() instanceof BackingOff backingOff) {
            synchronized (this) {
                of(restart.worker().modelRef()).restarted(backingOff.exit().cause());
            }
        } else if (event instanceof WorkerEvent.Removed removed) {
            String model = removed.worker().modelRef();
            if (registry.list(model).isEmpty() && !configured().contains(model)) {
                synchronized (this) {
                    remove(model);
                }
            }
        }
    }

    @Override
    public void close() {
        events.close();
        jvm.close();
        meters.close();
    }
}
