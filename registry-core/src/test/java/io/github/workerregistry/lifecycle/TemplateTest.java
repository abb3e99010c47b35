package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(UnexpectedWarnings.class)
class TemplateTest {

    private static final Map<String, String> VALUES = Map.of("port", "8100", "odd", "{port} $1 \\ }}", "a", "{");

    @ParameterizedTest
    @CsvSource(delimiter = '|', ignoreLeadingAndTrailingWhitespace = false, textBlock = """
            --port={port}|--port=8100
            {port}{port}|81008100
            {"port":{port}}|{"port":8100}
            {"a":{"b":{"c":1}}}|{"a":{"b":{"c":1}}}
            {{ messages[0] }}|{{ messages[0] }}
            {{- port -}}|{{- port -}}
            {% if port %}|{% if port %}
            {{port}}|{port}
            {{port}|{port}
            {{{port}}}|{{port}}
            {{{{port}}}}|{{{port}}}
            {{port}}}|{port}}
            {{unknown}}|{unknown}
            {{port}}{port}|{port}8100
            [{port}]|[8100]
            {port|{port
            port}|port}
            {}|{}
            {{}}|{{}}
            { port }|{ port }
            {Port}|{Port}
            {2,3}|{2,3}
            ${WORKER_PORT}|${WORKER_PORT}
            {odd}|{port} $1 \\ }}
            {a}port}|{port}
            {a}{a}port}}|{{port}}
            """)
    void placeholdersAreFilledOnceAndOtherBracesStay(String written, String filled) {
        assertThat(new Template(written).substitute(VALUES)).isEqualTo(filled);
    }

    @Test
    void escapedPlaceholdersNeedNoValue() {
        assertThat(new Template("{{a}} {b} {{{c}}} {{d} ${e}").names()).containsExactlyInAnyOrder("b", "e");
    }

    @Test
    void whatLooksLikeAPlaceholderIsANearMissUnlessItIsAShellsOrEscaped() {
        assertThat(new Template("{modelRef} {model-ref} {PORT} ${DEVICE} {{Slots}} {good_one} {1} {a b}").nearMisses())
                .containsExactlyInAnyOrder("modelRef", "model-ref", "PORT");
    }

    /** The time grows linearly with the length of the text. */
    @Test
    void longTextsAreFilled() {
        String braces = "{".repeat(4 << 20);
        String name = "{" + "a".repeat(4 << 20);
        String value = "x".repeat(10 << 20);

        assertThat(new Template(braces).substitute(VALUES)).isEqualTo(braces);
        assertThat(new Template(name).substitute(VALUES)).isEqualTo(name);
        assertThat(new Template(name).nearMisses()).isEmpty();
        assertThat(new Template("{a}-{a}").substitute(Map.of("a", value))).isEqualTo(value + "-" + value);
    }
}
