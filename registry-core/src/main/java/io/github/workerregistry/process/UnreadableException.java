package io.github.workerregistry.process;

import org.jspecify.annotations.Nullable;

/** Process data cannot be read now, for example because no file descriptor is free. The caller should retry. */
final class UnreadableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    UnreadableException(String what, @Nullable Throwable cause) {
        super(what + " cannot be read now", cause);
    }
}
