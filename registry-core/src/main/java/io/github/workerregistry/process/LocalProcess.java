package io.github.workerregistry.process;

import io.github.workerregistry.ExitStatus;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process of this machine and its tree.
 *
 * <p>The exit becomes known in {@link #settle()}, which runs whenever there may be news: on the JDK's notice that the
 * root has gone (in the common pool, which may be late), on every poll, and after a signal. Of what the root leaves
 * behind the JDK gives no notice, so the death of the last survivor is seen by the next poll.
 */
final class LocalProcess implements WorkerProcess {

    private static final Logger log = LoggerFactory.getLogger(LocalProcess.class);

    private final String workerId;
    private final Process root;
    private final ProcessIdentity identity;
    private final ProcessOutput output;
    private final CompletableFuture<ExitStatus> exit = new CompletableFuture<>();

    /** Guards the fields below. Never held while {@link #exit} completes: that runs foreign code. */
    private final ReentrantLock lock = new ReentrantLock();

    private final ProcessTree tree;
    private boolean requested;
    private boolean killed;

    private LocalProcess(String workerId, Process root, ProcessTree tree, ProcessOutput output) {
        this.workerId = workerId;
        this.root = root;
        this.identity = ProcessIdentity.of(root.toHandle());
        this.tree = tree;
        this.output = output;
    }

    /** Takes over a process that was just started. */
    static LocalProcess watch(String workerId, Process root, ProcessTree tree, ProcessOutput output) {
        LocalProcess process = new LocalProcess(workerId, root, tree, output);
        CompletableFuture<Void> unused = root.onExit().thenRun(process::settle);
        return process;
    }

    @Override
    public ProcessIdentity identity() {
        return identity;
    }

    @Override
    public Optional<ExitStatus> exitStatus() {
        settle();
        return Optional.ofNullable(exit.getNow(null));
    }

    @Override
    public CompletionStage<ExitStatus> onExit() {
        return exit.minimalCompletionStage();
    }

    @Override
    public void terminate() {
        end(false);
    }

    @Override
    public void kill() {
        end(true);
    }

    @Override
    public long outputBytes() {
        return output.bytes();
    }

    @Override
    public List<String> outputTail(int maxLines) {
        if (maxLines <= 0) {
            throw new IllegalArgumentException("maxLines must be > 0, was " + maxLines);
        }
        return output.tail(maxLines);
    }

    @Override
    public void release() {
        output.release();
    }

    @Override
    public String toString() {
        return "process " + identity.pid() + " of worker " + workerId;
    }

    private void end(boolean force) {
        if (exit.isDone()) {
            return;
        }
        lock.lock();
        try {
            requested |= ProcessTree.runs(root.toHandle()); // before the signal, so that its effect is no crash
            killed |= force;
            tree.search(); // if that fails, what is known is signalled all the same
            signal();
        } finally {
            lock.unlock();
        }
        settle();
    }

    /**
     * Gives the exit if the root and its tree have gone. A thread that finds another one at it leaves the work to that
     * one.
     */
    private void settle() {
        if (exit.isDone() || root.isAlive() || !lock.tryLock()) {
            return;
        }
        ExitStatus status;
        try {
            if (!treeHasGone()) {
                return;
            }
            status = requested ? ExitStatus.requested(root.exitValue()) : ExitStatus.unrequested(root.exitValue());
        } finally {
            lock.unlock();
        }
        exit.complete(status);
    }

    /**
     * Searches only when nobody is known to be left. Whoever is found then has had no signal yet, and gets it now, also
     * from a search that may have overlooked others: the next one comes only when he has gone.
     */
    private boolean treeHasGone() {
        if (tree.isAlive()) {
            return false;
        }
        boolean complete = tree.searchWithPatience();
        if (!tree.isAlive()) {
            return complete;
        }
        log.debug("{} has ended and left others running: {}", this, killed || !requested ? "killing" : "asking them");
        signal();
        return false;
    }

    /** What a root that ended by itself leaves behind has nobody to serve, and is not asked. */
    private void signal() {
        if (requested && !killed) {
            tree.terminate();
        } else {
            tree.kill();
        }
    }
}
