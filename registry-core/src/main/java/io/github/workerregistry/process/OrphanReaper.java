package io.github.workerregistry.process;

import static io.github.workerregistry.WorkerInfo.requireName;
import static java.util.Objects.requireNonNull;

import io.github.workerregistry.LogText;
import io.github.workerregistry.internal.CommandText;
import io.github.workerregistry.process.OrphanReport.Orphan;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ends the workers of a hive that died and could not end them itself (SIGKILL, the kernel out of memory, a crash of the
 * JVM). Left alone, they hold their memory, their VRAM and their ports for ever, and nobody listens to them.
 *
 * <p>A supervisor with a {@link LocalProcessController} calls it when it is built, before the first worker is spawned,
 * so that memory and ports are free. Others may too:
 *
 * <pre>{@code
 * LocalProcessController processes = LocalProcessController.builder().hiveId("gpu-box").build();
 * OrphanReaper.of(processes.hiveId()).reap();
 * }</pre>
 *
 * <p>It goes by the mark that {@link LocalProcessController} puts into the environment of every worker; everything that
 * a worker starts inherits it. The mark names the hive by its id and by its process: pid, start time and boot. A
 * process is an orphan if its mark has this hive id and that very process is no more; a stranger who got the pid, or a
 * zombie, is not the hive. What hangs on an orphan as its descendant goes with it, though its own environment was
 * emptied.
 *
 * <p>Orphans are killed (SIGKILL) and not asked: to end in good order is to finish work, and the one that it was for is
 * dead.
 *
 * <p>Never touched are
 *
 * <ul>
 *   <li>the workers of a hive that lives, also under the same id;
 *   <li>the workers of another hive id;
 *   <li>this JVM, its ancestors, and whatever bears the mark of one of them. So a hive that is itself the worker of a
 *       dead hive does not saw off the branch that it sits on;
 *   <li>processes of another pid namespace (container) as their hive's: whether that hive lives cannot be told from
 *       here;
 *   <li>processes that this JVM may not look at: those of other users, unless it is root.
 * </ul>
 *
 * <p>A hive may itself be the worker of another one. If the inner one outlives the outer one, it is an orphan: it and
 * its workers are reaped by the outer one's id. If both have died, the inner one's workers are reaped by the inner
 * one's id, when it starts again. Give both the same id if the outer one is to clean up for both.
 *
 * <p>What cannot be found: a process that emptied its own environment and whose parent has gone, too. Where
 * {@code /proc} hides the processes of other users ({@code hidepid}), a hive of another user looks dead; that matters
 * only if its workers run as the user of this JVM, under the same hive id.
 *
 * <p>It has no threads of its own. Thread-safe; several hives may reap at the same time, then each may report what both
 * have killed.
 */
public final class OrphanReaper {

    private static final Logger log = LoggerFactory.getLogger(OrphanReaper.class);

    private static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(5);

    private final String hiveId;
    private final Duration timeout;
    private final Predicate<Orphans> killing;

    OrphanReaper(String hiveId, Duration timeout, Predicate<Orphans> killing) {
        this.hiveId = requireName(hiveId, "hiveId");
        if (requireNonNull(timeout, "timeout").isNegative() || timeout.isZero()) {
            throw new IllegalArgumentException("timeout must be > 0, was " + timeout);
        }
        this.timeout = timeout;
        this.killing = killing;
    }

    /**
     * A reaper that waits at most 5 s for the orphans to go.
     *
     * @param hiveId whose orphans, see {@link LocalProcessController#hiveId()}
     * @return the reaper
     * @throws IllegalArgumentException if it cannot be a hive id
     */
    public static OrphanReaper of(String hiveId) {
        return of(hiveId, DEFAULT_TIMEOUT);
    }

    /**
     * A reaper.
     *
     * @param hiveId whose orphans, see {@link LocalProcessController#hiveId()}
     * @param timeout &gt; 0, how long to wait for the orphans to go once they were killed
     * @return the reaper
     * @throws IllegalArgumentException if {@code hiveId} cannot be a hive id, or {@code timeout} is not positive
     */
    public static OrphanReaper of(String hiveId, Duration timeout) {
        return new OrphanReaper(hiveId, timeout, Orphans::kill);
    }

    /**
     * Kills all orphans and waits until they have gone and their ports are free.
     *
     * <p>Blocks: about 20 µs for each process of the machine, and if there are orphans until they have gone, at most
     * for the timeout. An interrupt does not shorten that; it is kept for the caller.
     *
     * <p>Logs each process that was ended at INFO, each that is still there at WARN.
     *
     * @return what was found; empty, after a WARN, if the processes of this machine could not be read within the
     *     timeout. Where that is not possible at all {@link OrphanReport#supported()} is false and nothing was done
     */
    public OrphanReport reap() {
        long deadline = System.nanoTime() + TimeUnit.NANOSECONDS.convert(timeout);
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return Proc.identifiesProcesses() ? reap(new Orphans(hiveId), deadline) : unsupported();
                } catch (UnreadableException e) {
                    if (deadline - System.nanoTime() <= 0) {
                        log.warn("orphans of hive {} may be left: they cannot be looked for", hiveId, LogText.of(e));
                        return new OrphanReport(true, List.of(), List.of());
                    }
                    interrupted |= KillLoop.pause();
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private OrphanReport unsupported() {
        log.info("orphans of hive {} cannot be looked for: that is supported on Linux only", hiveId);
        return OrphanReport.unsupported();
    }

    private OrphanReport reap(Orphans orphans, long deadline) {
        boolean gone = new KillLoop(orphans::areGone, orphans::areAlive, () -> killing.test(orphans)).run(deadline);
        OrphanReport report = new OrphanReport(true, orphans.ended(), orphans.remaining());
        report(report, gone);
        return report;
    }

    private void report(OrphanReport report, boolean gone) {
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
                    "process {} ({}) of worker {}, left behind by hive {} (process {}), has not gone {} after SIGKILL",
                    orphan.process().pid(),
                    programOf(orphan),
                    LogText.of(orphan.workerId()),
                    hiveId,
                    orphan.hive().pid(),
                    timeout);
        }
        if (!gone && report.remaining().isEmpty()) {
            log.warn("orphans of hive {} may be left: not every process could be looked at", hiveId);
        }
    }

    /** A path may have 4,096 characters, and any. */
    private static String programOf(Orphan orphan) {
        return LogText.of(
                orphan.command().map(path -> CommandText.program(List.of(path))).orElse("unknown program"));
    }
}
