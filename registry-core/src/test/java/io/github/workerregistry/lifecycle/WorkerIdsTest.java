package io.github.workerregistry.lifecycle;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@ExtendWith(UnexpectedWarnings.class)
class WorkerIdsTest {

    @ParameterizedTest
    @CsvSource({
        "tiny,tiny",
        "hf:tiny,hf-tiny",
        "hf:TheBloke/TinyLlama-1.1B,tinyllama-1.1b",
        "TheBloke/TinyLlama/,tinyllama",
        "llama3:8b,llama3-8b",
        "org/model@main,model-main",
        "/models/tiny.gguf,tiny",
        "C:\\models\\Tiny.Q4_K_M.GGUF,tiny.q4_k_m",
        "a  b/../c  d,c-d",
        "..,worker",
        "../..,worker",
        "--help,help",
        ".hidden,hidden",
        "\u6a21\u578b,worker",
        "\u6a21\u578b-7b,7b",
        "mod\u00e8le,mod-le",
        "$(id > f),id-f",
        "///,worker"
    })
    void theStemIsTheShortNameOfTheModel(String modelRef, String stem) {
        assertThat(WorkerIds.stem(modelRef)).isEqualTo(stem);
    }

    @Test
    void aLongNameIsCut() {
        assertThat(WorkerIds.stem("a".repeat(39) + "-bc")).isEqualTo("a".repeat(39));
        assertThat(WorkerIds.stem("b".repeat(256))).isEqualTo("b".repeat(40));
    }

    @Test
    void noIdIsGeneratedTwice() {
        WorkerIds ids = new WorkerIds();

        assertThat(ids.next("m/tiny")).isEqualTo("tiny-1");
        assertThat(ids.next("m/tiny")).isEqualTo("tiny-2");
        assertThat(ids.next("llama")).isEqualTo("llama-3");
    }
}
