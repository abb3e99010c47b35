package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.util.OptionalInt;

/**
 * How a process ended: its exit code, the signal behind it if one is known, and whether we asked for it.
 *
 * <p>The JDK reports a process that a signal ended as code 128 + signal, as a shell does, and cannot tell it from a
 * program that returned that number by itself. So {@code signal} means "as a shell would read the code": code 137 says
 * signal 9, also for a program that called {@code exit(137)}. {@code requested} tells the two apart where it matters:
 * our own SIGTERM is never a crash.
 *
 * @param code the exit code as the JDK gives it: 0 to 255 on POSIX systems, any int elsewhere
 * @param signal the signal number, 1 to 64, for codes 129 to 192; empty for any other code
 * @param requested whether the end was asked for (a stop, a kill, a shutdown request) before it came
 */
public record ExitStatus(int code, OptionalInt signal, boolean requested) {

    private static final int SIGNAL_BASE = 128;
    private static final int LAST_SIGNAL = 64;

    /**
     * Checks that signal and code agree.
     *
     * @throws NullPointerException if {@code signal} is null
     * @throws IllegalArgumentException if {@code signal} is not the one that {@code code} stands for
     */
    public ExitStatus {
        if (!requireNonNull(signal, "signal").equals(signalOf(code))) {
            throw new IllegalArgumentException("signal " + signal + " does not belong to exit code " + code);
        }
    }

    /**
     * An end that we asked for.
     *
     * @param code the exit code
     * @return the status, with the signal derived from the code
     */
    public static ExitStatus requested(int code) {
        return new ExitStatus(code, signalOf(code), true);
    }

    /**
     * An end that nobody here asked for.
     *
     * @param code the exit code
     * @return the status, with the signal derived from the code
     */
    public static ExitStatus unrequested(int code) {
        return new ExitStatus(code, signalOf(code), false);
    }

    /**
     * The same end, known to have been asked for.
     *
     * @return this status with {@code requested} set
     */
    public ExitStatus asRequested() {
        return requested ? this : requested(code);
    }

    /**
     * Whether the process ended well: code 0.
     *
     * @return true for code 0
     */
    public boolean isSuccess() {
        return code == 0;
    }

    /**
     * The status in words, for logs: {@code "exit code 3"}, {@code "signal 9 (requested)"}.
     *
     * @return one line of text
     */
    @Override
    public String toString() {
        String how = signal.isPresent() ? "signal " + signal.getAsInt() : "exit code " + code;
        return requested ? how + " (requested)" : how;
    }

    private static OptionalInt signalOf(int code) {
        int signal = code - SIGNAL_BASE;
        return signal >= 1 && signal <= LAST_SIGNAL ? OptionalInt.of(signal) : OptionalInt.empty();
    }
}
