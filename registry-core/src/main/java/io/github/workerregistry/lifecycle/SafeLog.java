package io.github.workerregistry.lifecycle;

import io.github.workerregistry.internal.LogText;
import org.slf4j.Logger;

/** Logs a warning; never throws. */
final class SafeLog {

    private SafeLog() {}

    /** Logs a failure about a worker, which the message names, at WARN; does nothing if the log fails. */
    static void warn(Logger log, String message, Object worker, Throwable failure) {
        try {
            log.warn(message, worker, LogText.of(failure));
        } catch (Throwable ignored) {
            // the log may lack memory or stack, too
        }
    }

    /** Logs a failure at WARN; does nothing if the log fails. */
    static void warn(Logger log, String message, Throwable failure) {
        try {
            log.warn(message, LogText.of(failure));
        } catch (Throwable ignored) {
            // the log may lack memory or stack, too
        }
    }
}
