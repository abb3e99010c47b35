package io.github.workerregistry.internal;

import java.util.List;

/** Renders a command for logs and messages without its arguments, which may be long and may hold secrets. */
public final class CommandText {

    private static final int LONGEST_PROGRAM = 200;

    private CommandText() {}

    /**
     * The program of a command, truncated to 200 characters. Options in the same string, given there by mistake, are
     * omitted.
     *
     * @param command the program and its arguments
     * @return its path, with an ellipsis if it was truncated
     */
    public static String program(List<String> command) {
        if (command.isEmpty()) {
            return "nothing";
        }
        String program = command.get(0);
        int option = program.indexOf(" -");
        int end = Math.min(option < 0 ? program.length() : option, LONGEST_PROGRAM);
        return program.substring(0, end) + (end < program.length() ? "\u2026" : "");
    }
}
