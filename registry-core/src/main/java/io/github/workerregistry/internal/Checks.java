package io.github.workerregistry.internal;

import static java.util.Objects.requireNonNull;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

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
     * Checks the path of a url.
     *
     * @param path the path, starting with {@code /}, optionally with a query
     * @return {@code path}
     * @throws NullPointerException if {@code path} is null
     * @throws IllegalArgumentException if it does not start with {@code /} or does not form a valid URI
     */
    public static String requirePath(String path) {
        requireNonNull(path, "path");
        String shown = LogText.shortened(path, MAX_NAME_LENGTH);
        if (!path.startsWith("/")) {
            throw new IllegalArgumentException("path must start with /, was " + shown);
        }
        try {
            new URI("http://127.0.0.1" + path);
        } catch (URISyntaxException e) {
            throw new IllegalArgumentException("path must form a valid URI, was " + shown + ": " + e.getReason());
        }
        return path;
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
        requireAtLeast(least, (long) value, what);
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
    public static long requireAtLeast(long least, long value, String what) {
        if (value < least) {
            throw new IllegalArgumentException(what + " must be >= " + least + ", was " + value);
        }
        return value;
    }

    /**
     * Copies a list.
     *
     * @param list the list
     * @param what the name of the argument, for the message
     * @param <T> the type of its elements
     * @return an unmodifiable copy
     * @throws NullPointerException if the list or an element is null
     */
    public static <T> List<T> copyOf(List<T> list, String what) {
        for (T element : requireNonNull(list, what)) {
            requireElement(element, what);
        }
        return List.copyOf(list);
    }

    /**
     * Copies a set.
     *
     * @param set the set
     * @param what the name of the argument, for the message
     * @param <T> the type of its elements
     * @return an unmodifiable copy
     * @throws NullPointerException if the set or an element is null
     */
    public static <T> Set<T> copyOf(Set<T> set, String what) {
        for (T element : requireNonNull(set, what)) {
            requireElement(element, what);
        }
        return Set.copyOf(set);
    }

    /**
     * Copies a map.
     *
     * @param map the map
     * @param what the name of the argument, for the message
     * @param <K> the type of its keys
     * @param <V> the type of its values
     * @return an unmodifiable copy
     * @throws NullPointerException if the map, a key or a value is null
     */
    public static <K, V> Map<K, V> copyOf(Map<K, V> map, String what) {
        requireNonNull(map, what).forEach((key, value) -> {
            requireElement(key, what);
            requireElement(value, what);
        });
        return Map.copyOf(map);
    }

    private static void requireElement(@Nullable Object element, String what) {
        if (element == null) {
            throw new NullPointerException(what + " contains null");
        }
    }
}
