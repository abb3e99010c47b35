package io.github.workerregistry.lifecycle;

import ch.qos.logback.classic.BasicConfigurator;
import ch.qos.logback.classic.LoggerContext;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.process.LocalProcessController;
import io.github.workerregistry.process.ProcessController;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.SpawnException;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.ForwardingProcess;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicReference;
import org.slf4j.LoggerFactory;

/**
 * A hive in a JVM of its own, with a shutdown hook, that exits in an unusual way: see {@link ShutdownIT}. Arguments:
 * the hive id, and which way.
 */
final class ExitingMain {

    private static final String LATE = "late";
    private static final String BLOCKED_STOP_REQUEST = "exit with a stop request that blocks";

    private ExitingMain() {}

    private static WorkerSpec.Builder spec(String script) {
        return WorkerSpec.builder().modelRef("m").url("http://127.0.0.1:9").command("sh", "-c", script);
    }

    private static String spawn(WorkerSupervisor supervisor, String script) {
        return supervisor.spawn(spec(script).build()).id();
    }

    /**
     * Starts the process of a worker whose start is abandoned meanwhile; only the kills of the shutdown hook take
     * effect.
     */
    private static WorkerProcess startLate(ProcessController processes, ProcessSpec spec, WorkerSupervisor supervisor) {
        supervisor.forceKill(spec.workerId()).toCompletableFuture().join();
        return new ForwardingProcess(processes.start(spec)) {
            @Override
            public void kill() {
                if (Thread.currentThread().getName().equals("worker-registry-shutdown")) {
                    super.kill();
                }
            }
        };
    }

    public static void main(String[] args) {
        new BasicConfigurator().configure((LoggerContext) LoggerFactory.getILoggerFactory()); // warnings are printed
        ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
        WorkerRegistry registry = WorkerRegistry.create();
        ProcessController processes =
                LocalProcessController.builder().hiveId(args[0]).build();
        AtomicReference<WorkerSupervisor> itself = new AtomicReference<>();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, scheduler)
                .restartPolicy(RestartPolicy.never())
                .processController(spec ->
                        spec.workerId().equals(LATE) ? startLate(processes, spec, itself.get()) : processes.start(spec))
                .lifecycle(LifecycleConfig.builder()
                        .stopGrace(Duration.ofSeconds(1))
                        .build())
                .stopRequest(worker -> {
                    if (args[1].equals(BLOCKED_STOP_REQUEST)) {
                        new CompletableFuture<>().join();
                    }
                    return CompletableFuture.completedFuture(false);
                })
                .shutdownHook(Duration.ofSeconds(2))
                .build();
        itself.set(supervisor);
        spawn(supervisor, "trap '' TERM; for i in 1 2 3 4 5; do sleep 600 & done; while :; do sleep 600; done");
        switch (args[1]) {
            case "exit on the scheduler's thread" -> scheduler.execute(() -> System.exit(0));
            case "exit after close" -> {
                supervisor.closeNow();
                System.exit(0);
            }
            case "exit after close, common pool full" -> {
                new FullCommonPool(); // never released
                supervisor.closeNow();
                System.exit(0);
            }
            case "exit when a load has failed" ->
                supervisor.whenReady(spawn(supervisor, "exit 7")).exceptionally(failure -> {
                    System.exit(0);
                    return null;
                });
            case "exit when a worker has stopped" ->
                supervisor.stop(spawn(supervisor, "sleep 600")).thenRun(() -> System.exit(0));
            case "exit in a listener" -> {
                registry.subscribe(
                        event -> {
                            if (event instanceof WorkerEvent.Removed) {
                                System.exit(0);
                            }
                        },
                        Runnable::run);
                spawn(supervisor, "exit 7");
            }
            case "exit in a listener of StopStarted" -> {
                registry.subscribe(
                        event -> {
                            if (event instanceof WorkerEvent.StopStarted) {
                                System.exit(0);
                            }
                        },
                        Runnable::run);
                spawn(supervisor, "sleep 600");
                System.exit(0);
            }
            case BLOCKED_STOP_REQUEST -> {
                spawn(supervisor, "sleep 600");
                System.exit(0);
            }
            case "exit in a listener, on the scheduler's thread" -> {
                new FullCommonPool(); // so that the exit is seen by the loops
                spawn(supervisor, "exit 7");
                registry.subscribe(event -> System.exit(0), Runnable::run);
            }
            case "exit with a process that came late" -> {
                try {
                    supervisor.spawn(spec("sleep 600").id(LATE).build());
                } catch (SpawnException givenUp) {
                    System.exit(0);
                }
            }
            default -> throw new IllegalArgumentException(args[1]);
        }
    }
}
