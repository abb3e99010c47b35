package io.github.workerregistry.process;

import io.github.workerregistry.process.ProcessMark.Observation;
import io.github.workerregistry.process.ProcessTable.Row;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongFunction;
import java.util.function.LongSupplier;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Remembers what was read of the processes of this machine, so that a search reads only what may have changed.
 * Thread-safe; one thread reads at a time.
 *
 * <p>A mark is remembered if the process was at least 2 s old when it was read: between fork and exec, a process still
 * has the environment of its parent. It counts once the next read of the row shows the same start and the same
 * {@linkplain StatLine image} as the row before the mark was read. A process with a remembered mark is not read at all
 * for up to 1 s, unless its pid may have been assigned again, see {@link PidCursor}. A failed read is never remembered.
 */
final class ProcessCache {

    private static final long MAX_UNREAD_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long MAX_ROW_NANOS = TimeUnit.SECONDS.toNanos(10);
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(10); // in /proc always 100 a second
    private static final long OLD_TICKS = 200;

    /** With more new pids than that, the list of all processes is read. */
    private static final int MAX_NEW = 500;

    private final LongFunction<Observation> markReader;
    private final ProcessReader reader;
    private final LongSupplier nanoTime;
    private final PidCursor cursor = new PidCursor();
    private final Map<Long, Entry> entries = new HashMap<>();

    /** The last list, and the pids that were assigned since, also those of threads. */
    private final Set<Long> known = new HashSet<>();

    private boolean isListCurrent;
    private long listedNanos;

    /** The start of a process, and when it was read: the current time of the machine is later. */
    private long youngest;

    private long youngestNanos;

    private static final class Entry {
        Row row;
        long readNanos;

        @Nullable
        Observation mark;

        /** Whether the row was read again after the mark, and had not changed. */
        boolean confirmed;

        Entry(Row row, long readNanos) {
            this.row = row;
            this.readNanos = readNanos;
        }

        boolean isSameProgram(Row now) {
            return row.process().equals(now.process()) && row.image() == now.image() && row.isBare() == now.isBare();
        }
    }

    ProcessCache() {
        this(new ProcessReader());
    }

    private ProcessCache(ProcessReader reader) {
        this(reader, reader::mark, System::nanoTime);
    }

    /** For tests: replaces the reader of marks, to simulate states that last microseconds. */
    ProcessCache(LongFunction<Observation> markReader) {
        this(new ProcessReader(), markReader, System::nanoTime);
    }

    ProcessCache(ProcessReader reader, LongFunction<Observation> markReader, LongSupplier nanoTime) {
        this.reader = reader;
        this.markReader = markReader;
        this.nanoTime = nanoTime;
    }

    /**
     * All current pids, in a new set.
     *
     * @throws UnreadableException if the list is incomplete
     */
    synchronized Set<Long> pids() {
        advance();
        Set<Long> pids = ProcessTable.pids();
        known.clear();
        known.addAll(pids);
        entries.keySet().retainAll(pids);
        isListCurrent = true;
        listedNanos = nanoTime.getAsLong();
        advance();
        return pids;
    }

    /** The row of a process; remembered if its mark is. */
    synchronized Reading<Row> row(long pid) {
        Entry entry = entries.get(pid);
        return entry != null && entry.confirmed && isRecent(entry) ? Reading.read(entry.row) : readRow(pid);
    }

    /** The mark of a process whose row was read before; may be remembered. */
    synchronized Observation mark(long pid) {
        Entry entry = entries.get(pid);
        if (entry != null && entry.confirmed && entry.mark != null) {
            return entry.mark;
        }
        Observation mark = markReader.apply(pid);
        if (entry != null && mark.sure() && entry.row.image() != Row.NO_IMAGE && isOld(entry.row)) {
            entry.mark = mark;
        }
        return mark;
    }

    /** The mark of a process, read now. */
    synchronized Observation markNow(long pid) {
        return markReader.apply(pid);
    }

    /**
     * The children of processes, from rows that are at most 10 s old. Reads only the processes that were started since,
     * if these are few.
     *
     * @throws UnreadableException if a process cannot be read now
     */
    synchronized List<Row> childrenOf(Set<Long> parents) {
        advance();
        if (!isListCurrent || nanoTime.getAsLong() - listedNanos > MAX_ROW_NANOS) {
            Set<Long> unused = pids();
        }
        List<Row> children = new ArrayList<>();
        for (Iterator<Long> pids = known.iterator(); pids.hasNext(); ) {
            long pid = pids.next();
            Entry entry = entries.get(pid);
            Row row = entry != null && isYounger(entry, MAX_ROW_NANOS) ? entry.row : valueOf(readRow(pid), pid);
            if (row == null) {
                pids.remove();
            } else if (parents.contains(row.parent()) && Boolean.TRUE.equals(valueOf(Proc.isProcess(pid), pid))) {
                children.add(row);
            }
        }
        return children;
    }

    private static <T> @Nullable T valueOf(Reading<T> reading, long pid) {
        if (reading.hasFailed()) {
            throw new UnreadableException("process " + pid, null);
        }
        return reading.value().orElse(null);
    }

    private Reading<Row> readRow(long pid) {
        Reading<Row> reading = reader.row(pid);
        Row row = reading.value().orElse(null);
        if (row == null) {
            entries.remove(pid);
        } else {
            remember(pid, row);
        }
        return reading;
    }

    private void remember(long pid, Row row) {
        long now = nanoTime.getAsLong();
        if (row.process().startTime() > present(now)) {
            youngest = row.process().startTime();
            youngestNanos = now;
        }
        Entry entry = entries.get(pid);
        if (entry == null || !entry.isSameProgram(row)) {
            entry = new Entry(row, now);
            entries.put(pid, entry);
            if (row.isBare() && isOld(row)) {
                entry.mark = Observation.UNMARKED;
            }
        }
        entry.row = row;
        entry.readNanos = now;
        entry.confirmed = entry.mark != null;
    }

    /** Forgets the pids that may have been assigned again. */
    private void advance() {
        Predicate<Long> passed = cursor.passed();
        if (cursor.hasMoved()) {
            entries.values()
                    .removeIf(entry -> passed.test(entry.row.process().pid()) || passed.test(entry.row.parent()));
            isListCurrent &= cursor.addPassedTo(known, MAX_NEW);
        }
    }

    private boolean isRecent(Entry entry) {
        return isYounger(entry, MAX_UNREAD_NANOS);
    }

    private boolean isYounger(Entry entry, long maxNanos) {
        return cursor.isKnown() && nanoTime.getAsLong() - entry.readNanos < maxNanos;
    }

    private boolean isOld(Row row) {
        return present(nanoTime.getAsLong()) - row.process().startTime() >= OLD_TICKS;
    }

    /** A lower bound of the current time in ticks since boot. */
    private long present(long now) {
        return youngest + (now - youngestNanos) / TICK_NANOS;
    }
}
