package io.github.workerregistry.examples.hive;

import io.github.workerregistry.Exit;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * The end of a worker, as clients see it: the fields of {@link Exit}, which explains them.
 *
 * @param cause the name of an {@link Exit.Cause} in small letters
 * @param signal null if it ended by itself
 * @param at in ISO 8601, UTC
 */
record ExitJson(
        String workerId,
        String modelRef,
        String cause,
        int exitCode,
        Integer signal,
        boolean requested,
        int generation,
        List<String> output,
        String at) {

    static ExitJson of(Exit exit) {
        OptionalInt signal = exit.status().signal();
        return new ExitJson(
                exit.workerId(),
                exit.modelRef(),
                exit.cause().name().toLowerCase(Locale.ROOT),
                exit.status().code(),
                signal.isPresent() ? signal.getAsInt() : null,
                exit.status().requested(),
                exit.generation(),
                exit.output(),
                exit.at().truncatedTo(ChronoUnit.MILLIS).toString());
    }
}
