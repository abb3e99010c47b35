package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Calls of {@link Supervision} that apply only if the worker has not changed since its record was read. */
@ExtendWith(UnexpectedWarnings.class)
class SupervisionIfUnchangedTest {

    private static final StopReason REASON = StopReason.IDLE_TIMEOUT;

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().node("gpu-1").clock(time).build();

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    private void later() {
        time.advance(Duration.ofSeconds(1));
    }

    private RecordingListener listen() {
        RecordingListener heard = new RecordingListener();
        registry.subscribe(heard, Runnable::run);
        return heard;
    }

    /** Fails if a call that depends on this record applies to the worker. */
    private void assertOutOfDate(WorkerInfo seen) {
        List<WorkerInfo> before = registry.list();
        long failed = registry.stats().healthChecksFailed();

        assertThat(registry.supervision().transitionIfUnchanged(seen, STOPPING)).isEmpty();
        assertThat(registry.supervision().removeIfUnchanged(seen, REASON)).isEmpty();
        assertThat(registry.supervision().checkFailed(seen)).isEmpty();

        assertThat(registry.list()).isEqualTo(before);
        assertThat(registry.stats().healthChecksFailed()).isEqualTo(failed);
    }

    @Test
    void unchangedWorkerIsStopped() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now("w");
        later();
        registry.heartbeat("w");
        registry.incrementFailedHealthChecks("w");

        assertThat(registry.supervision().transitionIfUnchanged(seen, STOPPING)).contains(now("w"));
        assertThat(now("w").state()).isEqualTo(STOPPING);
    }

    @Test
    void unchangedWorkerIsRemoved() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now("w");

        assertThat(registry.supervision().removeIfUnchanged(seen, REASON)).contains(seen);
        assertThat(registry.get("w")).isEmpty();
        assertThat(registry.stats().endedBy()).containsExactly(Map.entry(REASON.cause(), 1L));
    }

    @Test
    void failedCheckOfAnUnchangedWorkerCounts() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now("w");

        assertThat(registry.supervision().checkFailed(seen)).hasValue(1);
        assertThat(registry.supervision().checkFailed(seen)).hasValue(2);
    }

    @Test
    void workerWithAnOpenLeaseHasChanged() {
        registry.register(idle("w", 2));
        WorkerInfo seen = now("w");
        registry.tryAcquireFrom("w");

        assertOutOfDate(seen);
    }

    @Test
    void workerThatWasLeasedAndReleasedHasChanged() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now("w");
        later();
        registry.tryAcquireFrom("w").orElseThrow().close();

        assertOutOfDate(seen);
    }

    @Test
    void workerThatWasLeasedReleasedAndReadHasChanged() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now("w");
        later();
        registry.tryAcquireFrom("w").orElseThrow().close();
        registry.list();

        assertOutOfDate(seen);
    }

    /**
     * Regression: a second read in the same instant, or with an earlier clock reading, cleared the mark of the work and
     * left the last activity unchanged.
     */
    @Test
    void workerThatWasLeasedReleasedAndReadInOneInstantHasChanged() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now("w");
        registry.tryAcquireFrom("w").orElseThrow().close();
        registry.list();

        assertOutOfDate(seen);
    }

    @Test
    void workerThatWasReportedBusyHasChanged() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now("w");
        later();
        registry.updateState("w", BUSY);
        assertOutOfDate(seen);

        registry.updateState("w", IDLE);
        assertOutOfDate(seen);
    }

    @Test
    void backingOffWorkerIsRestartedAtAnotherUrl() {
        registry.register(idle("w", 1));
        registry.updateState("w", backingOff(now("w")));
        WorkerInfo seen = now("w");
        RecordingListener heard = listen();

        WorkerInfo restarted = registry.supervision()
                .restartIfUnchanged(seen, new Loading(time.instant()), "http://b")
                .orElseThrow();

        assertThat(restarted.url()).isEqualTo("http://b");
        assertThat(restarted.generation()).isEqualTo(seen.generation() + 1);
        assertThat(restarted.state()).isEqualTo(new Loading(time.instant()));
        assertThat(restarted).isEqualTo(now("w"));
        assertThat(heard.events()).containsExactly(new WorkerEvent.Restarted(restarted));
    }

    @Test
    void onlyABackingOffWorkerIsRestartedAtAnotherUrl() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now("w");

        assertThatExceptionOfType(IllegalTransitionException.class)
                .isThrownBy(
                        () -> registry.supervision().restartIfUnchanged(seen, new Loading(time.instant()), "http://b"));
        assertThat(now("w")).isEqualTo(seen);
        registry.tryAcquireFrom("w");
        assertThat(registry.supervision().restartIfUnchanged(seen, new Loading(time.instant()), "http://b"))
                .isEmpty();
        assertThat(registry.tryAcquireFrom("w")).isEmpty();
    }

    @Test
    void restartAtAMalformedUrlChangesNothing() {
        registry.register(idle("w", 1));
        registry.updateState("w", backingOff(now("w")));
        WorkerInfo seen = now("w");

        assertThatIllegalArgumentException()
                .isThrownBy(() -> registry.supervision().restartIfUnchanged(seen, new Loading(time.instant()), "a\nb"))
                .withMessageContaining("url");
        assertThat(now("w")).isEqualTo(seen);
    }

    @Test
    void restartedWorkerHasChanged() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now("w");
        registry.updateState("w", backingOff(seen));
        assertOutOfDate(seen);

        registry.updateState("w", LOADING);
        registry.updateState("w", IDLE);
        assertOutOfDate(seen);
    }

    @Test
    void removedWorkerIsNotStopped() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now("w");
        registry.remove("w");

        assertOutOfDate(seen);
    }

    /**
     * Regression: generation and state alone did not tell a removed worker from its successor, whose generation is 1
     * again.
     */
    @Test
    void successorOfARemovedWorkerIsAnotherWorker() {
        registry.register(idle("w", 2));
        registry.tryAcquireFrom("w");
        WorkerInfo seen = now("w");
        registry.remove("w");
        later();
        registry.register(idle("w", 2).toBuilder().startedAt(time.instant()).build());
        registry.tryAcquireFrom("w");

        assertOutOfDate(seen);
    }

    @Test
    void transitionOfAChangedWorkerIsEmpty() {
        registry.register(loading("w"));
        WorkerInfo seen = now("w");
        registry.updateState("w", STOPPING);

        assertThat(registry.supervision().transitionIfUnchanged(seen, IDLE)).isEmpty();
    }

    @Test
    void illegalTransitionIsRefused() {
        registry.register(loading("w"));

        assertThatExceptionOfType(IllegalTransitionException.class)
                .isThrownBy(() -> registry.supervision().transitionIfUnchanged(now("w"), BUSY))
                .withMessage("worker w cannot transition from loading to busy: there is no such transition");
    }

    @Test
    void furtherLeasesOfABusyWorkerAreNoChange() {
        registry.register(idle("w", 3));
        registry.tryAcquireFrom("w");
        WorkerInfo seen = now("w");
        later();
        registry.tryAcquireFrom("w");

        assertThat(registry.supervision().checkFailed(seen)).hasValue(1);
        assertThat(registry.supervision()
                        .transitionIfUnchanged(seen, STOPPING)
                        .orElseThrow()
                        .slotsInUse())
                .isEqualTo(2);
    }
}
