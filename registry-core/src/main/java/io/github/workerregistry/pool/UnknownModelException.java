package io.github.workerregistry.pool;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.LogText;

/**
 * The pool has no model, and no alias, of this name. The only refusal of a pool that is no
 * {@link io.github.workerregistry.SlotUnavailableException}: to try again does not help.
 *
 * @since 0.1
 */
public final class UnknownModelException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    private static final int SHOWN = 256;

    /** The model or alias that was asked for. */
    private final String name;

    UnknownModelException(String name) {
        super("unknown model " + LogText.shortened(requireNonNull(name, "name"), SHOWN));
        this.name = name;
    }

    /**
     * The unknown name.
     *
     * @return the name that the caller passed
     */
    public String name() {
        return name;
    }
}
