package io.github.workerregistry.lifecycle;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.workerregistry.UnexpectedWarnings;
import io.github.workerregistry.internal.OutputLines;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.lifecycle.AddLifecycleHook;

/** However output is split into reads, its lines are those of the last lines of an exit. */
@AddLifecycleHook(UnexpectedWarnings.class)
class LineSplitterProperties {

    @Property
    void theBoundariesOfReadsHaveNoEffect(@ForAll("reads") List<byte[]> reads) {
        List<String> lines = new ArrayList<>();
        List<Long> ends = new ArrayList<>();
        LineSplitter splitter = new LineSplitter();
        LineSplitter.Lines heard = (line, end) -> {
            lines.add(line.get());
            ends.add(end);
        };
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] read : reads) {
            splitter.add(ByteBuffer.wrap(read), all.size(), heard);
            all.writeBytes(read);
        }
        splitter.finish(all.size(), heard);

        assertThat(lines).isEqualTo(OutputLines.last(Integer.MAX_VALUE, all.toByteArray(), false));
        assertThat(ends).isSorted().allMatch(end -> end <= all.size());
    }

    /** A program without O_APPEND leaves them after a truncation, as many as it had written. */
    @Example
    void zerosBeforeALineAreSkipped() {
        List<String> lines = new ArrayList<>();
        byte[] hole = new byte[3 * LineSplitter.MAX_BYTES];
        byte[] line = "one\n".getBytes(UTF_8);
        LineSplitter splitter = new LineSplitter();

        splitter.add(ByteBuffer.wrap(hole), 0, (text, end) -> lines.add(text.get()));
        splitter.add(ByteBuffer.wrap(line), hole.length, (text, end) -> lines.add(text.get()));

        assertThat(lines).containsExactly("one");
    }

    /** Pieces of characters of one to four bytes, line ends, terminal escapes, malformed bytes, and long lines. */
    @Provide
    Arbitrary<List<byte[]>> reads() {
        Arbitrary<Byte> bytes =
                Arbitraries.of((byte) 'a', (byte) '\n', (byte) '\r', (byte) 27, (byte) 0xC3, (byte) 0xBC);
        Arbitrary<byte[]> emoji =
                Arbitraries.of(new byte[] {(byte) 0xF0, (byte) 0x9F}, new byte[] {(byte) 0x98, (byte) 0x80});
        return Arbitraries.oneOf(bytes.array(byte[].class).ofMaxSize(8), emoji, longLines())
                .list()
                .ofMaxSize(20);
    }

    private static Arbitrary<byte[]> longLines() {
        return Arbitraries.integers().between(900, 10_000).map(length -> {
            byte[] line = new byte[length];
            Arrays.fill(line, (byte) 'x');
            return line;
        });
    }
}
