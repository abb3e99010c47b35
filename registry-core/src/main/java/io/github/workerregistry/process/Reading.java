package io.github.workerregistry.process;

import java.util.Optional;
import java.util.function.Function;

/**
 * The result of reading data of a process. Only {@link Outcome#ABSENT} means that there is no such process.
 *
 * @param outcome whether the value was read, and if not, why
 * @param value what was read; empty for every other outcome
 */
record Reading<T>(Outcome outcome, Optional<T> value) {

    enum Outcome {
        READ,
        /** No process has the pid, for certain. */
        ABSENT,
        /** The process exists, but this JVM may not read it. */
        REFUSED,
        /** It cannot be read now: no free file descriptor or memory, or the process is exiting. */
        FAILED
    }

    Reading {
        if ((outcome == Outcome.READ) != value.isPresent()) {
            throw new IllegalArgumentException("outcome " + outcome + " is inconsistent with the value " + value);
        }
    }

    static <T> Reading<T> read(T value) {
        return new Reading<>(Outcome.READ, Optional.of(value));
    }

    static <T> Reading<T> absent() {
        return new Reading<>(Outcome.ABSENT, Optional.empty());
    }

    static <T> Reading<T> refused() {
        return new Reading<>(Outcome.REFUSED, Optional.empty());
    }

    static <T> Reading<T> failed() {
        return new Reading<>(Outcome.FAILED, Optional.empty());
    }

    boolean isAbsent() {
        return outcome == Outcome.ABSENT;
    }

    boolean hasFailed() {
        return outcome == Outcome.FAILED;
    }

    <R> Reading<R> map(Function<T, R> function) {
        return new Reading<>(outcome, value.map(function));
    }
}
