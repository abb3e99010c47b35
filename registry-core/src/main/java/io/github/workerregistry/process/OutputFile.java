package io.github.workerregistry.process;

import io.github.workerregistry.LogText;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Output in a file that may grow to a limit. Grown over it, the file is cut to nothing, and its end is kept in memory.
 *
 * <p>The child appends (O_APPEND), so what it writes after the cut begins at the start of the file. What it writes in
 * the instant between reading the end and cutting is lost.
 *
 * <p>The file stays the same one, and open, until the output is released: deleted, renamed or rotated it is still read
 * and cut, and needs no free file descriptor for that.
 */
final class OutputFile implements ProcessOutput {

    /** The most that is read for a tail, and the most that is kept in memory. */
    static final int TAIL_BYTES = 64 * 1024;

    private static final Logger log = LoggerFactory.getLogger(OutputFile.class);

    private final HeldFile file;
    private final RandomAccessFile content;
    private final long limit;
    private final Runnable onRelease;
    private final Runnable onAbandon;

    private long written;
    private long seen; // size of the file when it was last read
    private long begin; // where in the file the output of this process begins
    private byte[] kept = {};
    private boolean closed;

    /**
     * Output that is appended to a file.
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
        this.seen = content.length();
        this.begin = seen;
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
                if (seen > limit) {
                    cut();
                }
            } catch (IOException e) {
                log.debug("output in {} cannot be read or cut", file, LogText.of(e));
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
    public void release() {
        close();
        onRelease.run();
    }

    @Override
    public void abandon() {
        close();
        onAbandon.run();
    }

    /** Under the lock: the number of a descriptor that is closed while it is used may be that of another file. */
    private synchronized void close() {
        closed = true;
        file.close();
    }

    private void count(long size) {
        if (size < seen) { // cut by somebody else, such as a log rotation that copies and truncates
            begin = 0;
            written += size;
        } else {
            written += size - seen;
        }
        seen = size;
    }

    private void cut() throws IOException {
        kept = end();
        content.setLength(0);
        begin = 0;
        seen = 0;
    }

    /** The last bytes that this process wrote, whether they are still in the file or not. */
    private byte[] end() throws IOException {
        long size = content.length(); // asked once: the child goes on writing
        count(size); // so that whatever was shown was counted, too
        long from = Math.max(begin, size - TAIL_BYTES);
        byte[] window = new byte[(int) Math.max(0, size - from)];
        content.seek(from);
        int length = Math.max(0, content.read(window));
        int hole = holeBefore(window, length);
        byte[] end = Arrays.copyOf(kept, kept.length + length - hole);
        System.arraycopy(window, hole, end, kept.length, length - hole);
        return Arrays.copyOfRange(end, Math.max(0, end.length - TAIL_BYTES), end.length);
    }

    /** A child that has opened its output anew does not append: it leaves a hole where the file was cut. */
    private static int holeBefore(byte[] window, int length) {
        int hole = 0;
        while (hole < length && window[hole] == 0) {
            hole++;
        }
        return hole;
    }

    /** Deletes an output file, or a directory of them if none is left in it. */
    static void delete(Path path) {
        try {
            Files.deleteIfExists(path);
        } catch (DirectoryNotEmptyException e) {
            // others still write there
        } catch (IOException e) {
            log.debug("{} cannot be deleted", LogText.of(path.toString()), LogText.of(e));
        }
    }
}
