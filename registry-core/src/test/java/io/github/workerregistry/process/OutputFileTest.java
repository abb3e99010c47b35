package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(UnexpectedWarnings.class)
class OutputFileTest {

    private static final long LIMIT = 100;

    private Path file = Path.of("set before each test");

    @BeforeEach
    void makeFile(@TempDir Path directory) throws IOException {
        file = Files.createFile(directory.resolve("w.log"));
    }

    @Test
    void whatEarlierProcessesWroteIsNotCountedAndNotShown() throws IOException {
        write("of the last one\n");
        OutputFile output = output();

        write("mine\n");

        assertThat(output.bytes()).isEqualTo(5);
        assertThat(output.tail(9)).containsExactly("mine");
    }

    @Test
    void aFileOverTheLimitIsEmptiedAndItsEndRemembered() throws IOException {
        OutputFile output = output();
        write("x".repeat(100) + "\nend\n");

        assertThat(output.bytes()).isEqualTo(105);
        assertThat(file).isEmptyFile();
        assertThat(output.tail(1)).containsExactly("end");
        write("more\n");
        assertThat(output.bytes()).isEqualTo(110);
        assertThat(output.tail(2)).containsExactly("end", "more");
        assertThat(file).hasContent("more\n");
    }

    @Test
    void whatIsRememberedStaysBoundedOverManyCuts() throws IOException {
        OutputFile output = output();
        for (int i = 0; i < 100; i++) {
            write("line " + i + " " + "x".repeat(2_000) + "\n");
            assertThat(output.bytes()).isGreaterThan(2_000L * i);
        }

        // 64 KiB hold 32 of these lines, the first of which lacks its beginning.
        assertThat(output.tail(1_000)).hasSize(32).last().asString().startsWith("line 99 ");
    }

    @Test
    void aLineThatACutWentThroughIsShownWhole() throws IOException {
        OutputFile output = output();
        write("x".repeat(100) + "\nfirst half, ");
        assertThat(output.bytes()).isEqualTo(113);

        write("second half\n");

        assertThat(output.tail(1)).containsExactly("first half, second half");
    }

    @Test
    void theCountDoesNotFallWhenSomebodyElseCutsOrDeletesTheFile() throws IOException {
        OutputFile output = output();
        write("0123456789");
        assertThat(output.bytes()).isEqualTo(10);

        Files.write(file, new byte[] {'a', '\n'});
        assertThat(output.bytes()).isEqualTo(12);
        assertThat(output.tail(9)).containsExactly("a");

        Files.delete(file);
        assertThat(output.bytes()).isEqualTo(12);
        assertThat(output.tail(9)).isEmpty();
    }

    /** Else a worker could print, be read, have its file deleted, and have printed nothing. */
    @Test
    void whatWasShownWasCounted() throws IOException {
        File growing = new File(file.toString()) {
            @Override
            public long length() {
                long before = super.length();
                if (exists()) {
                    write("one\n");
                }
                return before;
            }
        };
        OutputFile output = new OutputFile(growing, LIMIT, () -> {}, () -> {});

        List<String> shown = output.tail(9);
        Files.delete(file);

        assertThat(output.bytes()).isEqualTo(shown.size() * 4L).isPositive();
    }

    /** A channel of NIO closes itself under an interrupted thread. */
    @Test
    void anInterruptedThreadCutsAndReadsToo() throws IOException {
        OutputFile output = output();
        write("x".repeat(100) + "\nend\n");

        Thread.currentThread().interrupt();
        try {
            assertThat(output.bytes()).isEqualTo(105);
            assertThat(output.tail(1)).containsExactly("end");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(file).isEmptyFile();
    }

    private OutputFile output() {
        return new OutputFile(file.toFile(), LIMIT, () -> {}, () -> {});
    }

    private void write(String text) {
        try {
            Files.writeString(file, text, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
