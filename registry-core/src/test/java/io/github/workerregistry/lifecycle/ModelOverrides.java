package io.github.workerregistry.lifecycle;

import java.time.Duration;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Builders;
import net.jqwik.api.Combinators;

/** The rules of a spec that replace those of the supervisor; random ones, of the size of {@link ModelConfig}. */
record ModelOverrides(
        Optional<LifecycleConfig> lifecycle,
        Optional<RestartPolicy> restartPolicy,
        boolean healthProbe,
        boolean stopRequest) {

    static Arbitrary<ModelOverrides> random() {
        return Combinators.combine(
                        lifecycles().optional(),
                        policies().optional(),
                        Arbitraries.of(true, false),
                        Arbitraries.of(true, false))
                .as(ModelOverrides::new);
    }

    private static Arbitrary<LifecycleConfig> lifecycles() {
        return Builders.withBuilder(() -> LifecycleConfig.builder()
                        .tickInterval(Duration.ofDays(1)) // both are ignored
                        .suspicionTimeout(Duration.ofDays(1)))
                .use(seconds(1, 4))
                .in(LifecycleConfig.Builder::readyInterval)
                .use(seconds(4, 12))
                .in(LifecycleConfig.Builder::healthInterval)
                .use(seconds(1, 4))
                .in(LifecycleConfig.Builder::healthTimeout)
                .use(Arbitraries.integers().between(1, 3))
                .in(LifecycleConfig.Builder::failureThreshold)
                .use(seconds(8, 40))
                .in(LifecycleConfig.Builder::loadStallTimeout)
                .use(seconds(30, 90).optional())
                .in((config, limit) -> limit.map(config::loadTimeout).orElse(config))
                .use(seconds(2, 8))
                .in(LifecycleConfig.Builder::heartbeatInterval)
                .use(Arbitraries.integers().between(1, 3))
                .in(LifecycleConfig.Builder::heartbeatMisses)
                .use(seconds(10, 90).optional())
                .in((config, limit) -> limit.map(config::idleTimeout).orElseGet(config::noIdleTimeout))
                .use(seconds(2, 15))
                .in(LifecycleConfig.Builder::idleCheckInterval)
                .use(seconds(2, 30))
                .in(LifecycleConfig.Builder::drainTimeout)
                .use(seconds(2, 12))
                .in(LifecycleConfig.Builder::stopGrace)
                .use(seconds(2, 8))
                .in(LifecycleConfig.Builder::killTimeout)
                .build(LifecycleConfig.Builder::build);
    }

    private static Arbitrary<RestartPolicy> policies() {
        return Builders.withBuilder(() -> RestartPolicy.builder().jitter(0))
                .use(Arbitraries.of(RestartPolicy.Mode.class))
                .in(RestartPolicy.Builder::mode)
                .use(seconds(1, 5))
                .in(RestartPolicy.Builder::initial)
                .use(seconds(5, 30))
                .in(RestartPolicy.Builder::max)
                .use(seconds(5, 90))
                .in(RestartPolicy.Builder::stableAfter)
                .use(Arbitraries.integers().between(1, 3))
                .in(RestartPolicy.Builder::limit)
                .use(seconds(100, 200))
                .in(RestartPolicy.Builder::window)
                .build(RestartPolicy.Builder::build);
    }

    private static Arbitrary<Duration> seconds(int least, int most) {
        return Arbitraries.integers().between(least, most).map(Duration::ofSeconds);
    }
}
