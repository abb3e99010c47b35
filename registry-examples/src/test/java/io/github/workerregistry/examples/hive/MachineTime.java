package io.github.workerregistry.examples.hive;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Measures durations on a loaded machine: real time minus the time in which any process of the machine waited for a
 * CPU. On an idle machine that is real time. Needs the pressure stall information of Linux.
 */
public final class MachineTime {

    private static final Path PRESSURE = Path.of("/proc/pressure/cpu");
    private static final Pattern TOTAL = Pattern.compile("some .*total=(\\d+)");

    private final long beginNanos = System.nanoTime();
    private final Optional<Duration> waitedBefore = waited();

    /**
     * The time since construction.
     *
     * @return the time; empty if it cannot be measured
     */
    public Optional<Duration> elapsed() {
        Duration elapsed = Duration.ofNanos(System.nanoTime() - beginNanos);
        return waitedBefore.flatMap(before -> waited().map(after -> elapsed.minus(after.minus(before))));
    }

    private static Optional<Duration> waited() {
        try {
            Matcher total = TOTAL.matcher(Files.readString(PRESSURE));
            return total.find()
                    ? Optional.of(Duration.of(Long.parseLong(total.group(1)), ChronoUnit.MICROS))
                    : Optional.empty();
        } catch (IOException notCounted) {
            return Optional.empty();
        }
    }
}
