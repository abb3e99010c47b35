package io.github.workerregistry;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** Counts workers by the labels of their states, for messages. Takes no lock, so the counts are not of one moment. */
final class StateCounts {

    /** In life-cycle order. */
    private static final List<String> LABELS = List.of("loading", "idle", "busy", "backing_off", "stopping");

    private final Map<String, Integer> byLabel = new LinkedHashMap<>();

    StateCounts() {
        LABELS.forEach(label -> byLabel.put(label, 0));
    }

    void add(WorkerEntry entry) {
        byLabel.merge(entry.stateLabel(), 1, Integer::sum);
    }

    /** The states with at least one worker, in life-cycle order; unmodifiable. */
    Map<String, Integer> byLabel() {
        Map<String, Integer> counts = new LinkedHashMap<>(byLabel);
        counts.values().removeIf(count -> count == 0);
        return Collections.unmodifiableMap(counts);
    }

    /** As text: {@code 1 idle, 2 busy}, or {@code none}. */
    static String describe(Map<String, Integer> byLabel) {
        return byLabel.isEmpty()
                ? "none"
                : byLabel.entrySet().stream()
                        .map(count -> count.getValue() + " " + count.getKey())
                        .collect(Collectors.joining(", "));
    }
}
