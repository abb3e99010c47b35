package io.github.workerregistry.examples.config;

import java.util.List;

/** A configuration that is not valid. */
public final class ConfigException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    private final List<String> faults;

    ConfigException(List<String> faults) {
        super(String.join(System.lineSeparator(), faults));
        this.faults = List.copyOf(faults);
    }

    /**
     * Every fault.
     *
     * @return one line each: file, line and what is wrong
     */
    public List<String> faults() {
        return faults;
    }
}
