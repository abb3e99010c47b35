package io.github.workerregistry.internal;

/** Tells which characters may stand in a line of a log as they are. */
public final class LogCharacters {

    private LogCharacters() {}

    /**
     * Whether a character must not get into a line of a log: it would break the line, be obeyed by a terminal, change
     * the order of what is read, not be seen at all, or not be one.
     *
     * <p>These are control characters but for the tab, line and paragraph separators, format characters (general
     * category Cf: directions, zero-width joiners, the soft hyphen, tags), everything else that Unicode calls <a
     * href="https://www.unicode.org/reports/tr44/#Default_Ignorable_Code_Point">default ignorable</a> (variation
     * selectors, fillers), and halves of surrogate pairs.
     *
     * @param codePoint a character
     * @return true if it has to be written in another way, or left out
     */
    public static boolean isHarmful(int codePoint) {
        if (' ' <= codePoint && codePoint <= '~') {
            return false; // nearly always, and names are checked whenever a worker is copied
        }
        return switch (Character.getType(codePoint)) {
            case Character.CONTROL -> codePoint != '\t';
            case Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR, Character.FORMAT, Character.SURROGATE -> true;
            default -> isIgnorable(codePoint);
        };
    }

    /** The default ignorable ones that are no format characters, also those that are not assigned yet. */
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
