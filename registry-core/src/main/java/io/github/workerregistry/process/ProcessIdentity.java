package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.Optional;

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
 *     the epoch; 0 if the process had gone before anybody could look
 * @param bootId on Linux the id of the boot ({@code /proc/sys/kernel/random/boot_id}), elsewhere empty
 */
public record ProcessIdentity(long pid, long startTime, String bootId) {

    private static final long UNKNOWN = 0;

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
     * @return its identity; with start time 0 if it has gone
     */
    public static ProcessIdentity of(ProcessHandle process) {
        Optional<ProcessIdentity> holder =
                ofPid(requireNonNull(process, "process").pid());
        // The handle knows the start time too, and keeps it to itself. If it is alive after the look, the look was at
        // no other.
        return process.isAlive() && holder.isPresent()
                ? holder.get()
                : new ProcessIdentity(process.pid(), UNKNOWN, Proc.bootId());
    }

    /**
     * The identity of the process that has a pid now.
     *
     * @param pid a process id
     * @return its identity, empty if no process has that pid
     */
    public static Optional<ProcessIdentity> ofPid(long pid) {
        if (pid <= 0) {
            return Optional.empty();
        }
        return Proc.isAvailable()
                ? Proc.stat(pid).map(stat -> new ProcessIdentity(pid, stat.startTime(), Proc.bootId()))
                : ProcessHandle.of(pid).map(handle -> new ProcessIdentity(pid, startMillis(handle), ""));
    }

    /**
     * Whether this very process still runs. Not so if another one has its pid, if the machine was booted since, or if
     * it is a zombie (which {@link ProcessHandle#isAlive()} calls alive).
     *
     * @return true while it runs; false also if its start time is not known
     */
    public boolean isAlive() {
        if (Proc.isAvailable()) {
            return bootId.equals(Proc.bootId())
                    && Proc.stat(pid)
                            .filter(stat -> stat.startTime() == startTime && !stat.isZombie())
                            .isPresent();
        }
        return startTime != UNKNOWN && ofPid(pid).filter(this::equals).isPresent();
    }

    /**
     * Not alive, and that for certain: what merely cannot be read now (no file descriptor is free, say) has not ended.
     * To be asked on Linux, of an identity whose start time is known.
     */
    boolean hasEnded() {
        return !bootId.equals(Proc.bootId())
                || Proc.stat(pid)
                        .map(stat -> stat.startTime() != startTime || stat.isZombie())
                        .orElseGet(() -> Proc.isGone(pid));
    }

    private static long startMillis(ProcessHandle process) {
        return process.info().startInstant().map(Instant::toEpochMilli).orElse(UNKNOWN);
    }
}
