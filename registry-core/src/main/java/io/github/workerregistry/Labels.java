package io.github.workerregistry;

import static io.github.workerregistry.internal.Checks.requireName;

import io.github.workerregistry.internal.Checks;
import java.util.AbstractMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The labels of a worker, copied and checked once: a record of the worker is copied for each read while it is busy, and
 * for each change. Unmodifiable.
 */
final class Labels extends AbstractMap<String, String> {

    private static final Labels NONE = new Labels(Map.of());

    private final Map<String, String> checked;

    private Labels(Map<String, String> checked) {
        this.checked = checked;
    }

    /** Checks and copies labels, unless they are the labels of another record. */
    static Labels of(Map<String, String> labels) {
        if (labels instanceof Labels known) {
            return known;
        }
        Map<String, String> copy = Checks.copyOf(labels, "labels");
        copy.forEach((name, value) -> {
            requireName(name, "name of a label");
            requireName(value, "value of label " + name);
        });
        return copy.isEmpty() ? NONE : new Labels(copy);
    }

    @Override
    public Set<Map.Entry<String, String>> entrySet() {
        return checked.entrySet();
    }

    @Override
    public @Nullable String get(@Nullable Object name) {
        return name == null ? null : checked.get(name);
    }

    @Override
    public boolean containsKey(@Nullable Object name) {
        return name != null && checked.containsKey(name);
    }
}
