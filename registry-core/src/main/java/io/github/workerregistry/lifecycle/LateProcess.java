package io.github.workerregistry.lifecycle;

import io.github.workerregistry.LogText;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Duration;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process that has come when its worker had been given up. Nothing else knows of it: it is killed, and released when
 * it has gone, in real time and without the loops, which may have ended. It is never given up.
 */
final class LateProcess {

    private static final Logger log = LoggerFactory.getLogger(LateProcess.class);

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(100);

    /** A kill can fail for want of a file descriptor, and be repeated. */
    private static final int LOOKS_BETWEEN_KILLS = 10;

    private final String workerId;
    private final WorkerProcess process;
    private final long pid;
    private final Releases releases;
    private final Set<LateProcess> open;
    private final long patience;
    private final BackupTimer timer = new BackupTimer(BETWEEN_LOOKS, this::isOpen, this::tick);
    private long ticks;
    private long survived;
    private boolean warned;

    /**
     * A late process, still running.
     *
     * @param open where it is until it has gone
     * @param killWait how long it may survive its kill without a warning
     */
    LateProcess(
            String workerId,
            WorkerProcess process,
            long pid,
            Releases releases,
            Set<LateProcess> open,
            Duration killWait) {
        this.workerId = workerId;
        this.process = process;
        this.pid = pid;
        this.releases = releases;
        this.open = open;
        this.patience = killWait.dividedBy(BETWEEN_LOOKS);
    }

    /** Kills it now, and sees to the rest later. */
    void end() {
        open.add(this);
        try {
            log.info("worker {}: process {} has come too late and is killed", workerId, pid);
            tick();
        } finally {
            timer.ensureRunning();
        }
    }

    private boolean isOpen() {
        return open.contains(this);
    }

    private void tick() {
        boolean killNow = ticks++ % LOOKS_BETWEEN_KILLS == 0;
        if (killNow) {
            kill();
        }
        if (killNow || !warned) { // what has survived for long is looked at more rarely
            look();
        }
    }

    private void look() {
        if (hasGone()) {
            if (open.remove(this)) {
                releases.release(workerId, process);
            }
        } else if (!survivesKill()) {
            survived = 0;
        } else if (survived++ >= patience && !warned) {
            warned = true;
            log.warn(
                    "worker {}: process {}, which came too late, is still there after SIGKILL; it is killed again and"
                            + " again",
                    workerId,
                    pid);
        }
    }

    void kill() {
        try {
            process.kill();
        } catch (Throwable t) { // foreign code
            log.debug("process {} cannot be killed now", pid, LogText.of(t));
        }
    }

    private boolean hasGone() {
        try {
            return process.exitStatus().isPresent();
        } catch (Throwable t) { // foreign code
            log.debug("whether process {} has gone cannot be told now", pid, LogText.of(t));
            return false;
        }
    }

    private boolean survivesKill() {
        try {
            return process.survivesKill();
        } catch (Throwable t) { // foreign code; then it is believed to be as it seems
            log.debug("whether process {} survived SIGKILL cannot be told", pid, LogText.of(t));
            return true;
        }
    }
}
