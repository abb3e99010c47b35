package io.github.workerregistry.examples.hive;

import io.github.workerregistry.lifecycle.PortPool;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.TypeConversionException;

/** Reads a range of ports: {@code 8100-8199}. */
public final class PortRangeConverter implements ITypeConverter<PortPool> {

    private static final Pattern FORMAT = Pattern.compile("(\\d{1,5})-(\\d{1,5})");

    /** For picocli. */
    public PortRangeConverter() {}

    /**
     * Converts.
     *
     * @param text first and last port, both included
     * @return the range
     * @throws TypeConversionException if it is malformed
     */
    @Override
    public PortPool convert(String text) {
        Matcher parts = FORMAT.matcher(text);
        if (!parts.matches()) {
            throw new TypeConversionException("'" + text + "' is not a range such as 8100-8199");
        }
        try {
            return PortPool.of(Integer.parseInt(parts.group(1)), Integer.parseInt(parts.group(2)));
        } catch (IllegalArgumentException e) {
            throw new TypeConversionException(e.getMessage());
        }
    }
}
