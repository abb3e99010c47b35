package io.github.workerregistry.examples.hive;

import java.util.ArrayList;
import java.util.List;

/**
 * Splits a line into arguments by the rules of a POSIX shell for blanks, quotes and backslashes only (XCU 2.2): nothing
 * is expanded, and {@code $}, {@code |} or {@code *} are ordinary characters.
 */
final class ArgumentSplitter {

    private static final char NONE = 0;

    private final String line;
    private final List<String> arguments = new ArrayList<>();
    private final StringBuilder argument = new StringBuilder();
    private boolean inArgument;
    private int at;

    private ArgumentSplitter(String line) {
        this.line = line;
    }

    /**
     * Splits.
     *
     * @param line the line
     * @return its arguments; none for a blank line
     * @throws IllegalArgumentException if a quote is not closed or nothing follows a backslash; the message says where
     */
    static List<String> split(String line) {
        return new ArgumentSplitter(line).split();
    }

    private List<String> split() {
        while (at < line.length()) {
            char c = line.charAt(at++);
            if (Character.isWhitespace(c)) {
                endArgument();
                continue;
            }
            inArgument = true; // also for an empty pair of quotes
            switch (c) {
                case '\'' -> quoted(c, NONE);
                case '"' -> quoted(c, '\\');
                case '\\' -> argument.append(escaped());
                default -> argument.append(c);
            }
        }
        endArgument();
        return List.copyOf(arguments);
    }

    private void quoted(char quote, char escape) {
        int opened = at;
        while (at < line.length()) {
            char c = line.charAt(at++);
            if (c == quote) {
                return;
            }
            // Between double quotes a backslash is literal unless a character follows that is special to a shell.
            boolean escapes = c == escape && at < line.length() && "\"\\$`".indexOf(line.charAt(at)) >= 0;
            argument.append(escapes ? escaped() : c);
        }
        throw new IllegalArgumentException("the quote " + quote + " at character " + opened + " is not closed");
    }

    private char escaped() {
        if (at == line.length()) {
            throw new IllegalArgumentException("nothing follows the backslash at the end");
        }
        return line.charAt(at++);
    }

    private void endArgument() {
        if (inArgument) {
            arguments.add(argument.toString());
            argument.setLength(0);
            inArgument = false;
        }
    }
}
