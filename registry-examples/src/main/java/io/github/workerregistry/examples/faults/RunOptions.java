package io.github.workerregistry.examples.faults;

import io.github.workerregistry.examples.DurationConverter;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.PortRange;
import io.github.workerregistry.lifecycle.RestartPolicy;
import java.time.Duration;
import java.util.OptionalLong;
import picocli.CommandLine.Option;

/** The options, as picocli fills them in, and the times that follow from them. */
final class RunOptions {

    private static final int PORTS_EACH = 2; // few, so that one that is never given back is missed

    @Option(
            names = "--duration",
            paramLabel = "<duration>",
            defaultValue = "1m",
            converter = DurationConverter.class,
            description = "For how long faults are injected (default: ${DEFAULT-VALUE}).")
    private Duration duration;

    @Option(
            names = "--workers",
            paramLabel = "<count>",
            defaultValue = "50",
            description = "How many workers there are, at least 10 (default: ${DEFAULT-VALUE}).")
    private int workers;

    @Option(
            names = "--seed",
            paramLabel = "<number>",
            description = "Repeats the choice of faults, though not what comes of it (default: another each time).")
    private Long seed;

    @Option(
            names = "--pace",
            paramLabel = "<duration>",
            defaultValue = "200ms",
            converter = DurationConverter.class,
            description = "Time from one fault to the next, on average (default: ${DEFAULT-VALUE}).")
    private Duration pace;

    @Option(
            names = "--lease-threads",
            paramLabel = "<count>",
            defaultValue = "8",
            description = "How many threads take leases, at least 2 (default: ${DEFAULT-VALUE}).")
    private int leaseThreads;

    @Option(
            names = "--health-interval",
            paramLabel = "<duration>",
            defaultValue = "1s",
            converter = DurationConverter.class,
            description = "Time between two health checks, and how long one may take (default: ${DEFAULT-VALUE}).")
    private Duration healthInterval;

    @Option(
            names = "--kill-bound",
            paramLabel = "<duration>",
            defaultValue = "1s",
            converter = DurationConverter.class,
            description = "The longest time from SIGKILL to the event (default: ${DEFAULT-VALUE}; the library promises"
                    + " 250ms on a machine that has time).")
    private Duration killBound;

    @Option(
            names = "--margin",
            paramLabel = "<duration>",
            defaultValue = "2s",
            converter = DurationConverter.class,
            description = "What a loaded machine may add to all other bounds (default: ${DEFAULT-VALUE}).")
    private Duration margin;

    @Option(
            names = "--first-port",
            paramLabel = "<port>",
            description = "From here on there are two ports for each worker (default: where so many are free).")
    private Integer firstPort;

    @Option(names = "--verbose", description = "Shows what the library logs.")
    private boolean verbose;

    Duration duration() {
        return duration;
    }

    int workers() {
        return workers;
    }

    OptionalLong seed() {
        return seed == null ? OptionalLong.empty() : OptionalLong.of(seed);
    }

    Duration pace() {
        return pace;
    }

    int leaseThreads() {
        return leaseThreads;
    }

    PortRange ports() {
        int count = PORTS_EACH * workers;
        int first = firstPort != null ? firstPort : FreePorts.first(count);
        return PortRange.of(first, first + count - 1);
    }

    boolean isVerbose() {
        return verbose;
    }

    /** What is wrong with them; empty if nothing is. */
    String complaint() {
        return workers < 10
                ? "--workers must be at least 10, was " + workers
                : leaseThreads < 2 ? "--lease-threads must be at least 2, was " + leaseThreads : "";
    }

    /** The times of the run, short ones, and the bounds that follow from them. */
    Bounds bounds() {
        LifecycleConfig config = LifecycleConfig.builder()
                .healthInterval(healthInterval)
                .healthTimeout(healthInterval)
                .failureThreshold(3)
                .readyInterval(Duration.ofMillis(100))
                .loadStall(Duration.ofSeconds(30))
                .heartbeatInterval(healthInterval)
                .heartbeatMisses(4) // or a pause, which has to be survived, might take too many of them
                .suspectLimit(Duration.ofSeconds(10))
                .idleTimeout(healthInterval.multipliedBy(8))
                .idleCheck(healthInterval)
                .drain(Duration.ofSeconds(2))
                .stopGrace(Duration.ofSeconds(1))
                .killWait(Duration.ofSeconds(5))
                .build();
        RestartPolicy restart = RestartPolicy.builder()
                .initial(Duration.ofMillis(100))
                .max(Duration.ofMillis(400))
                .stableAfter(Duration.ofSeconds(2))
                .limit(6)
                .window(Duration.ofSeconds(30))
                .build();
        return new Bounds(config, restart, killBound, Duration.ofSeconds(30), margin);
    }
}
