package io.github.workerregistry.lifecycle;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.workerregistry.Exit;
import io.github.workerregistry.SlotLease;
import io.github.workerregistry.WorkerEvent;
import io.github.workerregistry.WorkerInfo;
import io.github.workerregistry.WorkerRegistry;
import io.github.workerregistry.process.LocalProcessController;
import java.io.PrintStream;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * A hive in a JVM of its own, with a shutdown hook and an open lease. The lease is released once its worker drains.
 * Prints {@code leased} with the pid of the worker, then whether the lease was valid until its release, and the exit of
 * the worker.
 */
final class LeasingHiveMain {

    private static final PrintStream OUT = new PrintStream(System.out, true, UTF_8);

    private LeasingHiveMain() {}

    public static void main(String[] args) throws InterruptedException {
        WorkerRegistry registry = WorkerRegistry.create();
        WorkerSupervisor supervisor = WorkerSupervisor.builder(registry, Executors.newSingleThreadScheduledExecutor())
                .processController(
                        LocalProcessController.builder().discardOutput().build())
                .lifecycle(LifecycleConfig.builder()
                        .drainTimeout(Duration.ofSeconds(20))
                        .stopGrace(Duration.ofSeconds(5))
                        .build())
                .shutdownHook(Duration.ofSeconds(30))
                .build();
        WorkerInfo worker = supervisor.spawn(WorkerSpec.builder()
                .modelRef("tiny")
                .url("http://127.0.0.1:9")
                .command("sleep", "600")
                .build());
        supervisor.reportReady(worker.id());
        SlotLease lease = registry.tryAcquire("tiny").orElseThrow();
        ExecutorService listener = Executors.newSingleThreadExecutor();
        registry.subscribe(event -> releaseWhenStopping(event, lease), listener);
        registry.subscribe(LeasingHiveMain::printEnd, Runnable::run); // on the thread that the JVM's end waits for
        OUT.println("leased " + worker.pid().orElseThrow());
        boolean unused =
                new CountDownLatch(1).await(10, TimeUnit.MINUTES); // not without end: the test may have been killed
        System.exit(1);
    }

    private static void releaseWhenStopping(WorkerEvent event, SlotLease lease) {
        if (event instanceof WorkerEvent.StopStarted) {
            OUT.println("lease " + lease.isValid());
            lease.close();
        }
    }

    private static void printEnd(WorkerEvent event) {
        if (event instanceof WorkerEvent.Removed removed) {
            // No concatenation: linking the first one takes long on a loaded machine, and the JVM waits for 2 s at
            // most.
            Exit exit = removed.exit().orElseThrow();
            OUT.println("exited "
                    .concat(removed.cause().name())
                    .concat(", ")
                    .concat(exit.status().toString()));
        }
    }
}
