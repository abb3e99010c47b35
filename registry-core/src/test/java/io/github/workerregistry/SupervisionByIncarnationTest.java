package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.WorkerState.Loading;
import io.github.workerregistry.testing.RecordingListener;
import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Calls of {@link Supervision} that apply to one incarnation of a worker only. */
@ExtendWith(UnexpectedWarnings.class)
class SupervisionByIncarnationTest {

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

    @Test
    void transitionAppliesToTheIncarnationThoughTheWorkerHasChanged() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now("w");
        registry.tryAcquire(seen.modelRef()).orElseThrow().close();

        assertThat(registry.supervision().transitionIfUnchanged(seen, STOPPING)).isEmpty();
        assertThat(registry.supervision().transition(seen.incarnation(), STOPPING))
                .contains(now("w"));
    }

    @Test
    void transitionDoesNotApplyToAnotherIncarnation() {
        registry.register(idle("w", 1));
        WorkerInfo seen = now("w");
        registry.remove("w");
        registry.register(idle("w", 1).toBuilder()
                .startedAt(seen.startedAt().plusNanos(1))
                .build());

        assertThat(registry.supervision().transition(seen.incarnation(), STOPPING))
                .isEmpty();
        assertThat(now("w").state()).isEqualTo(IDLE);
    }

    /** A hive may register another worker under the id of a removed one, with generation 1 again. */
    @Test
    void callsForARemovedWorkerDoNotApplyToItsSuccessor() {
        registry.register(idle("w", 1));
        Supervision supervision = registry.supervision();
        WorkerInfo former = now("w");
        Incarnation old = former.incarnation();
        registry.remove("w");
        WorkerInfo successor = idle("w", 1).toBuilder()
                .startedAt(START.plusNanos(1))
                .failedHealthChecks(1)
                .build();
        registry.register(successor);
        RegistryStats before = registry.stats();
        RecordingListener heard = listen();

        assertThat(supervision.started(old, 4711)).isEmpty();
        assertThat(supervision.checkPassed(old)).isFalse();
        assertThat(supervision.checkFailed(former)).isEmpty();
        assertThat(supervision.checkUnknown(old)).isFalse();
        assertThat(supervision.suspect(old, StopReason.UNHEALTHY)).isFalse();
        assertThat(supervision.endLeasing(old)).isFalse();
        assertThat(supervision.transition(old, STOPPING)).isEmpty();
        assertThat(supervision.transitionIfUnchanged(former, STOPPING)).isEmpty();
        assertThat(supervision.remove(crash(former))).isEmpty();
        assertThat(supervision.removeIfUnchanged(former, REASON)).isEmpty();
        assertThat(registry.updateState("w", backingOff(former))).isEmpty();

        assertThat(now("w")).isEqualTo(successor);
        assertThat(registry.stats()).isEqualTo(before);
        assertThat(heard.events()).isEmpty();
        assertThat(registry.tryAcquireFrom("w").orElseThrow().incarnation()).isEqualTo(successor.incarnation());
    }

    @Test
    void callsForTheCurrentIncarnationApply() {
        registry.register(worker("w").state(IDLE).failedHealthChecks(1).build());
        Supervision supervision = registry.supervision();
        Incarnation current = now("w").incarnation();

        assertThat(supervision.started(current, 4711)).contains(now("w"));
        assertThat(supervision.checkPassed(current)).isTrue();
        assertThat(now("w").failedHealthChecks()).isZero();
        assertThat(supervision.checkUnknown(current)).isTrue();
        assertThat(supervision.suspect(current, StopReason.UNHEALTHY)).isTrue();
        assertThat(supervision.clearSuspicion(new Incarnation("w", 1, START.plusNanos(1))))
                .as("another incarnation")
                .isFalse();
        assertThat(supervision.clearSuspicion(current)).isTrue();
        assertThat(supervision.endLeasing(current)).isTrue();
        assertThat(registry.tryAcquireFrom("w")).isEmpty();
        WorkerInfo last = now("w");
        assertThat(supervision.remove(crash(last))).contains(last);
    }

    @Test
    void backingOffKeepsTheIncarnationAndRestartChangesIt() {
        registry.register(idle("w", 1));
        Incarnation first = now("w").incarnation();
        registry.updateState("w", backingOff(now("w")));
        assertThat(now("w").incarnation()).isEqualTo(first);

        later();
        registry.updateState("w", new Loading(time.instant()));
        assertThat(now("w").incarnation()).isEqualTo(new Incarnation("w", 2, time.instant()));
        assertThat(registry.supervision().transition(first, STOPPING)).isEmpty();
    }
}
