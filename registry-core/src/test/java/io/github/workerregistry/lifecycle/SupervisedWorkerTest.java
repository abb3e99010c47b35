package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.WorkerRegistry;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class SupervisedWorkerTest {

    private static final Duration KILL_TIMEOUT = Duration.ofSeconds(5);
    private static final Instant NOW = Instant.EPOCH;

    private final StopSequence stop = new StopSequence(KILL_TIMEOUT, new PauseTracker(Duration.ofMinutes(1), NOW));
    private final WorkerRegistry registry = WorkerRegistry.create();
    private final SupervisedWorker worker = new SupervisedWorker(
            new WorkerSeries(
                    "w",
                    VirtualHive.SPEC,
                    new WorkerRules(
                            Optional.empty(), LifecycleConfig.defaults(), RestartPolicy.never(), Optional.empty()),
                    new RestartHistory(RestartPolicy.never()),
                    new SerialExecutor(registry),
                    new OutputFeed(new WorkerName("w", "m", 1), registry, Runnable::run)),
            1,
            Launch.of(VirtualHive.SPEC, "w", 1, OptionalInt.empty()),
            NOW,
            stop);

    /**
     * Regression: a stop that met a spawn refused at the same moment replaced the failed futures, and a shutdown waited
     * for ever.
     */
    @Test
    void stopOfARefusedSpawnDoesNotReplaceItsFailedFutures() {
        worker.fail(new IllegalStateException("the supervisor is shutting down"));

        worker.resetAfterUnkillable();

        assertThat(worker.exit).isCompletedExceptionally();
        assertThat(worker.successor).isCompletedExceptionally();
    }

    @Test
    void stopOfAnUnkillableWorkerReplacesItsFailedFutures() {
        stop.begin(NOW, Duration.ZERO, Duration.ZERO, Duration.ZERO);
        assertThat(stop.next(NOW, 0, false, false)).isEqualTo(StopSequence.Phase.KILLED);
        assertThat(stop.next(NOW.plus(KILL_TIMEOUT), 0, false, true)).isEqualTo(StopSequence.Phase.UNKILLABLE);
        worker.fail(new IllegalStateException("unkillable"));

        worker.resetAfterUnkillable();

        assertThat(worker.exit).isNotDone();
        assertThat(worker.successor).isNotDone();
    }
}
