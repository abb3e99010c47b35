package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The identity of a process: its pid and its start time.
 *
 * <p>A pid alone is ambiguous: the system reuses it once its process has been reaped, and a signal would then reach an
 * unrelated process. The pair identifies one process of one boot of the machine, also after a restart of this JVM.
 *
 * <p>On Linux the start time is counted from boot, and the id of that boot is part of the identity. A wall-clock start
 * time would change whenever the clock is set.
 *
 * @param pid the process id, &gt; 0
 * @param startTime on Linux clock ticks since boot (field 22 of {@code /proc/PID/stat}), elsewhere milliseconds since
 *     the epoch; 0 if unknown: the process exited before it could be read, or reading failed (no free file descriptor)
 * @param bootId on Linux the id of the boot ({@code /proc/sys/kernel/random/boot_id}), elsewhere empty
 * @since 0.1
 */
public record ProcessIdentity(long pid, long startTime, String bootId) {

    static final long UNKNOWN = 0;

    private static volatile @Nullable ProcessIdentity self;

    /**
     * Checks the numbers.
     *
     * @throws IllegalArgumentException if {@code pid} is not positive or {@code startTime} is negative
     */
    public ProcessIdentity {
        requireNonNull(bootId, "bootId");
        if (pid <= 0) {
            throw new IllegalArgumentException("pid must be > 0, was " + pid);
        }
        if (startTime < 0) {
            throw new IllegalArgumentException("startTime must be >= 0, was " + startTime);
        }
    }

    /**
     * The identity of the process behind a handle.
     *
     * @param process a handle; its process may have exited
     * @return its identity; with start time 0 if the process has exited, or if it cannot be read now
     */
    public static ProcessIdentity of(ProcessHandle process) {
        if (requireNonNull(process, "process").equals(ProcessHandle.current())) {
            return current();
        }
        Optional<ProcessIdentity> holder = ofPid(process.pid());
        // The handle knows the start time but does not expose it. If it is alive after the read, the pid was not
        // reused.
        return process.isAlive() && holder.isPresent() ? holder.get() : unknown(process.pid());
    }

    /** The identity of this JVM, read once. */
    private static ProcessIdentity current() {
        ProcessIdentity known = self;
        if (known == null) {
            long pid = ProcessHandle.current().pid();
            known = ofPid(pid).orElseGet(() -> unknown(pid));
            if (known.startTime != UNKNOWN) {
                self = known;
            }
        }
        return known;
    }

    /** The identity of a child of this JVM. The pid is not reused until the JDK has collected the exit code. */
    static ProcessIdentity ofChild(Process child) {
        Optional<ProcessIdentity> holder = ofPid(child.pid());
        return child.isAlive() && holder.isPresent() ? holder.get() : unknown(child.pid());
    }

    private static ProcessIdentity unknown(long pid) {
        String boot;
        try {
            boot = Proc.bootId();
        } catch (UnreadableException e) {
            boot = "";
        }
        return new ProcessIdentity(pid, UNKNOWN, boot);
    }

    /**
     * The identity of the process that has a pid now.
     *
     * @param pid a process id
     * @return its identity, with start time 0 if it cannot be read now; empty if no process has that pid
     */
    public static Optional<ProcessIdentity> ofPid(long pid) {
        if (pid <= 0) {
            return Optional.empty();
        }
        Reading<ProcessTable.Row> row = ProcessTable.row(pid);
        return row.isAbsent()
                ? Optional.empty()
                : Optional.of(row.value().map(ProcessTable.Row::process).orElseGet(() -> unknown(pid)));
    }

    /**
     * Whether this process still runs. False if its pid was reused, if the machine was booted since, or if it is a
     * zombie (for which {@link ProcessHandle#isAlive()} returns true).
     *
     * @return true while it runs, and also while its state cannot be read (for example, no free file descriptor); false
     *     also if its start time is unknown
     */
    public boolean isAlive() {
        return startTime != UNKNOWN && liveness() != Liveness.ENDED;
    }

    /** Whether the process has exited for certain. */
    boolean hasEnded() {
        return liveness() == Liveness.ENDED;
    }

    /** If the start time is unknown, only {@code ENDED} can be determined: no process has the pid. */
    Liveness liveness() {
        if (!Proc.isAvailable()) {
            return ofPid(pid).filter(this::equals).isPresent() ? Liveness.RUNNING : Liveness.ENDED;
        }
        Reading<Proc.Stat> stat = Proc.stat(pid);
        if (stat.isAbsent()) {
            return Liveness.ENDED;
        }
        if (startTime == UNKNOWN) {
            return Liveness.UNKNOWN;
        }
        try {
            boolean otherBoot = !bootId.equals(Proc.bootId());
            return stat.value()
                    .map(now -> otherBoot || now.startTime() != startTime || now.isZombie()
                            ? Liveness.ENDED
                            : Liveness.RUNNING)
                    .orElse(otherBoot ? Liveness.ENDED : Liveness.UNKNOWN);
        } catch (UnreadableException e) {
            return Liveness.UNKNOWN;
        }
    }
}
