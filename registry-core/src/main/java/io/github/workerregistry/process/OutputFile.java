package io.github.workerregistry.process;

import io.github.workerregistry.LogText;
import java.io.File;
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
 * <p>Files are read and cut with {@link RandomAccessFile}: a channel would be closed when the calling thread is
 * interrupted.
 */
final class OutputFile implements ProcessOutput {

    /** The most that is read for a tail, and the most that is kept in memory. */
    static final int TAIL_BYTES = 64 * 1024;

    private static final Logger log = LoggerFactory.getLogger(OutputFile.class);

    private final File file;
    private final long limit;
    private final Runnable onRelease;
    private final Runnable onAbandon;

    private long written;
    private long seen; // size of the file at the last look
    private long begin; // where in the file the output of this process begins
    private byte[] kept = {};

    OutputFile(File file, long limit, Runnable onRelease, Runnable onAbandon) {
        this.file = file;
        this.limit = limit;
        this.onRelease = onRelease;
        this.onAbandon = onAbandon;
        this.seen = file.length();
        this.begin = seen;
    }

    @Override
    public void connect(ProcessBuilder builder) {
        builder.redirectErrorStream(true).redirectOutput(Redirect.appendTo(file));
    }

    @Override
    public synchronized long bytes() {
        count(file.length()); // 0 if it has gone
        if (seen > limit) {
            cut();
        }
        return written;
    }

    @Override
    public synchronized List<String> tail(int maxLines) {
        try {
            byte[] end = end();
            return OutputLines.last(maxLines, end, written > end.length);
        } catch (IOException e) {
            log.debug("output in {} cannot be read", LogText.of(file.toString()), LogText.of(e));
            return List.of();
        }
    }

    @Override
    public void release() {
        onRelease.run();
    }

    @Override
    public void abandon() {
        onAbandon.run();
    }

    private void count(long size) {
        if (size < seen) { // cut by somebody else: a log rotation, or whoever cleans up
            begin = 0;
            written += size;
        } else {
            written += size - seen;
        }
        seen = size;
    }

    private void cut() {
        try (RandomAccessFile open = new RandomAccessFile(file, "rw")) {
            kept = end();
            open.setLength(0);
            begin = 0;
            seen = 0;
        } catch (IOException e) {
            log.debug("output in {} cannot be cut", LogText.of(file.toString()), LogText.of(e));
        }
    }

    /** The last bytes that this process wrote, whether they are still in the file or not. */
    private byte[] end() throws IOException {
        try (RandomAccessFile open = new RandomAccessFile(file, "r")) {
            long size = open.length(); // asked once: the child goes on writing
            count(size); // so that whatever was shown was counted, too
            long from = Math.max(begin, size - TAIL_BYTES);
            byte[] window = new byte[(int) Math.max(0, size - from)];
            open.seek(from);
            int length = Math.max(0, open.read(window));
            byte[] end = Arrays.copyOf(kept, kept.length + length);
            System.arraycopy(window, 0, end, kept.length, length);
            return Arrays.copyOfRange(end, Math.max(0, end.length - TAIL_BYTES), end.length);
        }
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
