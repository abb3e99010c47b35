package io.github.workerregistry.internal;

import static java.util.Objects.requireNonNull;

/** Argument checks. The exception message names the argument and its value. */
public final class Checks {

    /** Maximum length of a name, in characters. */
    public static final int MAX_NAME_LENGTH = 256;

    private Checks() {}

    /**
     * Checks a name: not blank, at most 256 characters, no control characters, line separators or invisible characters;
     * see {@link LogCharacters#isHarmful}.
     *
     * @param value the name
     * @param what the name of the argument, for the message
     * @return {@code value}
     * @throws NullPointerException if {@code value} is null
     * @throws IllegalArgumentException if it is not a valid name
     */
    public static String requireName(String value, String what) {
        requireNonNull(value, what);
        if (value.isBlank()) {
            throw new IllegalArgumentException(what + " must not be blank");
        }
        if (value.length() > MAX_NAME_LENGTH) {
            throw new IllegalArgumentException(
                    what + " must have at most " + MAX_NAME_LENGTH + " characters, has " + value.length());
        }
        for (int i = 0; i < value.length(); i = value.offsetByCodePoints(i, 1)) {
            int c = value.codePointAt(i);
            if (c == '\t' || LogCharacters.isHarmful(c)) {
                boolean control = Character.isISOControl(c) || c == '\u2028' || c == '\u2029';
                throw new IllegalArgumentException(String.format(
                        "%s must not contain %s characters, has U+%04X at index %d",
                        what, control ? "control" : "invisible", c, i));
            }
        }
        return value;
    }

    /**
     * Checks the lower bound of a number.
     *
     * @param least the minimum, inclusive
     * @param value the number
     * @param what the name of the argument, for the message
     * @return {@code value}
     * @throws IllegalArgumentException if it is less
     */
    public static int requireAtLeast(int least, int value, String what) {
        if (value < least) {
            throw new IllegalArgumentException(what + " must be >= " + least + ", was " + value);
        }
        return value;
    }
}
