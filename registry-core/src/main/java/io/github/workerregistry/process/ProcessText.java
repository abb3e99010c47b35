package io.github.workerregistry.process;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.workerregistry.internal.LogText;
import java.io.File;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.CharsetEncoder;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Checks text that is passed to a process: no NUL, which terminates a string, and no character that the JDK would
 * replace by {@code ?}.
 *
 * <p>On Windows text is passed unchanged. Elsewhere it is encoded in the locale's encoding at JVM start:
 * {@code sun.jnu.encoding}, which no option changes, since JDK 19; the default charset before. Without a locale
 * ({@code LANG} unset, as in most containers) that is ASCII.
 */
final class ProcessText {

    private static final int FIRST_WITH_JNU = 19; // JDK-8285517

    private static final Optional<Charset> ENCODING =
            File.separatorChar == '\\' ? Optional.empty() : Optional.of(encoding());

    /** E2BIG, in the message format of JDK 17 and 25. */
    private static final Pattern TOO_LONG = Pattern.compile("error[=:] ?7\\b");

    private ProcessText() {}

    private static Charset encoding() {
        String name = System.getProperty("sun.jnu.encoding");
        return Runtime.version().feature() < FIRST_WITH_JNU || name == null || !Charset.isSupported(name)
                ? Charset.defaultCharset()
                : Charset.forName(name);
    }

    /**
     * Checks a text that is passed to a process.
     *
     * @param what names the text in the message, which does not contain it: it may be a secret
     */
    static void require(String text, String what) {
        int nul = text.indexOf('\0');
        if (nul >= 0) {
            throw new IllegalArgumentException(what + " must not contain NUL, has it at index " + nul);
        }
        ENCODING.ifPresent(charset -> requireEncodable(text, what, charset));
    }

    /** Checks the name of an environment variable. */
    static void requireVariable(String name, String what) {
        if (name.isEmpty()) {
            throw new IllegalArgumentException(what + " must not be empty");
        }
        if (name.indexOf('=') >= 0) {
            throw new IllegalArgumentException(what + " must not contain '=', was \"" + LogText.of(name) + "\"");
        }
        require(name, what);
    }

    /**
     * A suffix for the reason of a start that failed with E2BIG, naming the longest text: Linux accepts about 128 KiB
     * in one, and 2 MiB in total. Empty for any other failure.
     */
    static String ifTooLong(ProcessSpec spec, IOException failure) {
        if (!TOO_LONG.matcher(String.valueOf(failure.getMessage())).find()) {
            return "";
        }
        String longest = "";
        int length = 0;
        for (int i = 0; i < spec.command().size(); i++) {
            if (spec.command().get(i).length() > length) {
                longest = "argument " + i + " of the command";
                length = spec.command().get(i).length();
            }
        }
        for (Map.Entry<String, String> variable : spec.environment().entrySet()) {
            if (variable.getValue().length() > length) {
                longest = "environment variable " + variable.getKey();
                length = variable.getValue().length();
            }
        }
        return String.format(Locale.ROOT, "; the longest is %s with %,d characters", longest, length);
    }

    private static void requireEncodable(String text, String what, Charset charset) {
        CharsetEncoder encoder = charset.newEncoder();
        if (encoder.canEncode(text)) {
            return;
        }
        int index = 0;
        while (index < text.length() && encoder.canEncode(text.substring(index, text.offsetByCodePoints(index, 1)))) {
            index = text.offsetByCodePoints(index, 1);
        }
        String culprit = index == text.length()
                ? "a character"
                : String.format("U+%04X at index %d", text.codePointAt(index), index);
        String remedy = charset.equals(UTF_8)
                ? ""
                : "; start the JVM in a UTF-8 locale, for example with LC_ALL=C.UTF-8 in its environment";
        throw new IllegalArgumentException(what + " has " + culprit + ", which would reach the process as \"?\": "
                + "the encoding for processes is " + charset + remedy);
    }
}
