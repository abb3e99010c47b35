package io.github.workerregistry.examples.faults;

import io.github.workerregistry.examples.DurationConverter;
import io.github.workerregistry.lifecycle.LifecycleConfig;
import io.github.workerregistry.lifecycle.PortPool;
import io.github.workerregistry.lifecycle.RestartPolicy;
import java.time.Duration;
import java.util.OptionalLong;
import picocli.CommandLine.Option;

/** The options, set by picocli, and the times derived from them. */
final class RunOptions {

    private static final int PORTS_EACH = 2; // few, so that a leaked port is noticed
    private static final int POOL_PORTS = PORTS_EACH * PoolModels.ROOM;

    @Option(
            names = "--duration",
            paramLabel = "<duration>",
            defaultValue = "1m",
            converter = DurationConverter.class,
            description = "Duration of fault injection (default: ${DEFAULT-VALUE}).")
    private Duration duration;

    @Option(
            names = "--workers",
            paramLabel = "<count>",
            defaultValue = "50",
            description = "Number of workers, at least 10 (default: ${DEFAULT-VALUE}).")
    private int workers;

    @Option(
            names = "--seed",
            paramLabel = "<number>",
            description = "Repeats the sequence of faults, but not their effects (default: random).")
    private Long seed;

    @Option(
            names = "--pace",
            paramLabel = "<duration>",
            defaultValue = "200ms",
            converter = DurationConverter.class,
            description = "Mean time between two faults (default: ${DEFAULT-VALUE}).")
    private Duration pace;

    @Option(
            names = "--lease-threads",
            paramLabel = "<count>",
            defaultValue = "8",
            description = "Number of threads that acquire leases, at least 2 (default: ${DEFAULT-VALUE}).")
    private int leaseThreads;

    @Option(
            names = "--health-interval",
            paramLabel = "<duration>",
            defaultValue = "1s",
            converter = DurationConverter.class,
            description = "Health interval and health timeout (default: ${DEFAULT-VALUE}).")
    private Duration healthInterval;

    @Option(
            names = "--kill-bound",
            paramLabel = "<duration>",
            defaultValue = "1s",
            converter = DurationConverter.class,
            description = "Maximum time from SIGKILL to the event (default: ${DEFAULT-VALUE}; the library guarantees"
                    + " 250ms on a machine without overload).")
    private Duration killBound;

    @Option(
            names = "--margin",
            paramLabel = "<duration>",
            defaultValue = "2s",
            converter = DurationConverter.class,
            description = "Added to all other bounds for a loaded machine (default: ${DEFAULT-VALUE}).")
    private Duration margin;

    @Option(
            names = "--first-port",
            paramLabel = "<port>",
            description = "The first of two ports per worker, and six of the model pool (default: a free range).")
    private Integer firstPort;

    @Option(names = "--verbose", description = "Shows the log of the library.")
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

    PortPool ports() {
        return PortPool.of(firstPort(), firstPort() + portCount() - 1);
    }

    /** The ports of the model pool, behind the others. */
    PortPool poolPorts() {
        int first = firstPort() + portCount();
        return PortPool.of(first, first + POOL_PORTS - 1);
    }

    private int portCount() {
        return PORTS_EACH * workers;
    }

    private int firstPort() {
        if (firstPort == null) {
            firstPort = FreePorts.first(portCount() + POOL_PORTS);
        }
        return firstPort;
    }

    boolean isVerbose() {
        return verbose;
    }

    /** The error in the options; empty if they are valid. */
    String complaint() {
        return workers < 10
                ? "--workers must be at least 10, was " + workers
                : leaseThreads < 2 ? "--lease-threads must be at least 2, was " + leaseThreads : "";
    }

    /** The short times of the run, and the bounds derived from them. */
    Bounds bounds() {
        LifecycleConfig config = LifecycleConfig.builder()
                .healthInterval(healthInterval)
                .healthTimeout(healthInterval)
                .failureThreshold(3)
                .readyInterval(Duration.ofMillis(100))
                .loadStallTimeout(Duration.ofSeconds(30))
                .heartbeatInterval(healthInterval)
                .heartbeatMisses(4) // otherwise a pause, which must be survived, could miss too many of them
                .suspicionTimeout(Duration.ofSeconds(10))
                .idleTimeout(healthInterval.multipliedBy(8))
                .idleCheckInterval(healthInterval)
                .drainTimeout(Duration.ofSeconds(2))
                .stopGrace(Duration.ofSeconds(1))
                .killTimeout(Duration.ofSeconds(5))
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
