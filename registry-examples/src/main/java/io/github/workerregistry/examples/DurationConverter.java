package io.github.workerregistry.examples;

import java.math.BigInteger;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Parses durations: {@code 500ms}, {@code 2s}, {@code 5m}, {@code 1h}. */
public final class DurationConverter implements ITypeConverter<Duration> {

    private static final Pattern FORMAT = Pattern.compile("(\\d+)(ms|s|m|h)");
    private static final Map<String, ChronoUnit> UNITS =
            Map.of("ms", ChronoUnit.MILLIS, "s", ChronoUnit.SECONDS, "m", ChronoUnit.MINUTES, "h", ChronoUnit.HOURS);
    private static final int MAX_DAYS = 36_500;
    private static final Duration LONGEST = Duration.ofDays(MAX_DAYS);

    /** For picocli. */
    public DurationConverter() {}

    /**
     * Converts.
     *
     * @param text a whole number and a unit
     * @return the duration, greater than zero and at most 36,500 days
     * @throws TypeConversionException if it is malformed
     */
    @Override
    public Duration convert(String text) {
        Matcher parts = FORMAT.matcher(text);
        if (!parts.matches()) {
            throw new TypeConversionException("'" + text + "' is not a duration such as 500ms, 2s, 5m or 1h");
        }
        BigInteger count = new BigInteger(parts.group(1));
        Duration unit = UNITS.get(parts.group(2)).getDuration();
        if (count.signum() == 0) {
            throw new TypeConversionException("'" + text + "' must be > 0");
        }
        if (count.compareTo(BigInteger.valueOf(LONGEST.dividedBy(unit))) > 0) {
            throw new TypeConversionException("'" + text + "' is longer than " + MAX_DAYS + " days");
        }
        return unit.multipliedBy(count.longValueExact());
    }
}
