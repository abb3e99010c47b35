package io.github.workerregistry.examples.hive;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Reads Prometheus' text format, version 0.0.4, and accepts nothing else: each sample belongs to the family above it,
 * no series comes twice, and the text ends with a line end.
 */
final class PrometheusText {

    private static final String NAME = "[a-zA-Z_:][a-zA-Z0-9_:]*";
    private static final String LABEL = "[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\\\n]|\\\\[\\\\\"n])*\"";
    private static final Pattern SAMPLE = Pattern.compile(
            "(" + NAME + ")(?:\\{((?:" + LABEL + "(?:,|(?=})))*)})? (NaN|[+-]Inf|[+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)");
    private static final Pattern TYPE =
            Pattern.compile("# TYPE (" + NAME + ") (counter|gauge|histogram|summary|untyped)");
    private static final Pattern HELP = Pattern.compile("# HELP (" + NAME + ") (?:[^\\\\]|\\\\[\\\\n])*");

    private final Map<String, String> types = new HashMap<>();
    private final Set<String> helped = new HashSet<>();
    private final Map<String, Double> samples = new TreeMap<>();
    private String family = "";

    private PrometheusText() {}

    /** The samples, by name and labels as they are written. */
    static Map<String, Double> read(String text) {
        if (!text.endsWith("\n")) {
            throw new AssertionError("no line end at the end");
        }
        PrometheusText reader = new PrometheusText();
        text.lines().forEach(reader::line);
        return reader.samples;
    }

    private void line(String line) {
        Matcher help = HELP.matcher(line);
        Matcher type = TYPE.matcher(line);
        Matcher sample = SAMPLE.matcher(line);
        if (help.matches()) {
            require(helped.add(help.group(1)), line);
        } else if (type.matches()) {
            family = type.group(1);
            require(types.put(family, type.group(2)) == null, line);
        } else {
            require(sample.matches() && belongs(sample.group(1)), line);
            String labels = sample.group(2) == null ? "" : sample.group(2);
            require(samples.put(sample.group(1) + "{" + labels + "}", value(sample.group(3))) == null, line);
        }
    }

    private boolean belongs(String name) {
        String suffix = name.startsWith(family) ? name.substring(family.length()) : "?";
        return switch (types.getOrDefault(family, "")) {
            case "histogram" -> suffix.matches("_bucket|_sum|_count");
            case "summary" -> suffix.matches("|_sum|_count");
            default -> suffix.isEmpty();
        };
    }

    private static double value(String text) {
        return text.endsWith("Inf") ? Double.parseDouble(text.replace("Inf", "Infinity")) : Double.parseDouble(text);
    }

    private static void require(boolean valid, String line) {
        if (!valid) {
            throw new AssertionError("not Prometheus' text format: " + line);
        }
    }
}
