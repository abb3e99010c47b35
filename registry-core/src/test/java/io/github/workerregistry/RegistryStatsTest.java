package io.github.workerregistry;

import static io.github.workerregistry.Refusals.assertRefused;
import static io.github.workerregistry.SomeWorkers.BUSY;
import static io.github.workerregistry.SomeWorkers.IDLE;
import static io.github.workerregistry.SomeWorkers.LOADING;
import static io.github.workerregistry.SomeWorkers.STOPPING;
import static io.github.workerregistry.SomeWorkers.backingOff;
import static io.github.workerregistry.SomeWorkers.crash;
import static io.github.workerregistry.SomeWorkers.exit;
import static io.github.workerregistry.SomeWorkers.idle;
import static io.github.workerregistry.SomeWorkers.loading;
import static io.github.workerregistry.SomeWorkers.worker;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.testing.VirtualTime;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What {@link RegistryStats} counts. */
@ExtendWith(UnexpectedWarnings.class)
class RegistryStatsTest {

    private final VirtualTime time = new VirtualTime();
    private final WorkerRegistry registry =
            WorkerRegistry.builder().node("gpu-1").clock(time).build();

    private WorkerInfo now(String id) {
        return registry.get(id).orElseThrow();
    }

    @Test
    void statesAndTheSlotsOfRoutableWorkersAreCounted() {
        registry.register(worker("loading").slotsTotal(100).build());
        registry.register(idle("idle", 2));
        registry.register(idle("busy", 4));
        registry.tryAcquireFrom("busy");
        registry.register(idle("reported", 8));
        registry.updateState("reported", BUSY);
        registry.register(idle("backing off", 100));
        registry.updateState("backing off", backingOff(now("backing off")));
        registry.register(idle("stopping", 100));
        registry.tryAcquireFrom("stopping");
        registry.updateState("stopping", STOPPING);

        RegistryStats stats = registry.stats();

        assertThat(stats.loading()).isEqualTo(1);
        assertThat(stats.idle()).isEqualTo(1);
        assertThat(stats.busy()).isEqualTo(2);
        assertThat(stats.backingOff()).isEqualTo(1);
        assertThat(stats.stopping()).isEqualTo(1);
        assertThat(stats.workers()).isEqualTo(6);
        assertThat(stats.slotsTotal()).isEqualTo(14);
        assertThat(stats.slotsInUse()).isEqualTo(9);
    }

    @Test
    void transitionsAndChecksSinceCreationAreCounted() {
        registry.register(loading("w"));
        registry.updateState("w", IDLE);
        registry.incrementFailedHealthChecks("w");
        registry.incrementFailedHealthChecks("w");
        registry.supervision().checkPassed(now("w").incarnation());
        registry.updateState("w", backingOff(now("w")));
        registry.updateState("w", LOADING);
        registry.updateState("w", IDLE);
        registry.supervision().remove(crash(now("w")));
        registry.register(loading("v"));
        registry.remove("v");
        registry.register(loading("u"));
        assertThat(registry.supervision().checkUnknown(now("u").incarnation())).isTrue();
        assertThat(registry.supervision().checkUnknown(loading("unknown").incarnation()))
                .isFalse();
        registry.remove("u");

        assertThat(registry.stats())
                .isEqualTo(RegistryStats.builder()
                        .registered(3)
                        .becameReady(2)
                        .crashed(2)
                        .restarted(1)
                        .healthChecksFailed(2)
                        .healthChecksUnknown(1)
                        .endedBy(Map.of(Exit.Cause.CRASHED, 2L, Exit.Cause.DEREGISTERED, 2L))
                        .build());
        assertThat(registry.stats().ended(Exit.Cause.CRASHED)).isEqualTo(2);
        assertThat(registry.stats().ended(Exit.Cause.UNHEALTHY)).isZero();
    }

    @Test
    void crashIsCountedOnceIfTheWorkerIsRemovedAfterIt() {
        registry.register(idle("w", 1));
        Exit crash = crash(now("w"));
        registry.updateState("w", backingOff(now("w")));
        registry.supervision().remove(crash);

        assertThat(registry.stats().crashed()).isEqualTo(1);
        assertThat(registry.stats().endedBy()).containsExactly(Map.entry(Exit.Cause.CRASHED, 1L));
    }

    @Test
    void requestedExitIsNoCrash() {
        registry.register(idle("w", 1));
        registry.supervision().remove(exit(now("w"), Exit.Cause.REQUESTED, 143));

        assertThat(registry.stats().crashed()).isZero();
    }

    static Stream<Method> countsOfABuilder() {
        return Stream.of(RegistryStats.Builder.class.getDeclaredMethods())
                .filter(setter -> setter.getParameterCount() == 1
                        && setter.getParameterTypes()[0].isPrimitive()
                        && !setter.isSynthetic());
    }

    @ParameterizedTest
    @MethodSource("countsOfABuilder")
    void negativeCountIsRefused(Method setter) throws Exception {
        RegistryStats.Builder builder = RegistryStats.builder();
        if (setter.getParameterTypes()[0] == int.class) {
            setter.invoke(builder, -1);
        } else {
            setter.invoke(builder, -1L);
        }

        assertRefused(builder::build, setter.getName(), "-1");
    }

    @Test
    void negativeEndsAndTimesAreRefused() {
        assertRefused(
                () -> RegistryStats.builder()
                        .endedBy(Map.of(Exit.Cause.CRASHED, -1L))
                        .build(),
                "endedBy CRASHED",
                "-1");
        assertRefused(
                () -> RegistryStats.builder().timeWaited(Duration.ofNanos(-1)).build(), "timeWaited");
    }

    @Test
    void statsAreASnapshot() {
        registry.register(idle("w", 1));
        registry.remove("w");
        RegistryStats before = registry.stats();
        registry.register(idle("w", 1));
        registry.remove("w");

        assertThat(before.ended(Exit.Cause.DEREGISTERED)).isEqualTo(1);
        assertThat(before.endedBy()).isUnmodifiable();
    }
}
