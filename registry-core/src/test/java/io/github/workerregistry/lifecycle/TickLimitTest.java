package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.process.ProcessSpec;
import io.github.workerregistry.process.WorkerProcess;
import io.github.workerregistry.testing.ForwardingProcess;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Many slow kills that are due at once take several ticks, so that the hive's own tasks run in between. */
@ExtendWith(UnexpectedWarnings.class)
class TickLimitTest {

    private static final int WORKERS = 100;
    private static final long SIGNAL_NANOS = TimeUnit.MILLISECONDS.toNanos(3);
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
                spin();
                super.terminate();
            }

            @Override
            public void kill() {
                kills.incrementAndGet();
                spin();
                super.kill();
            }
        };
    }

    private static void spin() {
        long begun = System.nanoTime();
        while (System.nanoTime() - begun < SIGNAL_NANOS) {
            Thread.onSpinWait();
        }
    }

    private void spawnAll() {
        for (int i = 0; i < WORKERS; i++) {
            hive.processes.ignoreTerminate(hive.spawnReady("w" + i));
        }
    }

    @Test
    void workersRemovedAtOnceAreKilledInSeveralTicks() {
        spawnAll();
        hive.registry.clear();

        hive.time.advance(TICK);

        assertThat(kills).hasPositiveValue().hasValueLessThan(WORKERS);
        hive.time.advance(Duration.ofSeconds(2));
        assertThat(hive.processes.running()).isEmpty();
        assertThat(kills).hasValue(WORKERS);
    }

    /** Not in the next search, which may be a minute later. */
    @Test
    void workersIdleForTooLongAtOnceAreStoppedInSuccessiveTicks() {
        spawnAll();
        hive.time.advance(IDLE);
        while (terminations.get() == 0) {
            hive.time.advance(TICK);
        }

        assertThat(terminations).hasValueLessThan(WORKERS);
        hive.time.advance(Duration.ofSeconds(1));
        assertThat(terminations).hasValue(WORKERS);
    }

    @Test
    void workersWhoseStopIsOverAtOnceAreKilledInSeveralTicks() {
        spawnAll();
        CompletableFuture<ShutdownReport> report = hive.shutdown(Duration.ofSeconds(3));
        hive.time.advance(Duration.ofSeconds(3).minus(TICK));
        assertThat(kills).hasValue(0);

        hive.time.advance(TICK);

        assertThat(kills).hasPositiveValue().hasValueLessThan(WORKERS);
        hive.time.advance(Duration.ofSeconds(1));
        assertThat(report).isCompletedWithValueMatching(ended -> ended.killed() == WORKERS);
    }
}
