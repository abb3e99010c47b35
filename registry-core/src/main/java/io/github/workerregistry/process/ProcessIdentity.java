package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which process is meant: a pid, and when the process that had it was started.
 *
 * <p>A pid alone means nobody. The system gives it to somebody else once its process has been reaped, and a signal sent
 * to it then hits a stranger. The pair names one process of one boot of the machine, also in a file that is read after
 * a restart of this JVM.
 *
 * <p>On Linux the start time is taken as the kernel counts it, since boot, together with the id of that boot. A start
 * time on the wall clock would move whenever that clock is set.
 *
 * @param pid the process id, &gt; 0
 * @param startTime on Linux clock ticks since boot (field 22 of {@code /proc/PID/stat}), elsewhere milliseconds since
 *     the epoch; 0 if it is not known: the process had gone before anybody could look, or it could not be read (no file
 *     descriptor was free)
 * @param bootId on Linux the id of the boot ({@code /proc/sys/kernel/random/boot_id}), elsewhere empty
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
     * @param process a handle, of a process that lives or not
     * @return its identity; with start time 0 if it has gone, or if that cannot be read now
     */
    public static ProcessIdentity of(ProcessHandle process) {
        if (requireNonNull(process, "process").equals(ProcessHandle.current())) {
            return current();
        }
        Optional<ProcessIdentity> holder = ofPid(process.pid());
        // The handle knows the start time too, and keeps it to itself. If it is alive after the look, the look was at
        // no other.
        return process.isAlive() && holder.isPresent() ? holder.get() : unknown(process.pid());
    }

    /** That of this JVM, which is read once. */
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

    /** That of a child of this JVM. Until the JDK has collected its exit code nobody else can have its pid. */
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
     * @return its identity, with start time 0 if that cannot be read now; empty if no process has that pid
     */
    public static Optional<ProcessIdentity> ofPid(long pid) {
        if (pid <= 0) {
            return Optional.empty();
        }
        Reading<ProcessTable.Row> row = ProcessTable.row(pid);
        return row.isGone()
                ? Optional.empty()
                : Optional.of(row.value().map(ProcessTable.Row::process).orElseGet(() -> unknown(pid)));
    }

    /**
     * Whether this very process still runs. Not so if another one has its pid, if the machine was booted since, or if
     * it is a zombie (which {@link ProcessHandle#isAlive()} calls alive).
     *
     * @return true while it runs, and also while that cannot be told (no file descriptor is free, say); false also if
     *     its start time is not known
     */
    public boolean isAlive() {
        return startTime != UNKNOWN && liveness() != Liveness.ENDED;
    }

    /** Not alive, and that for certain. */
    boolean hasEnded() {
        return liveness() == Liveness.ENDED;
    }

    /** Of a process whose start time is not known it can only be told that it has ended: nobody has its pid. */
    Liveness liveness() {
        if (!Proc.isAvailable()) {
            return ofPid(pid).filter(this::equals).isPresent() ? Liveness.RUNNING : Liveness.ENDED;
        }
        Reading<Proc.Stat> stat = Proc.stat(pid);
        if (stat.isGone()) {
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
