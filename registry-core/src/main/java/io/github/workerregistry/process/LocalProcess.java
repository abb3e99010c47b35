package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.internal.LogText;
import java.net.InetSocketAddress;
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
 * <p>The exit is detected in {@link #settle()}, which runs when the JDK reports the exit of the root (in the common
 * pool, possibly late), on every poll, and after a signal. The JDK does not report the exit of other processes of the
 * tree, so the exit of the last survivor is detected by the next poll.
 *
 * <p>If something cannot be read or sent now (for example, no free file descriptor), no exit is reported, and a signal
 * that was not delivered is sent again by the next poll.
 */
final class LocalProcess implements WorkerProcess {

    private static final Logger log = LoggerFactory.getLogger(LocalProcess.class);

    /** If processes start all the time, a few per cent of the searches are unsure. */
    private static final int MAX_EXIT_SEARCHES = 5;

    private final String workerId;
    private final Process root;
    private final ProcessMark mark;
    private final ProcessOutput output;
    private final CompletableFuture<ExitStatus> exit = new CompletableFuture<>();
    private volatile ProcessIdentity identity;

    /** Whether a signal may not have been delivered to all processes. */
    private volatile boolean signalPending;

    /** Guards the fields below. Not held while {@link #exit} completes, which runs foreign code. */
    private final ReentrantLock lock = new ReentrantLock();

    private final ProcessTree tree;
    private boolean requested;
    private boolean killed;
    private boolean searchFailed;

    private LocalProcess(String workerId, Process root, ProcessMark mark, ProcessTree tree, ProcessOutput output) {
        this.workerId = workerId;
        this.root = root;
        this.mark = mark;
        this.tree = tree;
        this.output = output;
        this.identity = ProcessIdentity.ofChild(root);
        addRoot();
    }

    /** Wraps a process that was just started. */
    static LocalProcess watch(String workerId, Process root, ProcessMark mark, ProcessTree tree, ProcessOutput output) {
        LocalProcess process = new LocalProcess(workerId, root, mark, tree, output);
        try {
            CompletableFuture<Void> unused = root.onExit().handle((ended, failure) -> {
                process.onRootExit();
                return null;
            });
        } catch (OutOfMemoryError e) { // no thread for the callback; a poll will detect the exit
            log.debug("{}: its exit will be detected by polling only", process, LogText.of(e));
        }
        return process;
    }

    @Override
    public ProcessIdentity identity() {
        if (identity.startTime() == ProcessIdentity.UNKNOWN && root.isAlive()) {
            identity = ProcessIdentity.ofChild(root);
        }
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
        signalTree(false);
    }

    @Override
    public void kill() {
        signalTree(true);
    }

    @Override
    public boolean survivesKill() {
        if (exit.isDone() || !lock.tryLock()) {
            return false;
        }
        try {
            return killed && !signalPending && tree.isCertainlyAlive();
        } finally {
            lock.unlock();
        }
    }

    @Override
    public long outputBytes() {
        return output.bytes();
    }

    @Override
    public boolean recordsOutput() {
        return output.isRecorded();
    }

    @Override
    public List<String> outputTail(int maxLines) {
        if (maxLines <= 0) {
            throw new IllegalArgumentException("maxLines must be > 0, was " + maxLines);
        }
        return output.tail(maxLines);
    }

    /**
     * {@inheritDoc}
     *
     * <p>On Linux. Checks the known members first: usually one of them owns the socket, and no search is needed.
     * Otherwise searches for processes that they have started since.
     */
    @Override
    public Optional<Boolean> ownsListener(InetSocketAddress address) {
        requireNonNull(address, "address");
        if (!Proc.isAvailable()) {
            return Optional.empty();
        }
        try {
            if (PortOwner.isAmong(members(), address).equals(Optional.of(true))) {
                return Optional.of(true);
            }
            boolean complete = searchTree();
            Optional<Boolean> owner = PortOwner.isAmong(members(), address);
            if (!complete && owner.equals(Optional.of(false))) { // a process may have been missed
                throw new UnreadableException("the tree of " + this, null);
            }
            return owner;
        } finally {
            settle(); // a thread that failed to get the lock meanwhile relies on this call
        }
    }

    private List<ProcessIdentity> members() {
        lock.lock();
        try {
            addRoot();
            return tree.members();
        } finally {
            lock.unlock();
        }
    }

    private boolean searchTree() {
        lock.lock();
        try {
            return tree.search() == ProcessTree.Search.COMPLETE;
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void release() {
        output.release();
    }

    @Override
    public String toString() {
        return "process " + identity.pid() + " of worker " + workerId;
    }

    private void signalTree(boolean force) {
        if (exit.isDone()) {
            return;
        }
        lock.lock();
        try {
            // Set before the signal, so that its exit does not count as a crash.
            requested |= root.isAlive() && !identity().hasEnded();
            killed |= force;
            signalPending = true;
            search();
            signalPending = !tree.signal(signal()) || searchFailed;
        } finally {
            lock.unlock();
        }
        settle();
    }

    /** Adds the root explicitly: it is not found if its program emptied its environment, or if the search fails. */
    private void search() {
        addRoot();
        searchFailed = tree.search() == ProcessTree.Search.FAILED;
    }

    private void addRoot() {
        ProcessIdentity known = identity();
        if (known.startTime() != ProcessIdentity.UNKNOWN && !known.hasEnded()) {
            tree.add(known, mark);
        }
    }

    /** The JDK calls this once, and the process may not be polled: an unsure search is repeated. */
    private void onRootExit() {
        for (int i = 0; i < MAX_EXIT_SEARCHES && !exit.isDone(); i++) {
            settle();
        }
    }

    /** Completes the exit if the root and its tree have exited. Does nothing if another thread holds the lock. */
    private void settle() {
        if (exit.isDone() || (root.isAlive() && !signalPending) || !lock.tryLock()) {
            return;
        }
        ExitStatus status;
        try {
            if (signalPending) {
                signalAgain();
            }
            if (root.isAlive() || !treeHasExited()) {
                return;
            }
            status = requested ? ExitStatus.requested(root.exitValue()) : ExitStatus.unrequested(root.exitValue());
        } finally {
            lock.unlock();
        }
        exit.complete(status);
    }

    /** Signals only processes that have not received it: a program may treat a second SIGTERM differently. */
    private void signalAgain() {
        if (searchFailed) {
            search();
        }
        signalPending = !tree.signalRemaining(signal()) || searchFailed;
    }

    /**
     * Searches only if no known process is left. Processes found then have not been signalled yet and are signalled
     * now, even if the search is unsure: the next search runs only after they have exited.
     */
    private boolean treeHasExited() {
        if (tree.isAlive()) {
            return false;
        }
        boolean complete = tree.searchConclusively();
        if (!tree.isAlive()) {
            return complete;
        }
        log.debug("{} has exited, its tree still runs: {}", this, killed || !requested ? "killing" : "terminating");
        signalPending = !tree.signal(signal());
        return false;
    }

    /** The rest of a tree whose root exited by itself is killed, not terminated. */
    private Signal signal() {
        return requested && !killed ? Signal.TERM : Signal.KILL;
    }
}
