package io.github.workerregistry.lifecycle;

import io.github.workerregistry.internal.LogText;
import io.github.workerregistry.process.WorkerProcess;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process that was started after its start had been abandoned. It is killed until it exits and then released, in real
 * time and without the loops, which may have ended.
 */
final class LateProcess {

    private static final Logger log = LoggerFactory.getLogger(WorkerSupervisor.class);

    private static final Duration CHECK_INTERVAL = Duration.ofMillis(100);

    /** A kill can fail, for example without a free file descriptor; therefore it is repeated. */
    private static final int CHECKS_BETWEEN_KILLS = 10;

    private final WorkerName worker;
    private final WorkerProcess process;
    private final long pid;
    private final ProcessReleaser releases;
    private final Set<LateProcess> open;
    private final long checksBeforeWarning;
    private final CompletableFuture<Void> gone = new CompletableFuture<>();
    private final CompletableFuture<Void> survivor = new CompletableFuture<>();
    private final BackupTimer timer = new BackupTimer(CHECK_INTERVAL, this::isOpen, this::tick);
    private long ticks;
    private long survived;
    private boolean warned;

    /**
     * A late process that is still running.
     *
     * @param open contains this until the process has exited
     * @param killTimeout how long it may survive its kill without a warning
     */
    LateProcess(
            WorkerName worker,
            WorkerProcess process,
            long pid,
            ProcessReleaser releases,
            Set<LateProcess> open,
            Duration killTimeout) {
        this.worker = worker;
        this.process = process;
        this.pid = pid;
        this.releases = releases;
        this.open = open;
        this.checksBeforeWarning = killTimeout.dividedBy(CHECK_INTERVAL);
    }

    boolean isOf(String workerId) {
        return worker.id().equals(workerId);
    }

    /** Completes when the process has exited. */
    CompletableFuture<Void> gone() {
        return gone;
    }

    /** Completes if the process has survived SIGKILL. */
    CompletableFuture<Void> survivor() {
        return survivor;
    }

    /** Kills the process now, and waits for its exit on a timer. */
    void end() {
        open.add(this);
        try {
            log.info("worker {}: process {} was started too late and is killed", worker, pid);
            tick();
        } finally {
            timer.ensureRunning();
        }
    }

    private boolean isOpen() {
        return open.contains(this);
    }

    private void tick() {
        boolean killNow = ticks++ % CHECKS_BETWEEN_KILLS == 0;
        if (killNow) {
            kill();
        }
        if (killNow || !warned) { // a long survivor is checked less often
            check();
        }
    }

    private void check() {
        if (hasExited()) {
            if (open.remove(this)) {
                releases.release(worker, process);
                gone.complete(null);
            }
        } else if (!survivesKill()) {
            survived = 0;
        } else if (survived++ >= checksBeforeWarning && !warned) {
            warned = true;
            log.warn(
                    "worker {}: process {}, which was started too late, survived SIGKILL; the kill is repeated",
                    worker,
                    pid);
            survivor.complete(null);
        }
    }

    void kill() {
        try {
            process.kill();
        } catch (Throwable t) { // foreign code
            log.debug("worker {}: process {} cannot be killed now", worker, pid, LogText.of(t));
        }
    }

    private boolean hasExited() {
        try {
            return process.exitStatus().isPresent();
        } catch (Throwable t) { // foreign code
            log.debug("worker {}: cannot tell whether process {} has exited", worker, pid, LogText.of(t));
            return false;
        }
    }

    private boolean survivesKill() {
        try {
            return process.survivesKill();
        } catch (Throwable t) { // foreign code; assume that the process survived
            log.debug("worker {}: cannot tell whether process {} survived SIGKILL", worker, pid, LogText.of(t));
            return true;
        }
    }
}
