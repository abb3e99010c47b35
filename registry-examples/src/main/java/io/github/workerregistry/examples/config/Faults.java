package io.github.workerregistry.examples.config;

import io.github.workerregistry.examples.http.ForeignText;
import java.util.Map;
import java.util.TreeMap;

/** The faults of a file, which are reported together, by line. */
public final class Faults {

    private final String file;
    private final Map<Integer, String> byLine = new TreeMap<>();

    /**
     * No faults yet.
     *
     * @param file the name of the file
     */
    public Faults(String file) {
        this.file = file;
    }

    /**
     * Adds a fault.
     *
     * @param line where, from 1
     * @param fault what is wrong
     */
    public void add(int line, String fault) {
        byLine.merge(line, ForeignText.sanitised(fault), (one, other) -> one + "; " + other);
    }

    /**
     * Reports the faults.
     *
     * @throws ConfigException if there are any
     */
    public void throwIfAny() {
        if (!byLine.isEmpty()) {
            throw exception();
        }
    }

    ConfigException exception() {
        return new ConfigException(byLine.entrySet().stream()
                .map(fault -> file + ":" + fault.getKey() + ": " + fault.getValue())
                .toList());
    }
}
