package io.github.workerregistry.examples.http;

import java.util.Optional;

/** Text from clients and workers: sanitised for messages and logs, or checked as a name. */
public final class ForeignText {

    private static final int MAX_NAME_LENGTH = 256;

    private ForeignText() {}

    /**
     * Sanitises a text: control, format and other invisible characters are written as Java escapes.
     *
     * @param text the text
     * @return the text on one line
     */
    public static String sanitised(String text) {
        StringBuilder line = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (c != '\t' && isInvisible(c)) {
                Character.toString(c).chars().forEach(unit -> line.append(String.format("\\u%04x", unit)));
            } else {
                line.appendCodePoint(c);
            }
        });
        return line.toString();
    }

    /**
     * The message of an exception, sanitised.
     *
     * @param failure the exception
     * @return one line
     */
    public static String sanitised(Throwable failure) {
        return sanitised(String.valueOf(failure));
    }

    /**
     * Checks a name by the rule of {@link io.github.workerregistry.WorkerInfo}.
     *
     * @param value the name
     * @param what its name in the message
     * @return the name
     * @throws IllegalArgumentException if it is blank, longer than 256 characters, or has an invisible character
     */
    public static String requireName(String value, String what) {
        if (value.isBlank()) {
            throw new IllegalArgumentException(what + " must not be blank");
        }
        if (value.length() > MAX_NAME_LENGTH) {
            throw new IllegalArgumentException(
                    what + " must have at most " + MAX_NAME_LENGTH + " characters, has " + value.length());
        }
        Optional<String> invisible = value.codePoints()
                .filter(ForeignText::isInvisible)
                .mapToObj(c -> String.format("U+%04X", c))
                .findFirst();
        if (invisible.isPresent()) {
            throw new IllegalArgumentException(
                    what + " must not contain control or invisible characters, has " + invisible.get());
        }
        return value;
    }

    private static boolean isInvisible(int c) {
        return switch (Character.getType(c)) {
            case Character.CONTROL,
                    Character.FORMAT,
                    Character.SURROGATE,
                    Character.LINE_SEPARATOR,
                    Character.PARAGRAPH_SEPARATOR -> true;
            default -> false;
        };
    }
}
