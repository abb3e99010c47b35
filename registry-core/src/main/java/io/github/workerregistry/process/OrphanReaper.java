package io.github.workerregistry.process;

import static io.github.workerregistry.internal.Checks.requireName;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.CommandText;
import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.OrphanReport.Orphan;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kills the workers of a hive that died without stopping them (SIGKILL, the kernel's OOM killer, a JVM crash).
 * Otherwise they would hold their memory, VRAM and ports for ever.
 *
 * <p>A supervisor with a {@link LocalProcessController} calls it when it is built, before the first worker is spawned,
 * so that memory and ports are free. It can also be called directly:
 *
 * <pre>{@code
 * LocalProcessController processes = LocalProcessController.builder().hiveId("gpu-box").build();
 * OrphanReaper.of(processes.hiveId()).reap();
 * }</pre>
 *
 * <p>It uses the mark that {@link LocalProcessController} puts into the environment of every worker and that every
 * descendant inherits. The mark contains the hive id and the identity of the hive's process: pid, start time and boot.
 * A process is an orphan if its mark has this hive id and the process of its hive has exited; a process that reuses the
 * pid, or a zombie, does not count as the hive. Descendants of an orphan are killed with it, even if their own
 * environment was emptied.
 *
 * <p>Orphans are killed (SIGKILL), not terminated: a graceful exit would only finish work for a client that is dead.
 *
 * <p>Never killed are:
 *
 * <ul>
 *   <li>the workers of a live hive, also under the same id;
 *   <li>the workers of another hive id;
 *   <li>this JVM, its ancestors, and every process with the mark of one of them. So a hive that is itself the worker of
 *       a dead hive does not kill itself;
 *   <li>processes whose hive is in another pid namespace (container): whether that hive is alive cannot be determined
 *       from here;
 *   <li>processes that this JVM may not read: those of other users, unless it is root.
 * </ul>
 *
 * <p>A hive may itself be the worker of an outer hive. If the inner hive outlives the outer one, it is an orphan: it
 * and its workers are reaped under the id of the outer hive. If both have died, the workers of the inner hive are
 * reaped under its id, when it starts again. Use the same id for both if the outer hive is to reap for both.
 *
 * <p>Not found is a process that emptied its own environment and whose parent has exited. If {@code /proc} hides the
 * processes of other users ({@code hidepid}), a hive of another user seems dead; that matters only if its workers run
 * as the user of this JVM, under the same hive id.
 *
 * <p>Starts no threads. Thread-safe. Several hives may reap at the same time; each may then report the same processes.
 *
 * @since 0.1
 */
public final class OrphanReaper {

    private static final Logger log = LoggerFactory.getLogger(OrphanReaper.class);

    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(5);

    private final String hiveId;
    private final Duration timeout;
    private final Predicate<OrphanSearch> killing;

    OrphanReaper(String hiveId, Duration timeout, Predicate<OrphanSearch> killing) {
        this.hiveId = requireName(hiveId, "hiveId");
        if (requireNonNull(timeout, "timeout").isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout must be > 0, was " + timeout);
        }
        this.timeout = timeout;
        this.killing = killing;
    }

    /**
     * Creates a reaper that waits at most 5 s for the orphans to exit.
     *
     * @param hiveId the id of the dead hive, see {@link LocalProcessController#hiveId()}
     * @return the reaper
     * @throws IllegalArgumentException if {@code hiveId} is not a valid name
     */
    public static OrphanReaper of(String hiveId) {
        return of(hiveId, DEFAULT_TIMEOUT);
    }

    /**
     * Creates a reaper.
     *
     * @param hiveId the id of the dead hive, see {@link LocalProcessController#hiveId()}
     * @param timeout how long to wait for the killed orphans to exit, &gt; 0
     * @return the reaper
     * @throws IllegalArgumentException if {@code hiveId} is not a valid name, or {@code timeout} is not positive
     */
    public static OrphanReaper of(String hiveId, Duration timeout) {
        return new OrphanReaper(hiveId, timeout, OrphanSearch::kill);
    }

    /**
     * Kills all orphans and waits until they have exited and their ports are free.
     *
     * <p>Reads every process of the machine. If there are orphans, blocks until they have exited, at most for the
     * timeout. An interrupt does not shorten the wait; the interrupt status is restored.
     *
     * <p>Logs each killed process at INFO, and each that still runs at WARN.
     *
     * @return the orphans found; empty, after a WARN, if the processes of this machine could not be read within the
     *     timeout. If the system does not support it, {@link OrphanReport#supported()} is false and nothing was done
     */
    public OrphanReport reap() {
        long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(timeout);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return Proc.identifiesProcesses() ? reap(new OrphanSearch(hiveId), deadline) : unsupported();
                } catch (UnreadableException e) {
                    if (deadline - System.nanoTime() <= 0) {
                        log.warn("orphans of hive {} may be left: processes cannot be read", hiveId, LogText.of(e));
                        return new OrphanReport(true, List.of(), List.of());
                    }
                    interrupted |= KillLoop.park();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private OrphanReport unsupported() {
        log.info("orphans of hive {} cannot be searched for: this is supported on Linux only", hiveId);
        return OrphanReport.unsupported();
    }

    private OrphanReport reap(OrphanSearch orphans, long deadline) {
        boolean complete =
                new KillLoop(orphans::allExited, orphans::anyAlive, () -> killing.test(orphans)).run(deadline);
        OrphanReport report = new OrphanReport(true, orphans.ended(), orphans.remaining());
        report(report, complete);
        return report;
    }

    private void report(OrphanReport report, boolean complete) {
        for (Orphan orphan : report.ended()) {
            log.info(
                    "reaped process {} ({}) of worker {}, left behind by hive {} (process {})",
                    orphan.process().pid(),
                    programOf(orphan),
                    LogText.of(orphan.workerId()),
                    hiveId,
                    orphan.hive().pid());
        }
        for (Orphan orphan : report.remaining()) {
            log.warn(
                    "process {} ({}) of worker {}, left behind by hive {} (process {}), still runs {} after SIGKILL",
                    orphan.process().pid(),
                    programOf(orphan),
                    LogText.of(orphan.workerId()),
                    hiveId,
                    orphan.hive().pid(),
                    timeout);
        }
        if (!complete && report.remaining().isEmpty()) {
            log.warn("orphans of hive {} may be left: not every process could be read", hiveId);
        }
    }

    /** A path may have 4,096 characters, and may contain any character. */
    private static String programOf(Orphan orphan) {
        return LogText.of(
                orphan.command().map(path -> CommandText.program(List.of(path))).orElse("unknown program"));
    }
}
