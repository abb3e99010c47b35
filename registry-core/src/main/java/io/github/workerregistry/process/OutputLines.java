package io.github.workerregistry.process;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.workerregistry.internal.LogCharacters;
import java.util.List;

/** From the bytes that a worker wrote to lines that can be put into a log without harm. */
final class OutputLines {

    /** Chars of a line that are shown. */
    static final int LINE_LENGTH = 1_000;

    private OutputLines() {}

    /**
     * The last lines of a text.
     *
     * <p>A carriage return ends a line too: progress bars consist of them.
     *
     * @param end UTF-8 in the main; what is not becomes U+FFFD
     * @param beginsAnywhere whether the first line may lack its beginning; then it is left out, unless it is the only
     *     one
     */
    static List<String> last(int maxLines, byte[] end, boolean beginsAnywhere) {
        List<String> lines = new String(end, UTF_8).lines().toList();
        int first = beginsAnywhere && lines.size() > 1 ? 1 : 0;
        return lines.subList(Math.max(first, lines.size() - maxLines), lines.size()).stream()
                .map(OutputLines::harmless)
                .toList();
    }

    /** Without what a terminal obeys (escapes), what ends a line for a reader of logs, and what is not seen. */
    private static String harmless(String line) {
        return cut(line.codePoints()
                .filter(c -> !LogCharacters.isHarmful(c))
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString());
    }

    private static String cut(String line) {
        if (line.length() <= LINE_LENGTH) {
            return line;
        }
        boolean splitsPair = Character.isHighSurrogate(line.charAt(LINE_LENGTH - 1));
        return line.substring(0, splitsPair ? LINE_LENGTH - 1 : LINE_LENGTH);
    }
}
