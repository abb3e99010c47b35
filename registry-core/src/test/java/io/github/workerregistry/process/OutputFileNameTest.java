package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@ExtendWith(UnexpectedWarnings.class)
class OutputFileNameTest {

    private static final String HASH = "~[0-9a-f]{32}\\.log";

    @ParameterizedTest
    @ValueSource(strings = {"w", "worker-1_a.b", "0", "_", "3f2504e0-4f89-41d3-9a0c-0305e82c3301", "console", "com10"})
    void plainIdIsTheFileName(String id) {
        assertThat(OutputFileName.of(id)).isEqualTo(id + ".log");
    }

    @Test
    void anyOtherIdBecomesAReadablePartAndAHash() {
        assertThat(OutputFileName.of("hf:Qwen/Qwen2.5-7B")).matches("hf_Qwen_Qwen2\\.5-7B" + HASH);
        assertThat(OutputFileName.of("gpu box")).matches("gpu_box" + HASH);
        assertThat(OutputFileName.of("../x")).matches("_\\._x" + HASH);
        assertThat(OutputFileName.of("..")).matches("_\\." + HASH);
        assertThat(OutputFileName.of(".hidden")).matches("_hidden" + HASH);
        assertThat(OutputFileName.of("-rf")).matches("_rf" + HASH);
        assertThat(OutputFileName.of("模")).matches("_" + HASH);
    }

    @ParameterizedTest
    @ValueSource(strings = {"con", "CON", "con.x", "Nul", "com1", "lpt9.txt", "aux.tar.gz"})
    void windowsDeviceNameIsNotUsed(String id) {
        assertThat(OutputFileName.of(id)).matches("_.*" + HASH);
    }

    @Test
    void longIdIsTruncated() {
        assertThat(OutputFileName.of("m".repeat(200))).isEqualTo("m".repeat(200) + ".log");
        assertThat(OutputFileName.of("m".repeat(201))).matches("m{100}" + HASH);
        assertThat(OutputFileName.of("模".repeat(256))).hasSizeLessThan(143);
    }

    /** Regression: a truncated id and the id equal to its file name shared a file. */
    @Test
    void differentIdsHaveDifferentNamesOnACaseInsensitiveFileSystem() {
        String cut = OutputFileName.of("m".repeat(250));
        List<String> ids = List.of(
                "m".repeat(250),
                "m".repeat(251),
                cut,
                cut.substring(0, cut.length() - ".log".length()),
                "a",
                "A",
                "a/b",
                "a_b",
                "a%2Fb",
                "a%2fb",
                "a b",
                "a+b",
                "\ud800",
                "\ud801",
                "?",
                "_",
                "con",
                "_con",
                "CON",
                ".x",
                "_x",
                "\u00e9",
                "e\u0301");

        assertThat(ids.stream().map(id -> OutputFileName.of(id).toLowerCase(Locale.ROOT)))
                .doesNotHaveDuplicates();
    }
}
