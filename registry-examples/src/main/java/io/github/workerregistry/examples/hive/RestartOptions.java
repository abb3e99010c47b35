package io.github.workerregistry.examples.hive;

import io.github.workerregistry.examples.DurationConverter;
import io.github.workerregistry.lifecycle.RestartPolicy;
import io.github.workerregistry.lifecycle.RestartPolicy.Mode;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** The restart policy of workers. A field that is null was not given, as in {@link HiveOptions}. */
final class RestartOptions {

    @Option(
            names = "--restart",
            paramLabel = "<mode>",
            converter = ModeConverter.class,
            description = "Which workers are restarted: on-failure (crashed or unhealthy), always (also after an exit"
                    + " with code 0 that was not requested) or never (default: on-failure).")
    private Mode mode;

    @Option(
            names = "--restart-initial",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description =
                    "Delay of the first restart, plus or minus 20 %; doubled for each further one" + " (default: 1s).")
    private Duration initial;

    @Option(
            names = "--restart-max",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "Maximum delay of a restart (default: 60s).")
    private Duration max;

    @Option(
            names = "--restart-stable",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description = "How long a worker must be ready until the delay is reset (default: 10m).")
    private Duration stable;

    @Option(
            names = "--restart-limit",
            paramLabel = "<count>",
            description = "Maximum number of restarts within the window; the next failure is final (default: 5).")
    private Integer limit;

    @Option(
            names = "--restart-window",
            paramLabel = "<duration>",
            converter = DurationConverter.class,
            description =
                    "The window in which restarts are counted; must exceed the sum of the first --restart-limit delays"
                            + " (default: 10m).")
    private Duration window;

    /** The maximum number of restarts within the window, if given. */
    Optional<Integer> limit() {
        return Optional.ofNullable(limit);
    }

    /** The names of the given options that depend on each other. */
    List<String> given() {
        List<String> names = new ArrayList<>();
        HiveOptions.ifGiven(initial, unused -> names.add("--restart-initial"));
        HiveOptions.ifGiven(max, unused -> names.add("--restart-max"));
        HiveOptions.ifGiven(limit, unused -> names.add("--restart-limit"));
        HiveOptions.ifGiven(window, unused -> names.add("--restart-window"));
        return names;
    }

    /**
     * The policy. Only given options are set.
     *
     * @throws IllegalArgumentException if the values are inconsistent
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
