package io.github.workerregistry.process;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;

@ExtendWith(UnexpectedWarnings.class)
class OutputFileTest {

    private static final long LIMIT = 100;

    private final List<OutputFile> opened = new ArrayList<>();
    private Path file = Path.of("set before each test");

    @BeforeEach
    void makeFile(@TempDir Path directory) throws IOException {
        file = Files.createFile(directory.resolve("w.log"));
    }

    @Test
    void outputOfEarlierProcessesIsNotCountedAndNotReturned() throws IOException {
        print("of the last one\n");
        OutputFile output = output();

        print("mine\n");

        assertThat(output.bytes()).isEqualTo(5);
        assertThat(output.tail(9)).containsExactly("mine");
    }

    @Test
    void fileAboveTheLimitIsTruncatedAndItsEndIsKept() throws IOException {
        OutputFile output = output();
        print("x".repeat(100) + "\nend\n");

        assertThat(output.bytes()).isEqualTo(105);
        assertThat(file).isEmptyFile();
        assertThat(output.tail(1)).containsExactly("end");
        print("more\n");
        assertThat(output.bytes()).isEqualTo(110);
        assertThat(output.tail(2)).containsExactly("end", "more");
        assertThat(file).hasContent("more\n");
    }

    @Test
    void keptOutputStaysBoundedOverManyTruncations() throws IOException {
        OutputFile output = output();
        for (int i = 0; i < 100; i++) {
            print("line " + i + " " + "x".repeat(2_000) + "\n");
            assertThat(output.bytes()).isGreaterThan(2_000L * i);
        }

        // 64 KiB contain 32 of these lines, the first of which is incomplete.
        assertThat(output.tail(1_000)).hasSize(32).last().asString().startsWith("line 99 ");
    }

    @Test
    void fileOfManyGibibytesIsCountedAndItsEndIsRead() throws IOException {
        long gibibytes = 5L << 30;
        OutputFile output = outputTo(HeldFile.open(file.getParent(), "w.log"), Long.MAX_VALUE);
        try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
            sparse.setLength(gibibytes);
        }
        print("end\n");

        assertThat(output.bytes()).isEqualTo(gibibytes + 4);
        assertThat(output.tail(9)).containsExactly("end");
    }

    @Test
    void lineSplitByATruncationIsReturnedWhole() throws IOException {
        OutputFile output = output();
        print("x".repeat(100) + "\nfirst half, ");
        assertThat(output.bytes()).isEqualTo(113);

        print("second half\n");

        assertThat(output.tail(1)).containsExactly("first half, second half");
    }

    @Test
    void countDoesNotDecreaseAfterAnExternalTruncation() throws IOException {
        OutputFile output = output();
        print("0123456789");
        assertThat(output.bytes()).isEqualTo(10);

        Files.write(file, new byte[] {'a', '\n'});

        assertThat(output.bytes()).isEqualTo(12);
        assertThat(output.tail(9)).containsExactly("a");
    }

    /** Otherwise output that was returned, and then truncated, would never be counted. */
    @Test
    void returnedOutputIsCounted() throws IOException {
        try (RandomAccessFile growing = new RandomAccessFile(file.toFile(), "rw") {
            @Override
            public long length() throws IOException {
                long before = super.length();
                print("one\n");
                return before;
            }
        }) {
            OutputFile output = outputTo(new HeldFile(growing, file, file.getParent(), file, false));

            List<String> shown = output.tail(9);
            Files.write(file, new byte[0]);

            assertThat(output.bytes()).isEqualTo(shown.size() * 4L).isPositive();
        }
    }

    @Test
    void unreadableOutputKeepsItsCountAndHasNoTail() throws IOException {
        try (RandomAccessFile broken = new RandomAccessFile(file.toFile(), "rw") {
            @Override
            public long length() throws IOException {
                if (Files.size(file) > 4) {
                    throw new IOException("stale file handle");
                }
                return super.length();
            }
        }) {
            OutputFile output = outputTo(new HeldFile(broken, file, file.getParent(), file, false));
            print("one\n");
            assertThat(output.bytes()).isEqualTo(4);
            print("two\n");

            assertThat(output.bytes()).isEqualTo(4);
            assertThat(output.tail(9)).isEmpty();
        }
    }

    /** An NIO channel is closed by an interrupt. */
    @Test
    void interruptedThreadTruncatesAndReads() throws IOException {
        OutputFile output = output();
        print("x".repeat(100) + "\nend\n");

        Thread.currentThread().interrupt();
        try {
            assertThat(output.bytes()).isEqualTo(105);
            assertThat(output.tail(1)).containsExactly("end");
        } finally {
            assertThat(Thread.interrupted()).isTrue();
        }
        assertThat(file).isEmptyFile();
    }

    @Test
    void outputIsReadFromAnOffsetOn() throws IOException {
        print("of the last one\n");
        OutputFile output = output();
        print("one\ntwo\n");

        assertThat(read(output, 0)).isEqualTo("0: one\ntwo\n");
        assertThat(read(output, 4)).isEqualTo("4: two\n");
        assertThat(read(output, 8)).isEqualTo("8: ");
    }

    @Test
    void keptOutputIsReadAfterATruncationAndThenTheFile() throws IOException {
        OutputFile output = output();
        print("x".repeat(100) + "\nend\n");
        assertThat(output.bytes()).isEqualTo(105);
        print("more\n");

        assertThat(read(output, 99)).isEqualTo("99: x\nend\n");
        assertThat(read(output, 105)).isEqualTo("105: more\n");
    }

    @Test
    void outputThatIsNotKeptIsSkipped() throws IOException {
        OutputFile output = output();
        print("x".repeat(OutputFile.TAIL_BYTES) + "0123456789");
        output.bytes();

        assertThat(read(output, 3))
                .hasSize(4 + OutputFile.TAIL_BYTES)
                .startsWith("10: x")
                .endsWith("789");
    }

    @Test
    void outputBeforeAnExternalTruncationIsSkipped() throws IOException {
        OutputFile output = output();
        print("0123456789\n");
        output.bytes();
        Files.write(file, new byte[0]);
        print("a\n");

        assertThat(read(output, 5)).isEqualTo("11: a\n");
        print("x".repeat(100) + "\n");
        assertThat(output.bytes()).isEqualTo(114);
        assertThat(read(output, 5)).startsWith("11: a\nx");
    }

    /** The offset of the first byte, and what was read. */
    private static String read(OutputFile output, long offset) {
        ByteBuffer into = ByteBuffer.allocate(2 * OutputFile.TAIL_BYTES);
        long first = output.read(offset, into).orElseThrow();
        return first + ": " + new String(into.array(), 0, into.position(), UTF_8);
    }

    private OutputFile output() throws IOException {
        return outputTo(HeldFile.open(file.getParent(), "w.log"));
    }

    private OutputFile outputTo(HeldFile held) throws IOException {
        return outputTo(held, LIMIT);
    }

    private OutputFile outputTo(HeldFile held, long limit) throws IOException {
        OutputFile output = new OutputFile(held, limit, () -> {}, () -> {});
        opened.add(output);
        return output;
    }

    @AfterEach
    void release() {
        opened.forEach(OutputFile::release);
    }

    private void print(String text) {
        try {
            Files.writeString(file, text, StandardOpenOption.APPEND);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
