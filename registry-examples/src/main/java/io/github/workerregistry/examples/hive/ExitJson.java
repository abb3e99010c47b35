package io.github.workerregistry.examples.hive;

import io.github.workerregistry.Exit;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;

/**
 * An exit in JSON: the fields of {@link Exit}, which documents them.
 *
 * @param cause the name of an {@link Exit.Cause} in lower case
 * @param exitCode null if it is unknown
 * @param signal null if it exited without a signal
 * @param at in ISO 8601, UTC
 */
record ExitJson(
        String workerId,
        String modelRef,
        String cause,
        Integer exitCode,
        Integer signal,
        boolean requested,
        int generation,
        List<String> output,
        String at) {

    static ExitJson of(Exit exit) {
        OptionalInt code = exit.status().code();
        OptionalInt signal = exit.status().signal();
        return new ExitJson(
                exit.workerId(),
                exit.modelRef(),
                exit.cause().name().toLowerCase(Locale.ROOT),
                code.isPresent() ? code.getAsInt() : null,
                signal.isPresent() ? signal.getAsInt() : null,
                exit.status().requested(),
                exit.generation(),
                exit.output(),
                exit.at().truncatedTo(ChronoUnit.MILLIS).toString());
    }
}
