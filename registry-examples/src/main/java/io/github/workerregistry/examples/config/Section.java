package io.github.workerregistry.examples.config;

import com.fasterxml.jackson.core.JsonToken;
import io.github.workerregistry.examples.DurationConverter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.Function;
import picocli.CommandLine.TypeConversionException;

/** A mapping of a configuration. What is malformed is a fault, and counts as not given. */
public final class Section {

    private final String path;
    private final int line;
    private final Map<String, YamlNode.Field> fields;
    private final Faults faults;
    private final Set<String> read = new LinkedHashSet<>();

    private Section(String path, int line, Map<String, YamlNode.Field> fields, Faults faults) {
        this.path = path;
        this.line = line;
        this.fields = fields;
        this.faults = faults;
    }

    /**
     * Parses a file.
     *
     * @param file its name
     * @param text its content, YAML
     * @param faults receives what is malformed
     * @return its top level
     * @throws ConfigException if it is no valid YAML, or has a key twice
     */
    public static Section parse(String file, String text, Faults faults) {
        return of("", YamlNode.parse(file, text), faults);
    }

    private static Section of(String path, YamlNode node, Faults faults) {
        if (node instanceof YamlNode.Fields mapping) {
            return new Section(path, mapping.line(), mapping.fields(), faults);
        }
        faults.add(node.line(), (path.isEmpty() ? "the file" : path) + " must be a mapping");
        return new Section(path, node.line(), Map.of(), faults);
    }

    /**
     * Where it begins.
     *
     * @return the line, from 1
     */
    public int line() {
        return line;
    }

    /**
     * A section within.
     *
     * @param key its key
     * @return the section; an empty one if it is not given
     */
    public Section section(String key) {
        return given(key)
                .map(field -> of(named(key), field.value(), faults))
                .orElseGet(() -> new Section(named(key), line, Map.of(), faults));
    }

    /**
     * The sections within: for keys that the file chooses.
     *
     * @return the sections, by key
     */
    public Map<String, Section> sections() {
        Map<String, Section> sections = new LinkedHashMap<>();
        fields.forEach((key, field) -> {
            read.add(key);
            Section section = of(named(key), field.value(), faults);
            sections.put(key, new Section(section.path, field.line(), section.fields, faults));
        });
        return sections;
    }

    /**
     * A text.
     *
     * @param key its key
     * @return the text; empty if it is not given
     */
    public Optional<String> text(String key) {
        return value(key, "a text", field -> text(field.value()));
    }

    /**
     * A flag.
     *
     * @param key its key
     * @return the flag; empty if it is not given
     */
    public Optional<Boolean> flag(String key) {
        return value(
                key,
                "true or false",
                field -> text(field.value())
                        .filter(text -> text.equals("true") || text.equals("false"))
                        .map(Boolean::valueOf));
    }

    /**
     * A whole number.
     *
     * @param key its key
     * @param least the minimum, &ge; 0
     * @param most the maximum
     * @return the number; empty if it is not given
     */
    public Optional<Long> number(String key, long least, long most) {
        return value(
                key,
                "a whole number from " + least + " to " + most,
                field -> text(field.value())
                        .filter(text -> text.matches("\\d{1,18}"))
                        .map(Long::valueOf)
                        .filter(number -> number >= least && number <= most));
    }

    /**
     * A duration.
     *
     * @param key its key
     * @return the duration; empty if it is not given
     */
    public Optional<Duration> duration(String key) {
        return value(
                key,
                "a duration such as 500ms, 2s, 5m or 1h",
                field -> text(field.value()).flatMap(text -> {
                    try {
                        return Optional.of(new DurationConverter().convert(text));
                    } catch (TypeConversionException e) {
                        return Optional.empty();
                    }
                }));
    }

    /**
     * A list of texts.
     *
     * @param key its key
     * @return the texts; empty if it is not given
     */
    public List<String> texts(String key) {
        return value(key, "a list", field -> texts(field.value())).orElse(List.of());
    }

    /**
     * Whether a value is a list.
     *
     * @param key its key
     * @return true if so
     */
    public boolean isList(String key) {
        return fields.containsKey(key) && fields.get(key).value() instanceof YamlNode.Items;
    }

    /**
     * All texts: for keys that the file chooses.
     *
     * @return the texts, by key
     */
    public Map<String, String> texts() {
        Map<String, String> texts = new LinkedHashMap<>();
        fields.keySet().forEach(key -> text(key).ifPresent(text -> texts.put(key, text)));
        return texts;
    }

    /**
     * Applies a value, if it is given. What the setting refuses is a fault.
     *
     * @param key its key
     * @param value the value
     * @param setting receives it
     * @param <T> the type of the value
     */
    public <T> void apply(String key, Optional<T> value, Consumer<? super T> setting) {
        value.ifPresent(given -> {
            try {
                setting.accept(given);
            } catch (IllegalArgumentException e) {
                fault(key, String.valueOf(e.getMessage()));
            }
        });
    }

    /**
     * Adds a fault.
     *
     * @param key the key that it is about
     * @param fault what is wrong
     */
    public void fault(String key, String fault) {
        int where = fields.containsKey(key) ? fields.get(key).line() : line;
        faults.add(where, named(key) + ": " + fault);
    }

    /** Reports the keys that were not read. Called last. */
    public void refuseOthers() {
        fields.forEach((key, field) -> {
            if (!read.contains(key)) {
                faults.add(field.line(), named(key) + " is unknown; known are " + String.join(", ", read));
            }
        });
    }

    private Optional<YamlNode.Field> given(String key) {
        read.add(key);
        return Optional.ofNullable(fields.get(key))
                .filter(field ->
                        !(field.value() instanceof YamlNode.Scalar scalar && scalar.kind() == JsonToken.VALUE_NULL));
    }

    private <T> Optional<T> value(String key, String what, Function<YamlNode.Field, Optional<T>> reader) {
        return given(key).flatMap(field -> {
            Optional<T> value = reader.apply(field);
            if (value.isEmpty()) {
                faults.add(field.line(), named(key) + " must be " + what);
            }
            return value;
        });
    }

    private static Optional<String> text(YamlNode node) {
        return node instanceof YamlNode.Scalar scalar ? Optional.of(scalar.text()) : Optional.empty();
    }

    private static Optional<List<String>> texts(YamlNode node) {
        List<String> texts = new ArrayList<>();
        if (!(node instanceof YamlNode.Items list)) {
            return Optional.empty();
        }
        for (YamlNode item : list.items()) {
            Optional<String> text = text(item);
            if (text.isEmpty()) {
                return Optional.empty();
            }
            texts.add(text.get());
        }
        return Optional.of(texts);
    }

    private String named(String key) {
        return path.isEmpty() ? key : path + "." + key;
    }
}
