package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.LogCharacters;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What others say (workers, probes, exceptions of foreign code), made fit for a log: without line breaks, by which it
 * could forge an entry of its own, without the escapes that a terminal obeys, and without characters that are not seen
 * or change the order in which others are.
 *
 * <p>Everything here that logs foreign text passes it through this class. A host that logs such text itself, for
 * example {@link Exit#output()} of a {@code ProcessController} of its own, may too.
 */
public final class LogText {

    private static final String UNREADABLE = " (its message cannot be read)";

    private LogText() {}

    /**
     * A text in one line, of characters that are seen. Written as Java does, such as <code>&#92;u000a</code>, are
     * control characters but for the tab, line separators, format characters (Unicode's general category Cf:
     * directions, zero-width joiners), what else Unicode calls default ignorable (variation selectors, fillers), and
     * halves of surrogate pairs.
     *
     * @param text what somebody else said
     * @return the same in one line
     */
    public static String of(String text) {
        requireNonNull(text, "text");
        if (text.codePoints().noneMatch(LogCharacters::isHarmful)) {
            return text;
        }
        StringBuilder line = new StringBuilder();
        text.codePoints().forEach(c -> {
            if (LogCharacters.isHarmful(c)) {
                Character.toString(c).chars().forEach(unit -> line.append(String.format("\\u%04x", unit)));
            } else {
                line.appendCodePoint(c);
            }
        });
        return line.toString();
    }

    /**
     * What an exception says of itself, in one line.
     *
     * @param failure what foreign code threw
     * @return its {@code toString()} in one line; its class, and that its message cannot be read, if that fails
     */
    public static String describe(Throwable failure) {
        String name = requireNonNull(failure, "failure").getClass().getName();
        try {
            return of(String.valueOf(failure.toString()));
        } catch (Throwable unreadable) { // the message is foreign code, too
            return of(name + UNREADABLE);
        }
    }

    /**
     * An exception that can be logged with its stack trace: the very same, unless a message of it, of its causes or of
     * those that it suppressed would break the line. Then it is a likeness, with the same stack traces, whose messages
     * do not.
     *
     * @param failure what foreign code threw
     * @return the exception to log; with the stack of this call in place of its own if its methods fail
     */
    public static Throwable of(Throwable failure) {
        requireNonNull(failure, "failure");
        try {
            return isHarmless(failure, newSet()) ? failure : new Likeness(failure, newSet());
        } catch (Throwable unreadable) { // its methods are foreign code, too
            return new Throwable(describe(failure));
        }
    }

    private static Set<Throwable> newSet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    private static boolean isHarmless(@Nullable Throwable failure, Set<Throwable> seen) {
        if (failure == null || !seen.add(failure)) {
            return true;
        }
        String message = String.valueOf(failure.getMessage());
        return of(message).equals(message)
                && isHarmless(failure.getCause(), seen)
                && Stream.of(failure.getSuppressed()).allMatch(suppressed -> isHarmless(suppressed, seen));
    }

    /** Stands in for an exception whose own words must not get into a log. */
    private static final class Likeness extends Throwable {
        Likeness(Throwable original, Set<Throwable> seen) {
            super(describe(original));
            seen.add(original);
            setStackTrace(original.getStackTrace());
            Throwable cause = original.getCause();
            if (cause != null && !seen.contains(cause)) {
                initCause(new Likeness(cause, seen));
            }
            for (Throwable suppressed : original.getSuppressed()) {
                if (!seen.contains(suppressed)) {
                    addSuppressed(new Likeness(suppressed, seen));
                }
            }
        }
    }
}
