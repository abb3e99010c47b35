package io.github.workerregistry.internal;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.List;

/** Converts the bytes that a worker wrote to sanitised lines for a log. */
public final class OutputLines {

    /** Maximum length of a line, in chars. */
    public static final int LINE_LENGTH = 1_000;

    private OutputLines() {}

    /**
     * The last lines of a text. A carriage return also ends a line, as in progress bars.
     *
     * @param end UTF-8; malformed bytes become U+FFFD
     * @param beginsAnywhere whether the first line may be incomplete; then it is omitted, unless it is the only one
     */
    public static List<String> last(int maxLines, byte[] end, boolean beginsAnywhere) {
        List<String> lines = new String(end, UTF_8).lines().toList();
        int first = beginsAnywhere && lines.size() > 1 ? 1 : 0;
        return lines.subList(Math.max(first, lines.size() - maxLines), lines.size()).stream()
                .map(OutputLines::sanitise)
                .toList();
    }

    /**
     * One line, without its end.
     *
     * @param bytes UTF-8; malformed bytes become U+FFFD
     * @param length number of bytes
     */
    public static String line(byte[] bytes, int length) {
        return sanitise(new String(bytes, 0, length, UTF_8));
    }

    /** Removes terminal escapes, line separators and invisible characters. */
    private static String sanitise(String line) {
        if (line.codePoints().noneMatch(LogCharacters::isHarmful)) {
            return truncate(line);
        }
        return truncate(line.codePoints()
                .filter(c -> !LogCharacters.isHarmful(c))
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString());
    }

    private static String truncate(String line) {
        if (line.length() <= LINE_LENGTH) {
            return line;
        }
        boolean splitsPair = Character.isHighSurrogate(line.charAt(LINE_LENGTH - 1));
        return line.substring(0, splitsPair ? LINE_LENGTH - 1 : LINE_LENGTH);
    }
}
