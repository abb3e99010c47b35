package io.github.workerregistry.process;

import java.util.Optional;
import java.util.function.Function;

/**
 * What came of reading something of a process. Only {@link Outcome#GONE} says that there is no such process.
 *
 * @param outcome whether it was read, and if not, why
 * @param value what was read; empty for every other outcome
 */
record Reading<T>(Outcome outcome, Optional<T> value) {

    enum Outcome {
        READ,
        /** No process has the pid, for certain. */
        GONE,
        /** A process has it, and this JVM may not look at that. */
        REFUSED,
        /** It cannot be told now: no file descriptor or no memory is free, or the process is just ending. */
        FAILED
    }

    Reading {
        if ((outcome == Outcome.READ) != value.isPresent()) {
            throw new IllegalArgumentException("outcome " + outcome + " does not go with the value " + value);
        }
    }

    static <T> Reading<T> read(T value) {
        return new Reading<>(Outcome.READ, Optional.of(value));
    }

    static <T> Reading<T> gone() {
        return new Reading<>(Outcome.GONE, Optional.empty());
    }

    static <T> Reading<T> refused() {
        return new Reading<>(Outcome.REFUSED, Optional.empty());
    }

    static <T> Reading<T> failed() {
        return new Reading<>(Outcome.FAILED, Optional.empty());
    }

    boolean isGone() {
        return outcome == Outcome.GONE;
    }

    boolean hasFailed() {
        return outcome == Outcome.FAILED;
    }

    <R> Reading<R> map(Function<T, R> function) {
        return new Reading<>(outcome, value.map(function));
    }
}
