package io.github.workerregistry.examples.hive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.workerregistry.examples.http.Refusal;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ModelsDirectoryTest {

    @TempDir
    private Path directory;

    /** Regression: a client of a hive of root read /etc/shadow. */
    @Test
    void onlyFilesInTheDirectoryAreAccepted() throws IOException {
        Path models = Files.createDirectory(directory.resolve("models"));
        Path model = Files.createFile(models.resolve("a.gguf"));
        Path outside = Files.createFile(directory.resolve("secret"));
        Files.createSymbolicLink(models.resolve("link"), outside);
        ModelsDirectory bound = new ModelsDirectory(Optional.of(models));

        assertThat(bound.require("a.gguf")).isEqualTo(model.toRealPath().toString());
        assertThat(bound.require(model.toString())).isEqualTo(model.toRealPath().toString());
        for (String wrong : List.of("/etc/passwd", "../secret", "link", "none.gguf", outside.toString(), "\0")) {
            assertThatThrownBy(() -> bound.require(wrong))
                    .as(wrong)
                    .isInstanceOf(Refusal.class)
                    .hasMessageContaining("model_path");
        }
        assertThat(new ModelsDirectory(Optional.empty()).require("/any/file")).isEqualTo("/any/file");
    }
}
