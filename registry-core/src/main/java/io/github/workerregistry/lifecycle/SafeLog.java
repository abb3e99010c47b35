package io.github.workerregistry.lifecycle;

import io.github.workerregistry.internal.LogText;
import org.slf4j.Logger;

/** For what must go on whatever fails, be it the log itself. */
final class SafeLog {

    private SafeLog() {}

    /** Warns of a failure if that can be done. */
    static void warn(Logger log, String message, Throwable failure) {
        try {
            log.warn(message, LogText.of(failure));
        } catch (Throwable unheard) {
            // There may be no memory, or no stack, for the log either.
        }
    }
}
