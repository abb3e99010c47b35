package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.Exit.Cause;
import io.github.workerregistry.UnexpectedWarnings;
import java.time.Duration;
import java.time.Instant;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(UnexpectedWarnings.class)
class RestartPolicyTest {

    private final RestartPolicy policy = RestartPolicy.onFailure();

    @Test
    void delaysDoubleUpToTheLongest() {
        assertThat(IntStream.rangeClosed(1, 9)
                        .mapToObj(attempt -> policy.delay(attempt, 0.5).toSeconds()))
                .containsExactly(1L, 2L, 4L, 8L, 16L, 32L, 60L, 60L, 60L);
    }

    /** The original computed 2^n in 64 bits, which overflows. */
    @ParameterizedTest
    @ValueSource(ints = {64, 65, 1000, Integer.MAX_VALUE})
    void aHighAttemptHasTheLongestDelay(int attempt) {
        assertThat(policy.delay(attempt, 0.5)).hasSeconds(60);
    }

    @Test
    void jitterSpreadsTheDelayUpToTheLongest() {
        assertThat(policy.delay(2, 0)).hasMillis(1600);
        assertThat(policy.delay(2, 1)).hasMillis(2400);
        assertThat(policy.delay(20, 1)).hasSeconds(60);
        assertThat(policy.delay(20, 0)).hasSeconds(48);
    }

    @Test
    void aPolicyWhoseDelaysExceedItsWindowIsRefusedWithBothValues() {
        assertThatThrownBy(() ->
                        RestartPolicy.builder().window(Duration.ofSeconds(31)).build())
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("5 backoffs add up to PT31S")
                .hasMessageContaining("was PT31S");
        assertThat(RestartPolicy.builder()
                        .window(Duration.ofSeconds(32))
                        .build()
                        .limit())
                .isEqualTo(5);
        assertThatThrownBy(
                        () -> RestartPolicy.builder().limit(Integer.MAX_VALUE).build())
                .isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void initialMayEqualMaxAndJitterMayBeZeroOrOne() {
        RestartPolicy even = RestartPolicy.builder()
                .initial(Duration.ofSeconds(60))
                .jitter(1)
                .build();

        assertThat(even.delay(1, 0)).isZero();
        assertThat(even.delay(1, 0.5)).hasSeconds(60);
        assertThat(RestartPolicy.builder().jitter(0).build().delay(1, 0)).hasSeconds(1);
    }

    @Test
    void attemptsRestartAfterTheStableTime() {
        RestartHistory history = new RestartHistory(policy);
        Instant now = Instant.EPOCH;
        assertThat(history.afterFailure(now, Duration.ZERO, 0.5).orElseThrow().attempt())
                .isEqualTo(1);
        assertThat(history.afterFailure(now, policy.stableAfter().minusNanos(1), 0.5)
                        .orElseThrow()
                        .attempt())
                .isEqualTo(2);

        assertThat(history.afterFailure(now, policy.stableAfter(), 0.5)
                        .orElseThrow()
                        .attempt())
                .isEqualTo(1);
    }

    @Test
    void valuesOutOfRangeAreRefusedByName() {
        refused("initial", RestartPolicy.builder().initial(Duration.ZERO));
        refused("max must be >= initial", RestartPolicy.builder().max(Duration.ofMillis(1)));
        refused("jitter", RestartPolicy.builder().jitter(-0.1));
        refused("jitter", RestartPolicy.builder().jitter(1.1));
        refused("jitter", RestartPolicy.builder().jitter(Double.NaN));
        refused("stableAfter", RestartPolicy.builder().stableAfter(Duration.ofSeconds(-1)));
        refused("limit", RestartPolicy.builder().limit(0));
        refused("window", RestartPolicy.builder().window(Duration.ofSeconds(Long.MAX_VALUE)));
        assertThatThrownBy(() -> RestartPolicy.builder().mode(null).build())
                .isInstanceOf(NullPointerException.class)
                .hasMessage("mode");
    }

    private static void refused(String culprit, RestartPolicy.Builder builder) {
        assertThatThrownBy(builder::build)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining(culprit);
    }

    @ParameterizedTest
    @EnumSource(Cause.class)
    void onlyFailuresAndUnrequestedExitsAreRestarted(Cause cause) {
        boolean failure = cause.isFailure();
        assertThat(RestartPolicy.onFailure().covers(cause)).isEqualTo(failure);
        assertThat(RestartPolicy.always().covers(cause)).isEqualTo(failure || cause == Cause.EXITED);
        assertThat(RestartPolicy.never().covers(cause)).isFalse();
    }

    @Test
    void delayOutOfRangeIsRefused() {
        RestartPolicy policy = RestartPolicy.onFailure();

        assertThatThrownBy(() -> policy.delay(0, 0.5)).hasMessageContaining("attempt must be >= 1, was 0");
        assertThatThrownBy(() -> policy.delay(1, 1.5)).hasMessageContaining("random must be 0 to 1, was 1.5");
    }
}
