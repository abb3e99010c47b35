package io.github.workerregistry.process;

import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.internal.OutputLines;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.ProcessBuilder.Redirect;
import java.nio.ByteBuffer;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Output in a file of limited size. Above the limit the file is truncated to zero, and its end is kept in memory.
 *
 * <p>The child appends (O_APPEND), so after truncation it writes from the start of the file. Output written between
 * reading the end and truncating is lost.
 *
 * <p>The file is kept open until the output is released: it is read and truncated even if it was deleted, renamed or
 * rotated, and without a free file descriptor.
 */
final class OutputFile implements ProcessOutput {

    /** Maximum number of bytes read for a tail, and kept in memory. */
    static final int TAIL_BYTES = 64 * 1024;

    private static final Logger log = LoggerFactory.getLogger(OutputFile.class);

    private final HeldFile file;
    private final RandomAccessFile content;
    private final long limit;
    private final Runnable onRelease;
    private final Runnable onAbandon;

    private long written;
    private long lastSize; // size of the file when it was last read
    private long begin; // offset in the file at which the output of this process begins
    private byte[] keptTail = {};
    private long keptFrom; // offset in the output from which the kept end is without a gap
    private long keptTo;
    private boolean closed;

    /**
     * Appends output to a file.
     *
     * @param onRelease run once the file has been closed after the end of the process
     * @param onAbandon run once the file has been closed because the process was never started
     */
    OutputFile(HeldFile file, long limit, Runnable onRelease, Runnable onAbandon) throws IOException {
        this.file = file;
        this.content = file.content();
        this.limit = limit;
        this.onRelease = onRelease;
        this.onAbandon = onAbandon;
        this.lastSize = content.length();
        this.begin = lastSize;
    }

    @Override
    public void connect(ProcessBuilder builder) {
        builder.redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(file.name().toFile()));
    }

    @Override
    public synchronized long bytes() {
        if (!closed) {
            try {
                count(content.length());
                if (lastSize > limit) {
                    truncate();
                }
            } catch (IOException e) {
                log.debug("output in {} cannot be read or truncated", file, LogText.of(e));
            }
        }
        return written;
    }

    @Override
    public synchronized List<String> tail(int maxLines) {
        if (closed) {
            return List.of();
        }
        try {
            byte[] end = end();
            return OutputLines.last(maxLines, end, written > end.length);
        } catch (IOException e) {
            log.debug("output in {} cannot be read", file, LogText.of(e));
            return List.of();
        }
    }

    @Override
    public synchronized OptionalLong read(long offset, ByteBuffer into) {
        if (closed) {
            return OptionalLong.of(offset);
        }
        try {
            count(content.length());
            return OptionalLong.of(
                    offset < keptTo ? readKept(Math.max(offset, keptFrom), into) : readFile(offset, into));
        } catch (IOException e) {
            log.debug("output in {} cannot be read", file, LogText.of(e));
            return OptionalLong.of(offset);
        }
    }

    private long readKept(long offset, ByteBuffer into) {
        int length = (int) Math.min(keptTo - offset, into.remaining());
        into.put(keptTail, keptTail.length - (int) (keptTo - offset), length);
        return offset;
    }

    private long readFile(long offset, ByteBuffer into) throws IOException {
        long first = Math.max(offset, firstInFile());
        byte[] bytes = new byte[(int) Math.max(0, Math.min(written - first, into.remaining()))];
        content.seek(first - firstInFile() + begin);
        into.put(bytes, 0, Math.max(0, content.read(bytes)));
        return first;
    }

    /** The offset in the output of the first byte of this process that is still in the file. */
    private long firstInFile() {
        return written - (lastSize - begin);
    }

    @Override
    public void release() {
        close();
        onRelease.run();
    }

    @Override
    public void abandon() {
        close();
        onAbandon.run();
    }

    /** Holds the lock, because the number of a descriptor that is closed during use may be reused for another file. */
    private synchronized void close() {
        closed = true;
        file.close();
    }

    private void count(long size) {
        if (size < lastSize) { // truncated externally, for example by log rotation
            begin = 0;
            written += size;
        } else {
            written += size - lastSize;
        }
        lastSize = size;
    }

    private void truncate() throws IOException {
        byte[] end = end();
        long gapless = keptTo == firstInFile() ? keptFrom : firstInFile();
        keptTail = end;
        keptTo = written;
        keptFrom = Math.max(gapless, written - end.length);
        content.setLength(0);
        begin = 0;
        lastSize = 0;
    }

    /** The last bytes that this process wrote, including truncated ones. */
    private byte[] end() throws IOException {
        long size = content.length(); // read once: the child keeps writing
        count(size); // so that every byte returned is also counted
        long from = Math.max(begin, size - TAIL_BYTES);
        byte[] window = new byte[(int) Math.max(0, size - from)];
        content.seek(from);
        int length = Math.max(0, content.read(window));
        int hole = holeBefore(window, length);
        byte[] end = Arrays.copyOf(keptTail, keptTail.length + length - hole);
        System.arraycopy(window, hole, end, keptTail.length, length - hole);
        return Arrays.copyOfRange(end, Math.max(0, end.length - TAIL_BYTES), end.length);
    }

    /** A child that has reopened its output without O_APPEND leaves a hole at the start of the truncated file. */
    private static int holeBefore(byte[] window, int length) {
        int hole = 0;
        while (hole < length && window[hole] == 0) {
            hole++;
        }
        return hole;
    }

    /** Deletes an output file, or an empty directory. */
    static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (DirectoryNotEmptyException e) {
            // still in use
        } catch (IOException e) {
            log.debug("{} cannot be deleted", LogText.of(path.toString()), LogText.of(e));
        }
    }
}
