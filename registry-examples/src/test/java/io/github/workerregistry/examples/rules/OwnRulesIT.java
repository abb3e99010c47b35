package io.github.workerregistry.examples.rules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.github.workerregistry.Exit;
import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.WorkerState.Idle;
import io.github.workerregistry.examples.ExpectWarnings;
import io.github.workerregistry.examples.demo.DemoWorker;
import io.github.workerregistry.examples.hive.FreePorts;
import io.github.workerregistry.health.HttpHealthProbe;
import io.github.workerregistry.health.TcpHealthProbe;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.PortPool;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.WorkerSpec;
import io.github.workerregistry.lifecycle.WorkerSupervisor;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** A hive with three real workers, each with rules of its own. */
@ExpectWarnings({"has ended: CRASHED", "is stopped: LOAD_STALL", "is not ready after PT10S"})
class OwnRulesIT {

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final WorkerRegistry registry = WorkerRegistry.create();

    private static WorkerSpec.Builder demo(String id, String... options) {
        List<String> command = new ArrayList<>(DemoWorker.command());
        command.removeIf(argument -> argument.contains("callback") || argument.contains("heartbeat"));
        command.addAll(List.of(options));
        return WorkerSpec.builder().id(id).modelRef(id).command(command);
    }

    private static PortPool ports() {
        String[] range = FreePorts.range(20).split("-", 2);
        return PortPool.of(Integer.parseInt(range[0]), Integer.parseInt(range[1]));
    }

    private static void spawnThree(WorkerSupervisor supervisor) {
        LifecycleConfig defaults = LifecycleConfig.defaults();
        supervisor.spawn(demo("large", "--crash-after=8s") // restarted, and may idle for ever
                .healthProbe(TcpHealthProbe.create())
                .lifecycle(defaults.toBuilder().noIdleTimeout().build())
                .restartPolicy(RestartPolicy.builder()
                        .initial(Duration.ofMillis(100))
                        .max(Duration.ofSeconds(1))
                        .limit(20)
                        .build())
                .build());
        supervisor.spawn(demo("small", "--load-time=100ms") // stopped when it is idle for a moment
                .healthProbe(HttpHealthProbe.at("/v1/health"))
                .lifecycle(
                        defaults.toBuilder().idleTimeout(Duration.ofSeconds(2)).build())
                .build());
        supervisor.spawn(demo("stuck", "--load-time=2s", "--hang-while-loading") // may load for a short time only
                .healthProbe(HttpHealthProbe.at("/v1/health"))
                .lifecycle(defaults.toBuilder()
                        .loadStallTimeout(Duration.ofSeconds(5))
                        .build())
                .build());
    }

    private static List<Cause> causesOf(WorkerSupervisor supervisor, String id) {
        return supervisor.recentExits().stream()
                .filter(exit -> exit.workerId().equals(id))
                .map(Exit::cause)
                .toList();
    }

    @Test
    void eachWorkerIsSupervisedByItsOwnRules() throws Exception {
        ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
        try (WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .restartPolicy(RestartPolicy.never())
                .ports(ports())
                .build()) {
            spawnThree(supervisor);

            await().atMost(PATIENCE).untilAsserted(() -> {
                assertThat(causesOf(supervisor, "large")).isNotEmpty().containsOnly(Cause.CRASHED);
                assertThat(causesOf(supervisor, "small")).containsExactly(Cause.IDLE_TIMEOUT);
                assertThat(causesOf(supervisor, "stuck")).containsExactly(Cause.LOAD_STALL);
            });
            await().atMost(PATIENCE)
                    .until(() -> registry.get("large")
                            .filter(worker -> worker.restarts() > 0 && worker.state() instanceof Idle)
                            .isPresent());
            assertThat(registry.list()).hasSize(1);
        } finally {
            scheduler.shutdown();
            assertThat(scheduler.awaitTermination(60, TimeUnit.SECONDS)).isTrue();
        }
    }
}
