package io.github.workerregistry.process;

import org.jspecify.annotations.Nullable;

/** Something that every process shows cannot be read now: no file descriptor is free, say. To be tried again. */
final class UnreadableException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    UnreadableException(String what, @Nullable Throwable cause) {
        super(what + " cannot be read now", cause);
    }
}
