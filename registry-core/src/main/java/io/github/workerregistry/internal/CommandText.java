package io.github.workerregistry.internal;

import java.util.List;

/** What may be said of a command to anybody: arguments may be long, and may hold secrets. */
public final class CommandText {

    private static final int LONGEST_PROGRAM = 200;

    private CommandText() {}

    /**
     * The program of a command, cut if it is long. Options that were given in one string with it, by mistake, are not
     * shown either.
     *
     * @param command the program and its arguments
     * @return its path, with an ellipsis if something was left out of it
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
