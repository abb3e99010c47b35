package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

@ExtendWith(UnexpectedWarnings.class)
class LifecycleConfigTest {

    static Stream<Arguments> durations() {
        return Stream.of(
                knob("healthInterval", LifecycleConfig.Builder::healthInterval),
                knob("healthTimeout", LifecycleConfig.Builder::healthTimeout),
                knob("readyInterval", LifecycleConfig.Builder::readyInterval),
                knob("loadStallTimeout", LifecycleConfig.Builder::loadStallTimeout),
                knob("loadTimeout", LifecycleConfig.Builder::loadTimeout),
                knob("heartbeatInterval", LifecycleConfig.Builder::heartbeatInterval),
                knob("busyTimeout", LifecycleConfig.Builder::busyTimeout),
                knob("suspicionTimeout", LifecycleConfig.Builder::suspicionTimeout),
                knob("idleTimeout", LifecycleConfig.Builder::idleTimeout),
                knob("idleCheckInterval", LifecycleConfig.Builder::idleCheckInterval),
                knob("drainTimeout", LifecycleConfig.Builder::drainTimeout),
                knob("stopGrace", LifecycleConfig.Builder::stopGrace),
                knob("killTimeout", LifecycleConfig.Builder::killTimeout),
                knob("tickInterval", LifecycleConfig.Builder::tickInterval));
    }

    private static Arguments knob(
            String name, BiFunction<LifecycleConfig.Builder, Duration, LifecycleConfig.Builder> setter) {
        return Arguments.of(name, Named.of("setter", setter));
    }

    @ParameterizedTest
    @MethodSource("durations")
    void aDurationOutOfRangeIsRefusedByName(
            String name, BiFunction<LifecycleConfig.Builder, Duration, LifecycleConfig.Builder> setter) {
        for (Duration bad : new Duration[] {
            Duration.ZERO,
            Duration.ofNanos(-1),
            Duration.ofSeconds(1_000_000_000_000L),
            Duration.ofSeconds(Long.MAX_VALUE)
        }) {
            LifecycleConfig.Builder builder = setter.apply(LifecycleConfig.builder(), bad);
            assertThatThrownBy(builder::build)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(name)
                    .hasMessageContaining(bad.toString());
        }
    }

    @Test
    void aTimeoutLongerThanItsIntervalIsRefusedInAnyOrder() {
        assertThatThrownBy(() -> LifecycleConfig.builder()
                        .healthTimeout(Duration.ofSeconds(2))
                        .healthInterval(Duration.ofSeconds(1))
                        .build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("healthTimeout must be <= healthInterval, was PT2S > PT1S");
    }

    @Test
    void aThresholdBelowOneIsRefused() {
        assertThatThrownBy(() -> LifecycleConfig.builder().failureThreshold(0).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("failureThreshold");
    }

    @ParameterizedTest
    @MethodSource("durations")
    void theLongestDurationIsAccepted(
            String name, BiFunction<LifecycleConfig.Builder, Duration, LifecycleConfig.Builder> setter) {
        Duration longest = Duration.ofDays(36_500);
        LifecycleConfig.Builder builder = setter.apply(LifecycleConfig.builder().healthInterval(longest), longest);

        assertThatCode(builder::build).as(name).doesNotThrowAnyException();
    }

    @Test
    void aThresholdOfOneIsAccepted() {
        LifecycleConfig config =
                LifecycleConfig.builder().failureThreshold(1).heartbeatMisses(1).build();

        assertThat(config.failureThreshold()).isEqualTo(1);
        assertThat(config.heartbeatMisses()).isEqualTo(1);
    }

    @Test
    void theDefaultsAreThoseOfTheDocumentation() {
        LifecycleConfig config = LifecycleConfig.defaults();
        assertThat(config.healthInterval()).hasSeconds(30);
        assertThat(config.healthTimeout()).hasSeconds(5);
        assertThat(config.failureThreshold()).isEqualTo(3);
        assertThat(config.readyInterval()).hasMillis(250);
        assertThat(config.loadStallTimeout()).hasMinutes(2);
        assertThat(config.loadTimeout()).isEmpty();
        assertThat(config.heartbeatInterval()).hasSeconds(5);
        assertThat(config.heartbeatMisses()).isEqualTo(3);
        assertThat(config.busyTimeout()).isEmpty();
        assertThat(config.suspicionTimeout()).hasSeconds(60);
        assertThat(config.idleTimeout()).hasValue(Duration.ofMinutes(5));
        assertThat(config.idleCheckInterval()).hasSeconds(60);
        assertThat(config.drainTimeout()).hasSeconds(30);
        assertThat(config.stopGrace()).hasSeconds(10);
        assertThat(config.killTimeout()).hasSeconds(5);
        assertThat(config.tickInterval()).hasMillis(100);
    }

    @Test
    void aLimitThatWasSetCanBeRemoved() {
        LifecycleConfig config = LifecycleConfig.builder()
                .loadTimeout(Duration.ofMinutes(1))
                .idleTimeout(Duration.ofMinutes(1))
                .noLoadTimeout()
                .noIdleTimeout()
                .build();

        assertThat(config.loadTimeout()).isEmpty();
        assertThat(config.idleTimeout()).isEmpty();
    }

    @Test
    void unsetValuesAreDerivedFromSetOnes() {
        LifecycleConfig config = LifecycleConfig.builder()
                .healthInterval(Duration.ofMillis(200))
                .idleTimeout(Duration.ofSeconds(2))
                .build();
        assertThat(config.healthTimeout()).hasMillis(200);
        assertThat(config.idleCheckInterval()).hasMillis(400);
        assertThat(LifecycleConfig.builder().noIdleTimeout().build().idleCheckInterval())
                .hasSeconds(60);
    }
}
