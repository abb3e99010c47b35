package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArgumentSplitterTest {

    @ParameterizedTest
    @MethodSource
    void splitsLikeAShell(String line, List<String> arguments) {
        assertThat(ArgumentSplitter.split(line)).isEqualTo(arguments);
    }

    static Stream<Arguments> splitsLikeAShell() {
        return Stream.of(
                arguments("", List.of()),
                arguments(" \t\n ", List.of()),
                arguments("a b", List.of("a", "b")),
                arguments("  a \t b\n", List.of("a", "b")),
                arguments("'a b' \"c d\"", List.of("a b", "c d")),
                arguments("a'b c'd\"e f\"g", List.of("ab cde fg")),
                arguments("a '' \"\" b", List.of("a", "", "", "b")),
                arguments("a\\ b", List.of("a b")),
                arguments("\\'a\\\"", List.of("'a\"")),
                arguments("a\\\\b", List.of("a\\b")),
                arguments("'a\\b'", List.of("a\\b")),
                arguments("\"a\\b\"", List.of("a\\b")),
                arguments("\"a\\\"b\\\\c\\$d\"", List.of("a\"b\\c$d")),
                arguments("'a\"b' \"a'b\"", List.of("a\"b", "a'b")),
                arguments(
                        "$HOME `id` *.gguf a|b; c>d & #e",
                        List.of("$HOME", "`id`", "*.gguf", "a|b;", "c>d", "&", "#e")),
                arguments("-m {model_path} --port {port}", List.of("-m", "{model_path}", "--port", "{port}")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"'", "a 'b", "a \"b", "\"a\\\"", "'a\\''"})
    void unclosedQuoteIsRejected(String line) {
        assertThatThrownBy(() -> ArgumentSplitter.split(line))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("is not closed");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\\", "a \\"})
    void backslashAtTheEndIsRejected(String line) {
        assertThatThrownBy(() -> ArgumentSplitter.split(line))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nothing follows the backslash");
    }
}
