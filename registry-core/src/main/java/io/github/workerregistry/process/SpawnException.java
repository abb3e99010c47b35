package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** A process could not be started. The message names the command and the cause; nothing was left behind. */
public final class SpawnException extends RuntimeException {

    private final transient List<String> command;

    /**
     * An exception that names its culprit.
     *
     * @param command the program and its arguments
     * @param reason what went wrong, in a few words
     * @param cause what was thrown, or null
     */
    public SpawnException(List<String> command, String reason, @Nullable Throwable cause) {
        super("cannot start " + requireNonNull(command, "command") + ": " + requireNonNull(reason, "reason"), cause);
        this.command = List.copyOf(command);
    }

    /**
     * The command that could not be started.
     *
     * @return program and arguments
     */
    public List<String> command() {
        return command;
    }
}
