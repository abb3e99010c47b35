package io.github.workerregistry;

import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.START;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.github.workerregistry.testing.VirtualTime;
import java.time.Duration;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

/** Counts of failed health checks, heartbeats and process ids. */
@ExtendWith(UnexpectedWarnings.class)
class HealthChecksAndHeartbeatsTest {

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().node("gpu-1").clock(time).build();

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    private void later() {
        time.advance(Duration.ofSeconds(1));
    }

    @Test
    void failedHealthChecksAreCountedAndReset() {
        registry.register(idle("w", 1));

        assertThat(registry.incrementFailedHealthChecks("w")).hasValue(1);
        assertThat(registry.incrementFailedHealthChecks("w")).hasValue(2);
        assertThat(now("w").failedHealthChecks()).isEqualTo(2);
        assertThat(registry.supervision().checkPassed(now("w").incarnation())).isTrue();
        assertThat(now("w").failedHealthChecks()).isZero();
        assertThat(registry.incrementFailedHealthChecks("w")).hasValue(1);
    }

    @Test
    void countOfFailedHealthChecksDoesNotOverflow() {
        registry.register(worker("w").failedHealthChecks(Integer.MAX_VALUE).build());

        assertThat(registry.incrementFailedHealthChecks("w")).hasValue(Integer.MAX_VALUE);
    }

    @Test
    void checksAndHeartbeatsOfAnUnknownWorkerHaveNoEffect() {
        assertThat(registry.incrementFailedHealthChecks("w")).isEmpty();
        assertThat(registry.supervision().checkFailed(loading("w"))).isEmpty();
        assertThat(registry.supervision().checkPassed(loading("w").incarnation()))
                .isFalse();
        assertThat(registry.heartbeat("w")).isFalse();
    }

    /**
     * Regression: a check wrote back the state read before it and updated the last activity, so that no worker stayed
     * idle for long.
     */
    @Test
    void healthChecksChangeNeitherStateNorLastActivity() {
        registry.register(idle("w", 2));
        later();

        registry.incrementFailedHealthChecks("w");
        assertThat(now("w"))
                .isEqualTo(idle("w", 2).toBuilder().failedHealthChecks(1).build());
        registry.supervision().checkPassed(now("w").incarnation());
        assertThat(now("w")).isEqualTo(idle("w", 2));
    }

    @Test
    void healthChecksDoNotAffectLeases() {
        registry.register(idle("w", 2));
        SlotLease lease = registry.tryAcquireFrom("w").orElseThrow();

        registry.incrementFailedHealthChecks("w");
        registry.supervision().checkPassed(now("w").incarnation());

        assertThat(now("w").slotsInUse()).isEqualTo(1);
        assertThat(lease.isValid()).isTrue();
    }

    @Test
    void heartbeatIsRecordedAndIsNoActivity() {
        registry.register(idle("w", 1));
        later();

        assertThat(registry.heartbeat("w")).isTrue();
        assertThat(now("w"))
                .isEqualTo(
                        idle("w", 1).toBuilder().lastHeartbeat(time.instant()).build());
    }

    @Test
    void pidBelongsToAnIncarnation() {
        registry.register(loading("w"));

        Incarnation first = now("w").incarnation();
        assertThat(registry.supervision().started(first, 4711)).contains(now("w"));
        assertThat(now("w").pid()).hasValue(4711);
        assertThat(now("w").lastActivity()).isEqualTo(START);

        registry.updateState("w", backingOff(now("w")));
        registry.updateState("w", LOADING);
        assertThat(registry.supervision().started(first, 4712)).isEmpty();
        assertThat(now("w").pid()).isEmpty();
        assertThat(registry.supervision()
                        .started(now("w").incarnation(), 4713)
                        .orElseThrow()
                        .pid())
                .hasValue(4713);
        assertThat(registry.supervision().started(loading("unknown").incarnation(), 4714))
                .isEmpty();
    }

    @Test
    void nonPositivePidIsRefusedAndNotStored() {
        registry.register(loading("w"));

        assertThatIllegalArgumentException()
                .isThrownBy(() -> registry.supervision().started(loading("w").incarnation(), 0))
                .withMessage("pid must be > 0, was 0");
        assertThatIllegalArgumentException()
                .isThrownBy(
                        () -> registry.supervision().started(loading("unknown").incarnation(), 0));
        assertThat(now("w").pid()).isEqualTo(OptionalLong.empty());
        assertThat(registry.supervision().started(loading("w").incarnation(), 1))
                .isPresent();
    }
}
