package io.github.workerregistry.process;

import io.github.workerregistry.process.ProcessTable.Row;

/**
 * Reads the row of a process from {@code /proc/PID/stat}, without a string for each of its 52 fields; see proc(5).
 *
 * <p>The <em>image</em> of a process is made of the addresses of its code, stack, arguments and environment. They are
 * random and change with every {@code exec}, and are all 0 if this JVM may not read the process. So a process with the
 * same start time and image has the same environment as before, or is as unreadable as before.
 */
final class StatLine {

    private static final int FIRST = 3; // number of the field after the program name
    private static final int LAST = 51;

    private StatLine() {}

    /** The row in the first {@code length} bytes; the program name, in parentheses, may contain any character. */
    static Row row(byte[] line, int length, long pid, String boot) {
        long[] fields = new long[LAST + 1];
        int at = length - 1;
        while (line[at] != ')') {
            at--;
        }
        char state = (char) line[at + 2];
        at += 4;
        for (int field = FIRST + 1; field <= LAST; field++) {
            at = number(line, length, at, fields, field);
        }
        Proc.Stat stat = new Proc.Stat(state, fields[4], fields[20], fields[22], fields[23], fields[50], fields[51]);
        ProcessIdentity process = new ProcessIdentity(pid, stat.startTime(), boot);
        return new Row(process, stat.parent(), stat.isBare(), image(stat, fields));
    }

    /** Reads the number at an index, and returns the index of the next one. */
    private static int number(byte[] line, int length, int at, long[] fields, int field) {
        int i = at;
        boolean negative = line[i] == '-';
        for (i += negative ? 1 : 0; i < length && line[i] >= '0' && line[i] <= '9'; i++) {
            fields[field] = fields[field] * 10 + (line[i] - '0');
        }
        fields[field] = negative ? -fields[field] : fields[field];
        return i + 1;
    }

    private static long image(Proc.Stat stat, long[] fields) {
        if (stat.livesInOtherThreads()) {
            return Row.NO_IMAGE;
        }
        long image = 1;
        for (int field : new int[] {26, 27, 28, 48, 49, 50, 51}) {
            image = image * 1_000_003 + fields[field];
        }
        return image == Row.NO_IMAGE ? 1 : image;
    }
}
