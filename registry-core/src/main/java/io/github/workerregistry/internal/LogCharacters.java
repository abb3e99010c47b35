package io.github.workerregistry.internal;

/** Classifies characters as safe or unsafe in a log line. */
public final class LogCharacters {

    private LogCharacters() {}

    /**
     * Whether a character must not appear in a log line: it breaks the line, controls a terminal, changes the text
     * direction, is invisible, or is not a valid character.
     *
     * <p>These are control characters except the tab, line and paragraph separators, format characters (general
     * category Cf: directions, zero-width joiners, the soft hyphen, tags), everything else that Unicode calls <a
     * href="https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point">default ignorable</a> (variation
     * selectors, fillers), and halves of surrogate pairs.
     *
     * @param codePoint a character
     * @return true if it must be escaped or omitted
     */
    public static boolean isHarmful(int codePoint) {
        if (' ' <= codePoint && codePoint <= '~') {
            return false; // the common case; names are checked whenever a worker is copied
        }
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL -> codePoint != '\t';
            case Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.FORMAT, Character.SURROGATE -> true;
            default -> isIgnorable(codePoint);
        };
    }

    /** Default-ignorable characters outside the format category, including unassigned ones. */
    private static boolean isIgnorable(int codePoint) {
        return switch (codePoint) {
            case 0x034F, // combining grapheme joiner
                    0x115F, // fillers of Hangul
                    0x1160,
                    0x3164,
                    0xFFA0,
                    0x17B4, // inherent vowels of Khmer
                    0x17B5,
                    0x2065 -> true;
            default ->
                isIn(0x180B, 0x180F, codePoint) // variation selectors of Mongolian
                        || isIn(0xFE00, 0xFE0F, codePoint) // variation selectors
                        || isIn(0xFFF0, 0xFFF8, codePoint)
                        || isIn(0xE0000, 0xE0FFF, codePoint); // tags and more variation selectors
        };
    }

    private static boolean isIn(int first, int last, int codePoint) {
        return first <= codePoint && codePoint <= last;
    }
}
