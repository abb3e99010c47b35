package io.github.workerregistry.lifecycle;

import static io.github.workerregistry.lifecycle.RealHive.PATIENCE;
import static io.github.workerregistry.lifecycle.RealHive.SLEEP;
import static io.github.workerregistry.lifecycle.RealHive.kill9;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerEvent.Crashed;
import io.github.workerregistry.WorkerInfo;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The time from an exit until a listener receives it. */
@ExtendWith(UnexpectedWarnings.class)
@EnabledOnOs(OS.LINUX)
class ExitLatencyIT {

    private static final Duration BOUND = Duration.ofMillis(250);
    private static final int KILLS = 10;
    private static final int ATTEMPTS = 10;

    @RegisterExtension
    final RealHive hive = new RealHive();

    /** An exit as a listener received it. */
    private record Received(String id, long nanos) {}

    private final BlockingQueue<Received> received = new LinkedBlockingQueue<>();

    /**
     * The JDK notifies exits in the common pool; if that is full, the next tick detects the exit.
     *
     * <p>The bound is on the slowest of ten exits, in the best of up to ten attempts: another program may run for 150
     * ms on a busy machine. A tick that is too slow, or a wait for the pool, would show in every attempt.
     */
    @Test
    void anExitIsReportedWithinAQuarterOfASecondIfTheCommonPoolIsFull() throws InterruptedException {
        UnexpectedWarnings.expect(Warnings.CRASHED + ", signal 9");
        ExecutorService listening = Executors.newSingleThreadExecutor();
        try (var subscription = hive.registry.subscribe(
                        event -> {
                            if (event instanceof Crashed crashed) {
                                received.add(new Received(crashed.worker().id(), System.nanoTime()));
                            }
                        },
                        listening);
                FullCommonPool pool = new FullCommonPool()) {
            WorkerSupervisor supervisor = hive.supervise(RestartPolicy.never());
            List<List<Duration>> attempts = new ArrayList<>();
            do {
                attempts.add(killAll(supervisor));
            } while (worst(attempts.get(attempts.size() - 1)).compareTo(BOUND) > 0 && attempts.size() < ATTEMPTS);

            pool.assertStillFull();
            assertThat(attempts)
                    .as("the delays of each attempt, sorted")
                    .anySatisfy(attempt -> assertThat(worst(attempt)).isLessThanOrEqualTo(BOUND));
        } finally {
            listening.shutdown();
        }
    }

    /**
     * Kills each worker right after the tick that detected the one before: the worst case. Gives the delays, sorted.
     */
    private List<Duration> killAll(WorkerSupervisor supervisor) throws InterruptedException {
        List<WorkerInfo> workers = Stream.generate(() -> hive.spawn(supervisor, SLEEP))
                .limit(KILLS)
                .toList();
        List<Duration> delays = new ArrayList<>();
        for (WorkerInfo worker : workers) {
            long killed = System.nanoTime();
            kill9(worker);
            Received exit = received.poll(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            assertThat(exit).isNotNull();
            assertThat(exit.id).isEqualTo(worker.id());
            delays.add(Duration.ofNanos(exit.nanos - killed));
        }
        return delays.stream().sorted().toList();
    }

    private static Duration worst(List<Duration> sorted) {
        return sorted.get(sorted.size() - 1);
    }
}
