package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.ForwardingProcess;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Many slow kills that are due at once take several tasks of the scheduler; the hive's own tasks run in between. */
@ExtendWith(UnexpectedWarnings.class)
class SlicedLoopsTest {

    private static final int WORKERS = 100;
    private static final Duration SIGNAL = Duration.ofMillis(3);
    private static final Duration TICK = Duration.ofMillis(100);
    private static final Duration IDLE = Duration.ofMinutes(5);

    private final AtomicInteger kills = new AtomicInteger();
    private final AtomicInteger terminations = new AtomicInteger();
    private final VirtualHive hive = new VirtualHive((self, builder) -> builder.processController(
                    spec -> slowToSignal(self, spec))
            .lifecycle(VirtualHive.config().idleTimeout(IDLE).tickInterval(TICK).build()));

    private WorkerProcess slowToSignal(VirtualHive self, ProcessSpec spec) {
        return new ForwardingProcess(self.processes.start(spec)) {
            @Override
            public void terminate() {
                terminations.incrementAndGet();
                self.spend(SIGNAL);
                super.terminate();
            }

            @Override
            public void kill() {
                kills.incrementAndGet();
                self.spend(SIGNAL);
                super.kill();
            }
        };
    }

    private void spawnAll() {
        for (int i = 0; i < WORKERS; i++) {
            hive.processes.ignoreTerminate(hive.spawnReady("w" + i));
        }
    }

    /** Records how many signals had been sent when the hive's own task ran for the first time after one was. */
    private int sentBeforeTheHivesTask(AtomicInteger signals, Duration atMost) {
        AtomicInteger seen = new AtomicInteger();
        ScheduledFuture<?> task = hive.time.scheduleWithFixedDelay(
                () -> seen.compareAndSet(0, signals.get()), 0, 1, TimeUnit.MILLISECONDS);
        try {
            hive.time.advance(atMost);
        } finally {
            task.cancel(false);
        }
        return seen.get();
    }

    @Test
    void workersRemovedAtOnceAreKilledInOneTick() {
        spawnAll();
        hive.registry.clear();

        int seen = sentBeforeTheHivesTask(kills, TICK);

        assertThat(seen).isPositive().isLessThan(WORKERS / 2);
        assertThat(kills).hasValue(WORKERS);
        assertThat(hive.processes.running()).isEmpty();
    }

    @Test
    void workersIdleForTooLongAtOnceAreStoppedInOneTick() {
        spawnAll();
        hive.time.advance(IDLE.minus(TICK));
        assertThat(terminations).hasValue(0);

        int seen = sentBeforeTheHivesTask(terminations, TICK.plus(Duration.ofMinutes(1)));

        assertThat(seen).isPositive().isLessThan(WORKERS / 2);
        assertThat(terminations).hasValue(WORKERS);
    }

    @Test
    void workersWhoseStopIsOverAtOnceAreKilledInOneTick() {
        spawnAll();
        CompletableFuture<ShutdownReport> report = hive.shutdown(Duration.ofSeconds(3));
        hive.time.advance(Duration.ofSeconds(3).minus(TICK));
        assertThat(kills).hasValue(0);

        int seen = sentBeforeTheHivesTask(kills, TICK);

        assertThat(seen).isPositive().isLessThan(WORKERS / 2);
        hive.time.advance(TICK);
        assertThat(report).isCompletedWithValueMatching(ended -> ended.killed() == WORKERS);
    }

    /** A kill may have failed, so it is repeated: of all workers, not only of those that are visited first. */
    @Test
    void repeatedKillsReachAllWorkers() {
        spawnAll();
        hive.registry.list().forEach(worker -> hive.processes.ignoreKill(worker.id()));
        hive.registry.clear();
        hive.time.advance(TICK);
        kills.set(0);

        int seen = sentBeforeTheHivesTask(kills, Duration.ofSeconds(1).plus(TICK));

        assertThat(seen).isPositive().isLessThan(WORKERS / 2);
        assertThat(kills).hasValue(WORKERS);
    }
}
