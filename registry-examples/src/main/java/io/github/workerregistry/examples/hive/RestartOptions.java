package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.DurationConverter;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.RestartPolicy.Mode;
import java.time.Duration;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Whether and when workers are started again. A field that is null was not given, as in {@link HiveOptions}. */
final class RestartOptions {

    @Option(
            names = "--restart",
            paramLabel = "<mode>",
            converter = ModeConverter.class,
            description =
                    "Which workers are started again: on-failure (crashed or given up), always (also after an exit"
                            + " with code 0 that nobody asked for) or never (default: on-failure).")
    private Mode mode;

    @Option(
            names = "--restart-initial",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "How long the first restart waits, give or take a fifth; each further one waits twice as long"
                    + " (default: 1s).")
    private Duration initial;

    @Option(
            names = "--restart-max",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "The longest wait before a restart (default: 60s).")
    private Duration max;

    @Option(
            names = "--restart-stable",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "How long a worker has to be ready until the waits begin anew (default: 10m).")
    private Duration stable;

    @Option(
            names = "--restart-limit",
            paramLabel = "<count>",
            description = "How many restarts within the window; the next failure is the last (default: 5).")
    private Integer limit;

    @Option(
            names = "--restart-window",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description =
                    "How far back restarts are counted; must be longer than the first --restart-limit waits together"
                            + " (default: 10m).")
    private Duration window;

    /** How many restarts there may be within the window, if that was given. */
    Optional<Integer> limit() {
        return Optional.ofNullable(limit);
    }

    /**
     * The policy. Only what was given is set.
     *
     * @throws IllegalArgumentException if the values do not fit together
     */
    RestartPolicy policy() {
        RestartPolicy.Builder policy = RestartPolicy.builder();
        HiveOptions.ifGiven(mode, policy::mode);
        HiveOptions.ifGiven(initial, policy::initial);
        HiveOptions.ifGiven(max, policy::max);
        HiveOptions.ifGiven(stable, policy::stableAfter);
        HiveOptions.ifGiven(limit, policy::limit);
        HiveOptions.ifGiven(window, policy::window);
        return policy.build();
    }

    /** Reads {@code on-failure}, {@code always} and {@code never}. */
    static final class ModeConverter implements ITypeConverter<Mode> {
        @Override
        public Mode convert(String text) {
            return switch (text) {
                case "on-failure" -> Mode.ON_FAILURE;
                case "always" -> Mode.ALWAYS;
                case "never" -> Mode.NEVER;
                default -> throw new TypeConversionException("'" + text + "' is not on-failure, always or never");
            };
        }
    }
}
