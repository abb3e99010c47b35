package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.CommandText;
import io.github.workerregistry.internal.LogText;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A process could not be started; nothing was left behind. The message names the program and the reason, in one line.
 * Neither it nor the message of a cause contains arguments: they may be long, and may hold secrets.
 *
 * @since 0.1
 */
public final class SpawnException extends RuntimeException {

    private final transient List<String> command;

    /**
     * An exception for a command that could not be started.
     *
     * @param command the program and its arguments
     * @param reason the reason, in a few words and without arguments; control and invisible characters are written as
     *     Java escapes
     * @param cause what was thrown, or null. An exception of {@link ProcessBuilder#start} is replaced by its own cause,
     *     because its message repeats the program, which is the whole command if that is a single string
     */
    public SpawnException(List<String> command, String reason, @Nullable Throwable cause) {
        super(
                LogText.of("cannot start " + CommandText.program(requireNonNull(command, "command")) + ": "
                        + requireNonNull(reason, "reason")),
                withoutProgram(cause));
        this.command = List.copyOf(command);
    }

    /**
     * The complete command that could not be started. It may contain secrets: do not log it above DEBUG, and do not
     * return it to clients.
     *
     * @return program and arguments
     */
    public List<String> command() {
        return command;
    }

    /** The reason given by a cause, without the program, which the message already contains. */
    static String reason(Throwable cause) {
        Throwable said = requireNonNull(withoutProgram(cause));
        String message = said.getMessage();
        return message == null ? said.toString() : message;
    }

    private static @Nullable Throwable withoutProgram(@Nullable Throwable cause) {
        return cause != null
                        && cause.getClass() == IOException.class // methods of subclasses are foreign code
                        && cause.getCause() instanceof IOException inner
                        && String.valueOf(cause.getMessage()).startsWith("Cannot run program ")
                ? inner
                : cause;
    }
}
