package io.github.workerregistry.lifecycle;

import io.github.workerregistry.LogText;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Duration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process that has come when its worker had been given up. Nothing else knows of it: it is killed, and released when
 * it has gone, in real time and without the loops, which may have ended.
 */
final class LateProcess {

    private static final Logger log = LoggerFactory.getLogger(LateProcess.class);

    private static final Duration BETWEEN_LOOKS = Duration.ofMillis(100);
    private static final int LOOKS_BETWEEN_KILLS = 10;

    private final String workerId;
    private final WorkerProcess process;
    private final long pid;
    private final Releases releases;
    private final long patience;
    private final BackupTimer timer = new BackupTimer(BETWEEN_LOOKS, this::isOpen, this::look);
    private int looks;
    private volatile boolean open = true;

    /**
     * A late process, still running.
     *
     * @param killWait how long it may survive its kill
     */
    LateProcess(String workerId, WorkerProcess process, long pid, Releases releases, Duration killWait) {
        this.workerId = workerId;
        this.process = process;
        this.pid = pid;
        this.releases = releases;
        this.patience = killWait.dividedBy(BETWEEN_LOOKS);
    }

    /** Kills it now, and sees to the rest later. */
    void end() {
        log.info("worker {}: process {} has come too late and is killed", workerId, pid);
        look();
        timer.ensureRunning();
    }

    private boolean isOpen() {
        return open;
    }

    private void look() {
        if (looks % LOOKS_BETWEEN_KILLS == 0) {
            kill();
        }
        if (hasGone()) {
            open = false;
            releases.release(workerId, process);
        } else if (looks++ >= patience) {
            open = false;
            log.warn("worker {}: process {}, which came too late, is still there after SIGKILL", workerId, pid);
        }
    }

    private void kill() {
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
}
