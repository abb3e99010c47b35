package io.github.workerregistry.lifecycle;

import io.github.workerregistry.internal.OutputLines;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.function.Supplier;

/**
 * Splits the bytes of a worker's output into lines, whatever the boundaries between reads. The bytes of a line are
 * decoded together, so no character is split. Not thread-safe.
 */
final class LineSplitter {

    /** Bytes kept of one line: more than {@link OutputLines#LINE_LENGTH} characters, with some terminal escapes. */
    static final int MAX_BYTES = 8 * 1024;

    /** Receives a line and the offset in the output at which it ends. */
    @FunctionalInterface
    interface Lines {
        /**
         * Called for each line.
         *
         * @param line decodes it; valid only during the call
         */
        void add(Supplier<String> line, long end);
    }

    private byte[] line = new byte[256];
    private int length;
    private boolean cut; // what follows, up to the line end, is not delivered
    private byte previous;

    /**
     * Splits the next bytes.
     *
     * @param bytes from index 0 up to the limit
     * @param offset of the first byte in the output
     */
    void add(ByteBuffer bytes, long offset, Lines lines) {
        int count = bytes.limit();
        int begin = 0;
        for (int i = 0; i < count; i++) {
            byte now = bytes.get(i);
            if (now == '\n' || now == '\r') {
                append(bytes, begin, i);
                begin = i + 1;
                if (now == '\r' || previous != '\r') {
                    end(offset + begin, lines);
                }
            }
            previous = now;
        }
        append(bytes, begin, count);
        if (length == MAX_BYTES && !cut) { // a line without an end: deliver it now
            end(offset + count, lines);
            cut = true;
        }
    }

    /** No more bytes follow: ends a line that has no end. */
    void finish(long offset, Lines lines) {
        if (length > 0) {
            end(offset, lines);
        }
        reset();
    }

    /** Bytes are missing: drops the beginning of a line. */
    void reset() {
        length = 0;
        cut = false;
        previous = 0;
    }

    /** Skips zeros before a line: a program without O_APPEND leaves them when it writes on after a truncation. */
    private void append(ByteBuffer bytes, int from, int to) {
        int begin = from;
        while (length == 0 && begin < to && bytes.get(begin) == 0) {
            begin++;
        }
        int count = cut ? 0 : Math.min(to - begin, MAX_BYTES - length);
        if (length + count > line.length) {
            line = Arrays.copyOf(line, Math.min(MAX_BYTES, Math.max(length + count, 2 * line.length)));
        }
        bytes.get(begin, line, length, count);
        length += count;
    }

    private void end(long offset, Lines lines) {
        if (!cut) {
            lines.add(() -> OutputLines.line(line, length), offset);
        }
        length = 0;
        cut = false;
    }
}
