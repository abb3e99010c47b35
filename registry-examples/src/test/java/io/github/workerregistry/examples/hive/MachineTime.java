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
 * Measures how long something takes on a machine that others use, too: real time, without that in which any process of
 * the machine was ready and waited for a CPU. On a machine with a CPU to spare that is real time. The kernel has to
 * count that wait: the pressure stall information of Linux.
 */
public final class MachineTime {

    private static final Path PRESSURE = Path.of("/proc/pressure/cpu");
    private static final Pattern TOTAL = Pattern.compile("some .*total=(\\d+)");

    private final long beginNanos = System.nanoTime();
    private final Optional<Duration> waitedBefore = waited();

    /**
     * Since this was made. Empty where it cannot be measured.
     *
     * @return the time
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
