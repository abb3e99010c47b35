package io.github.workerregistry.lifecycle;

import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The values of one spawn, and where they go: into arguments, into the url, into the environment. */
final class Placeholders {

    private static final Pattern PLACEHOLDER = Pattern.compile("\\{([a-z][a-z0-9_]*)}");
    private static final Pattern NAME = Pattern.compile("[a-z][a-z0-9_]*");
    private static final Set<String> BUILT_IN = Set.of("id", "port", "model_ref", "backend", "device", "slots");

    private final Map<String, String> values;

    private Placeholders(Map<String, String> values) {
        this.values = values;
    }

    static Placeholders of(WorkerSpec spec, String id, OptionalInt port) {
        Map<String, String> values = new HashMap<>(spec.parameters());
        values.put("id", id);
        values.put("model_ref", spec.modelRef());
        values.put("backend", spec.backend());
        values.put("device", Integer.toString(spec.device()));
        values.put("slots", Integer.toString(spec.slots()));
        port.ifPresent(number -> values.put("port", Integer.toString(number)));
        return new Placeholders(values);
    }

    /** Whether the worker is to be given a port. */
    static boolean needPort(WorkerSpec spec) {
        return spec.url().contains("{port}")
                || spec.command().stream().anyMatch(argument -> argument.contains("{port}"));
    }

    static void requireFillable(List<String> command, String url, Map<String, String> parameters) {
        parameters.forEach((name, value) -> {
            if (!NAME.matcher(name).matches() || BUILT_IN.contains(name)) {
                throw new IllegalArgumentException(
                        "parameter name must be [a-z][a-z0-9_]* and not one of " + BUILT_IN + ", was " + name);
            }
            if (value.indexOf('\0') >= 0) {
                throw new IllegalArgumentException("parameter " + name + " must not contain NUL");
            }
        });
        for (String argument : command) {
            requireKnown(argument, parameters);
        }
        requireKnown(url, parameters);
    }

    private static void requireKnown(String text, Map<String, String> parameters) {
        Matcher found = PLACEHOLDER.matcher(text);
        while (found.find()) {
            String name = found.group(1);
            if (!BUILT_IN.contains(name) && !parameters.containsKey(name)) {
                throw new IllegalArgumentException("no value for placeholder {" + name + "} in \"" + text + "\"");
            }
        }
    }

    /** Fills all placeholders in one pass: a value that looks like a placeholder stays as it is. */
    String fill(String text) {
        return PLACEHOLDER
                .matcher(text)
                .replaceAll(found -> Matcher.quoteReplacement(values.getOrDefault(found.group(1), found.group())));
    }

    List<String> fill(List<String> command) {
        return command.stream().map(this::fill).toList();
    }

    /** The same values as environment variables: {@code WORKER_ID}, {@code WORKER_MODEL_REF}, …. */
    Map<String, String> environment() {
        Map<String, String> variables = new HashMap<>();
        values.forEach((name, value) -> variables.put("WORKER_" + name.toUpperCase(Locale.ROOT), value));
        return variables;
    }
}
