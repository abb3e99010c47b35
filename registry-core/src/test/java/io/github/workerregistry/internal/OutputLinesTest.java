package io.github.workerregistry.internal;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(UnexpectedWarnings.class)
class OutputLinesTest {

    @Test
    void lastLinesAreReturned() {
        assertThat(last(2, "one\ntwo\nthree\n")).containsExactly("two", "three");
        assertThat(last(9, "one\n\nthree")).containsExactly("one", "", "three");
        assertThat(last(9, "")).isEmpty();
    }

    @Test
    void carriageReturnEndsALineAsInProgressBars() {
        assertThat(last(9, "a\r\n10%\r20%\r")).containsExactly("a", "10%", "20%");
    }

    @Test
    void terminalEscapesAreRemoved() {
        assertThat(last(9, "\u001b[31mred\u0007 \u009b1m\ttab\u0000\n")).containsExactly("[31mred 1m\ttab");
    }

    @Test
    void lineSeparatorsAreRemoved() {
        assertThat(last(9, "a\u0085b\u2028c\u2029d\u000be\ff")).containsExactly("abcdef");
    }

    @Test
    void invisibleAndBidirectionalCharactersAreRemoved() {
        assertThat(last(9, "a\u202egpj.exe\u2066b\u200bc\ufeffd\u00ade\ufe0ff\u3164g\udb40\udc41h\udb40\udd00i"))
                .containsExactly("agpj.exebcdefghi");
    }

    @Test
    void textInOtherLanguagesIsKept() {
        assertThat(last(9, "größer 模型 👍🏽")).containsExactly("größer 模型 👍🏽");
    }

    @Test
    void malformedUtf8IsReplaced() {
        assertThat(OutputLines.last(9, "gr\u00f6\u00dfer".getBytes(ISO_8859_1), false))
                .containsExactly("gr\ufffd\ufffder");
    }

    @Test
    void longLineIsTruncatedAtACharacterBoundary() {
        assertThat(last(1, "x".repeat(1_001))).containsExactly("x".repeat(1_000));
        assertThat(last(1, "x".repeat(999) + "👍")).containsExactly("x".repeat(999));
        assertThat(last(1, "x".repeat(998) + "👍")).containsExactly("x".repeat(998) + "👍");
    }

    @Test
    void incompleteFirstLineIsOmittedUnlessItIsTheOnlyOne() {
        assertThat(OutputLines.last(9, "ne\ntwo\n".getBytes(UTF_8), true)).containsExactly("two");
        assertThat(OutputLines.last(9, "ne".getBytes(UTF_8), true)).containsExactly("ne");
    }

    private static List<String> last(int maxLines, String text) {
        return OutputLines.last(maxLines, text.getBytes(UTF_8), false);
    }
}
