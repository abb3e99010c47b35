package io.github.workerregistry.internal;

import static java.util.Objects.requireNonNull;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Sanitises untrusted text (from workers, probes, exceptions of foreign code) for a log: no line breaks, which could
 * forge a log entry, no terminal escapes, and no characters that are invisible or change the text direction. All
 * untrusted text that this library logs passes through this class.
 */
public final class LogText {

    private static final String UNREADABLE = " (its message cannot be read)";

    private LogText() {}

    /**
     * Sanitises a text. These characters are written as Java escapes, such as <code>&#92;u000a</code>: control
     * characters except the tab, line and paragraph separators, format characters (Unicode category Cf: directions,
     * zero-width joiners), other default-ignorable characters, and unpaired surrogates.
     *
     * @param text untrusted text
     * @return the text in one line
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
     * Sanitises and truncates a text.
     *
     * @param text untrusted text
     * @param length the maximum length, in characters
     * @return the text in one line
     */
    public static String shortened(String text, int length) {
        return cut(of(cut(requireNonNull(text, "text"), length)), length);
    }

    private static String cut(String text, int length) {
        if (text.length() <= length) {
            return text;
        }
        boolean splitsPair = Character.isHighSurrogate(text.charAt(length - 1));
        return text.substring(0, splitsPair ? length - 1 : length);
    }

    /**
     * Describes an exception in one line.
     *
     * @param failure what foreign code threw
     * @return its {@code toString()} in one line; if that throws, its class name and a note that its message cannot be
     *     read
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
     * Makes an exception safe to log with its stack trace. Returns the same object, or, if a message of it, its causes
     * or its suppressed exceptions needs sanitising, a copy with the same stack traces and sanitised messages.
     *
     * @param failure what foreign code threw
     * @return the exception to log; if its methods throw, one with the stack trace of this call
     */
    public static Throwable of(Throwable failure) {
        requireNonNull(failure, "failure");
        try {
            return isSanitised(failure, newSet()) ? failure : new SanitisedCopy(failure, newSet());
        } catch (Throwable unreadable) { // its methods are foreign code, too
            return new Throwable(describe(failure));
        }
    }

    private static Set<Throwable> newSet() {
        return Collections.newSetFromMap(new IdentityHashMap<>());
    }

    private static boolean isSanitised(@Nullable Throwable failure, Set<Throwable> seen) {
        if (failure == null || !seen.add(failure)) {
            return true;
        }
        String message = String.valueOf(failure.getMessage());
        return of(message).equals(message)
                && isSanitised(failure.getCause(), seen)
                && Stream.of(failure.getSuppressed()).allMatch(suppressed -> isSanitised(suppressed, seen));
    }

    /** A copy of an exception with sanitised messages. */
    private static final class SanitisedCopy extends Throwable {
        SanitisedCopy(Throwable original, Set<Throwable> seen) {
            super(describe(original));
            seen.add(original);
            setStackTrace(original.getStackTrace());
            Throwable cause = original.getCause();
            if (cause != null && !seen.contains(cause)) {
                initCause(new SanitisedCopy(cause, seen));
            }
            for (Throwable suppressed : original.getSuppressed()) {
                if (!seen.contains(suppressed)) {
                    addSuppressed(new SanitisedCopy(suppressed, seen));
                }
            }
        }
    }
}
