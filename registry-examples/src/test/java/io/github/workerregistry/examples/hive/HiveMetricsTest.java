package io.github.workerregistry.examples.hive;

import static java.util.stream.Collectors.toSet;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.SlotLease;
import io.github.workerregistry.SlotRequest;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState;
import io.github.workerregistry.examples.ExpectWarnings;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import io.github.workerregistry.pool.ModelSpec;
import io.github.workerregistry.pool.PoolConfig;
import io.github.workerregistry.pool.WorkerPool;
import io.github.workerregistry.testing.FakeProcessController;
import io.github.workerregistry.testing.ScriptedHealthProbe;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

@ExpectWarnings("has ended: CRASHED")
class HiveMetricsTest {

    private final VirtualTime time = new VirtualTime();
    private final FakeProcessController processes = new FakeProcessController();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().clock(time).timer(time).build();
    private final WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, time)
            .processController(processes)
            .healthProbe(new ScriptedHealthProbe())
            .build();
    private HiveMetrics metrics = new HiveMetrics(registry, Optional.empty(), Runnable::run);

    @AfterEach
    void close() {
        metrics.close();
        supervisor.closeNow();
    }

    private Map<String, Double> samples() {
        return PrometheusText.read(metrics.text());
    }

    private Set<String> own() {
        return samples().keySet().stream()
                .filter(name -> name.startsWith("hive_"))
                .collect(toSet());
    }

    private WorkerPool pooled(PoolConfig config) {
        metrics.close();
        WorkerPool pool = WorkerPool.builder(registry, supervisor)
                .config(config)
                .blockingExecutor(Runnable::run)
                .build();
        metrics = new HiveMetrics(registry, Optional.of(pool), Runnable::run);
        return pool;
    }

    private static PoolConfig models(int count, String prefix) {
        PoolConfig.Builder config = PoolConfig.builder().device("cpu", 0, 10);
        for (int i = 0; i < count; i++) {
            config.model(ModelSpec.builder(prefix + i)
                    .backend("cpu")
                    .units(10)
                    .worker(WorkerSpec.builder().command("serve", "{port}").slots(4))
                    .build());
        }
        return config.build();
    }

    @Test
    void slotsWorkersAndWaitsAreCounted() {
        Slots slots = new Slots(registry, Optional.empty(), metrics.acquireTimes());
        registry.register(WorkerInfo.builder()
                .id("id-1")
                .url("http://127.0.0.1:1")
                .modelRef("a \"b\"\\")
                .slotsTotal(2)
                .state(new WorkerState.Idle())
                .build());
        SlotRequest request = SlotRequest.forModel("a \"b\"\\");

        SlotLease lease = slots.tryAcquire(request).orElseThrow();
        assertThat(slots.tryAcquire(request)).isPresent();
        slots.acquire(request, Duration.ofSeconds(1), Runnable::run);
        Map<String, Double> waiting = samples();
        time.advance(Duration.ofSeconds(2));
        slots.acquire(request, Duration.ofSeconds(1), Runnable::run).cancel();

        String model = "{model=\"a \\\"b\\\"\\\\\"";
        assertThat(waiting)
                .containsEntry("hive_slots" + model + "}", 2.0)
                .containsEntry("hive_slots_busy" + model + "}", 2.0)
                .containsEntry("hive_waiting" + model + "}", 1.0)
                .containsEntry("hive_workers" + model + ",state=\"busy\"}", 1.0)
                .containsEntry("hive_workers" + model + ",state=\"idle\"}", 0.0);
        assertThat(samples())
                .containsEntry("hive_acquire_seconds_count{outcome=\"granted\"}", 2.0)
                .containsEntry("hive_acquire_seconds_count{outcome=\"timeout\"}", 1.0)
                .containsEntry("hive_acquire_seconds_count{outcome=\"cancelled\"}", 1.0)
                .allSatisfy((name, value) -> assertThat(name).doesNotContain("id-1"));
        assertThat(lease.workerId()).isEqualTo("id-1");
    }

    @Test
    void loadsEvictionsRestartsAndExitsAreCounted() {
        WorkerPool pool = pooled(models(2, "m"));
        load(pool, "m0");
        time.advance(Duration.ofMinutes(1));
        load(pool, "m1");
        String other = supervisor
                .spawn(WorkerSpec.builder()
                        .modelRef("other")
                        .command("serve", "{port}")
                        .build())
                .id();
        supervisor.reportReady(other);
        processes.exit(other, 1);
        time.advance(Duration.ofMillis(500));

        assertThat(samples())
                .containsEntry("hive_loads_total{model=\"m0\",outcome=\"ready\"}", 1.0)
                .containsEntry("hive_loads_total{model=\"m0\",outcome=\"failed\"}", 0.0)
                .containsEntry("hive_load_seconds_count{model=\"m0\"}", 1.0)
                .containsEntry("hive_restarts_total{cause=\"crashed\",model=\"other\"}", 1.0)
                .containsEntry("hive_exits_total{cause=\"crashed\"}", 1.0)
                .containsKeys("hive_resident_seconds_total{model=\"m1\"}", "process_uptime_seconds{}")
                .hasEntrySatisfying(
                        "hive_resident_seconds_total{model=\"m0\"}",
                        seconds -> assertThat(seconds).isGreaterThanOrEqualTo(60));
        assertThat(samples().entrySet().stream()
                        .filter(sample -> sample.getKey().startsWith("hive_evictions_total{model=\"m0\""))
                        .mapToDouble(Map.Entry::getValue)
                        .sum())
                .isEqualTo(1);
        pool.close();
    }

    private void load(WorkerPool pool, String model) {
        pool.load(model);
        time.advance(Duration.ofSeconds(20));
        registry.list(model).forEach(worker -> supervisor.reportReady(worker.id()));
        time.advance(Duration.ofSeconds(1));
        assertThat(registry.list(model)).hasSize(1);
    }

    @Test
    void tenThousandModelsThatComeAndGoLeaveNoLabel() {
        Set<String> before = own();
        for (int i = 0; i < 10_000; i++) {
            WorkerInfo worker = WorkerInfo.builder()
                    .id("id")
                    .url("http://127.0.0.1:1")
                    .modelRef("model-" + i)
                    .state(new WorkerState.Idle())
                    .build();
            registry.register(worker);
            if (i % 100 == 0) {
                assertThat(metrics.text()).contains("model-" + i + "\"");
            }
            registry.remove("id");
        }

        assertThat(metrics.text()).doesNotContain("model-");
        assertThat(own()).isEqualTo(before);
    }

    @Test
    void configuredModelsThatComeAndGoLeaveNoLabel() {
        WorkerPool pool = pooled(models(1, "first-"));
        for (int i = 0; i < 10; i++) {
            pool.update(models(100, "round-" + i + "-"));
            assertThat(metrics.text()).contains("round-" + i + "-99\"");
        }
        pool.update(models(1, "last-"));

        assertThat(metrics.text())
                .doesNotContain("round-")
                .doesNotContain("first-")
                .contains("last-0");
        pool.close();
    }
}
