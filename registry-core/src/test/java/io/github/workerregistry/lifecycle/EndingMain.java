package io.github.workerregistry.lifecycle;

import ch.qos.logback.classic.BasicConfigurator;
import ch.qos.logback.classic.LoggerContext;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.process.LocalProcessController;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.slf4j.LoggerFactory;

/**
 * A hive in a JVM of its own, with a shutdown hook, that ends itself in an awkward way: see {@link ShutdownIT}.
 * Arguments: the hive id, and which way.
 */
final class EndingMain {

    private EndingMain() {}

    public static void main(String[] args) {
        new BasicConfigurator().configure((LoggerContext) LoggerFactory.getILoggerFactory()); // warnings are printed
        ScheduledExecutorService scheduler = Executors.newSingleThreadScheduledExecutor();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(WorkerRegistry.create(), scheduler)
                .processes(LocalProcessController.builder().hiveId(args[0]).build())
                .config(LifecycleConfig.builder()
                        .stopGrace(Duration.ofSeconds(1))
                        .build())
                .shutdownHook(Duration.ofSeconds(2))
                .build();
        supervisor.spawn(WorkerSpec.builder()
                .modelRef("m")
                .url("http://127.0.0.1:9")
                .command(
                        "sh",
                        "-c",
                        "trap '' TERM; for i in 1 2 3 4 5; do sleep 600 & done; while :; do sleep 600; done")
                .build());
        switch (args[1]) {
            case "exit on the scheduler's thread" -> scheduler.execute(() -> System.exit(0));
            case "exit after close" -> {
                supervisor.close();
                System.exit(0);
            }
            case "exit after close, common pool full" -> {
                new FullCommonPool(); // never released
                supervisor.close();
                System.exit(0);
            }
            default -> throw new IllegalArgumentException(args[1]);
        }
    }
}
