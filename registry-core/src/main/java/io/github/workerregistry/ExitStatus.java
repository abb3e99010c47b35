package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.util.OptionalInt;

/**
 * How a process ended: exit code, signal if known, and whether the exit was requested.
 *
 * <p>The JDK reports a process killed by a signal with code 128 + signal, as a shell does. It cannot tell this from a
 * program that returned that number itself. So {@code signal} means "as a shell would read the code": code 137 means
 * signal 9, also for a program that called {@code exit(137)}. {@code requested} resolves the case that matters: a
 * SIGTERM sent by this library is never a crash.
 *
 * @param code the exit code as the JDK reports it: 0 to 255 on POSIX systems, any int elsewhere; empty if unknown
 * @param signal the signal number, 1 to 64, for codes 129 to 192; empty for any other code
 * @param requested whether a stop, a kill or a shutdown was requested before the exit
 * @since 0.1
 */
public record ExitStatus(OptionalInt code, OptionalInt signal, boolean requested) {

    private static final int SIGNAL_BASE = 128;
    private static final int LAST_SIGNAL = 64;

    /**
     * Checks that signal and code agree.
     *
     * @throws NullPointerException if {@code code} or {@code signal} is null
     * @throws IllegalArgumentException if {@code signal} is not the signal that {@code code} stands for
     */
    public ExitStatus {
        requireNonNull(code, "code");
        if (!requireNonNull(signal, "signal").equals(signalOf(code))) {
            throw new IllegalArgumentException(
                    "signal " + text(signal) + " does not belong to exit code " + text(code));
        }
    }

    /**
     * A requested exit.
     *
     * @param code the exit code
     * @return the status, with the signal derived from the code
     */
    public static ExitStatus requested(int code) {
        return of(OptionalInt.of(code), true);
    }

    /**
     * An exit that was not requested.
     *
     * @param code the exit code
     * @return the status, with the signal derived from the code
     */
    public static ExitStatus unrequested(int code) {
        return of(OptionalInt.of(code), false);
    }

    /**
     * An exit with unknown code and signal: that of a process that this JVM did not start.
     *
     * @return the status, unrequested; not a success
     */
    public static ExitStatus unknown() {
        return of(OptionalInt.empty(), false);
    }

    private static ExitStatus of(OptionalInt code, boolean requested) {
        return new ExitStatus(code, signalOf(code), requested);
    }

    /**
     * This status, marked as requested.
     *
     * @return this status with {@code requested} set
     */
    public ExitStatus asRequested() {
        return requested ? this : of(code, true);
    }

    /**
     * Whether the exit code is 0.
     *
     * @return true for code 0; false if the code is unknown
     */
    public boolean isSuccess() {
        return code.equals(OptionalInt.of(0));
    }

    /**
     * The status in words, for logs: {@code "exit code 3"}, {@code "signal 9 (requested)"}, {@code "exit status
     * unknown"}.
     *
     * @return one line of text
     */
    @Override
    public String toString() {
        String how = signal.isPresent()
                ? "signal " + signal.getAsInt()
                : code.isPresent() ? "exit code " + code.getAsInt() : "exit status unknown";
        return requested ? how + " (requested)" : how;
    }

    private static String text(OptionalInt number) {
        return number.isPresent() ? Integer.toString(number.getAsInt()) : "unknown";
    }

    private static OptionalInt signalOf(OptionalInt code) {
        int signal = code.orElse(0) - SIGNAL_BASE;
        return signal >= 1 && signal <= LAST_SIGNAL ? OptionalInt.of(signal) : OptionalInt.empty();
    }
}
