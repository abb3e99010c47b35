package io.github.workerregistry.examples.bench;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** The measurements of {@link Latency}: names, which end with their unit, and numbers. */
final class Figures {

    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private final Map<String, Double> values = new LinkedHashMap<>();

    void put(String name, double value) {
        values.put(name, value);
        System.out.printf("%-60s %,.3f%n", name, value);
    }

    /** Median, 99th percentile and maximum of the samples, each divided by {@code unit}. */
    void putSpread(String name, String unitName, double unit, long[] samples) {
        long[] sorted = samples.clone();
        Arrays.sort(sorted);
        put(name + " median " + unitName, at(sorted, 0.5) / unit);
        put(name + " p99 " + unitName, at(sorted, 0.99) / unit);
        put(name + " worst " + unitName, at(sorted, 1) / unit);
    }

    /** The smallest sample that this share of samples does not exceed. */
    private static long at(long[] sorted, double part) {
        return sorted[(int) Math.ceil(part * sorted.length) - 1];
    }

    void write(Path file) throws IOException {
        JSON.writeValue(file.toFile(), values);
    }
}
