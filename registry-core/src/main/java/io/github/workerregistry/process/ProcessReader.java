package io.github.workerregistry.process;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import io.github.workerregistry.process.ProcessMark.Observation;
import io.github.workerregistry.process.ProcessTable.Row;
import java.io.FileInputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.Optional;

/**
 * Reads the rows and marks of many processes into one reused buffer. Whatever cannot be read here is read again by
 * {@link ProcessTable} and {@link ProcessMark}, which distinguish the causes. Not thread-safe.
 */
final class ProcessReader {

    /** A larger read would allocate native memory in each call. */
    private static final int MAX_READ = 8192;

    private static final byte[] ENTRY = (ProcessMark.NAME + "=").getBytes(ISO_8859_1);

    private byte[] buffer = new byte[MAX_READ];
    private int length;

    /** The row of the process that currently has a pid. */
    Reading<Row> row(long pid) {
        if (!Proc.isAvailable() || !read("/proc/" + pid + "/stat") || length == 0) {
            return ProcessTable.row(pid);
        }
        try {
            return Reading.read(StatLine.row(buffer, length, pid, Proc.bootId()));
        } catch (UnreadableException e) {
            return Reading.failed();
        }
    }

    /** The mark of the process that currently has a pid; see {@link ProcessMark#observe}. */
    Observation mark(long pid) {
        return Proc.isAvailable() && read("/proc/" + pid + "/environ") && length > 0
                ? new Observation(true, markIn())
                : ProcessMark.observe(pid);
    }

    private boolean read(String file) {
        length = 0;
        try (FileInputStream in = new FileInputStream(file)) {
            for (int n = 0; n >= 0; n = in.read(buffer, length, Math.min(buffer.length - length, MAX_READ))) {
                length += n;
                if (length == buffer.length) {
                    buffer = Arrays.copyOf(buffer, 2 * length);
                }
            }
            return true;
        } catch (IOException e) {
            return false;
        }
    }

    private Optional<ProcessMark> markIn() {
        int start = 0;
        for (int i = 0; i < length; i++) {
            if (buffer[i] == 0) {
                if (i - start >= ENTRY.length
                        && Arrays.equals(buffer, start, start + ENTRY.length, ENTRY, 0, ENTRY.length)) {
                    int value = start + ENTRY.length;
                    return Optional.of(new ProcessMark(new String(buffer, value, i - value, ISO_8859_1)));
                }
                start = i + 1;
            }
        }
        return Optional.empty();
    }
}
