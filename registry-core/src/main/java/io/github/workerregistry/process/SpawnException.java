package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.LogText;
import io.github.workerregistry.internal.CommandText;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A process could not be started; nothing was left behind. The message names the program and the reason, in one line.
 * Arguments are not in it, nor in that of a cause: they may be long, and may hold secrets.
 */
public final class SpawnException extends RuntimeException {

    private final transient List<String> command;

    /**
     * An exception that names its culprit.
     *
     * @param command the program and its arguments
     * @param reason what went wrong, in a few words and without arguments; shown as {@link LogText} does
     * @param cause what was thrown, or null. Of what {@link ProcessBuilder#start} throws its own cause is taken: the
     *     message of the first repeats the program, which in a command that is one string is all of it
     */
    public SpawnException(List<String> command, String reason, @Nullable Throwable cause) {
        super(
                LogText.of("cannot start " + CommandText.program(requireNonNull(command, "command")) + ": "
                        + requireNonNull(reason, "reason")),
                withoutProgram(cause));
        this.command = List.copyOf(command);
    }

    /**
     * The command that could not be started, whole. With secrets, if the command has some: not for a log above DEBUG,
     * nor for whoever asked for the worker.
     *
     * @return program and arguments
     */
    public List<String> command() {
        return command;
    }

    /** What is wrong, said by a cause: without the program, which the message has already. */
    static String reason(Throwable cause) {
        Throwable said = requireNonNull(withoutProgram(cause));
        String message = said.getMessage();
        return message == null ? said.toString() : message;
    }

    private static @Nullable Throwable withoutProgram(@Nullable Throwable cause) {
        return cause != null
                        && cause.getClass() == IOException.class // the methods of others are foreign code
                        && cause.getCause() instanceof IOException inner
                        && String.valueOf(cause.getMessage()).startsWith("Cannot run program ")
                ? inner
                : cause;
    }
}
