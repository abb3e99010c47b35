package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.LogText;
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
 * <p>The exit becomes known in {@link #settle()}, which runs whenever there may be news: on the JDK's notice that the
 * root has gone (in the common pool, which may be late), on every poll, and after a signal. Of what the root leaves
 * behind the JDK gives no notice, so the death of the last survivor is seen by the next poll.
 *
 * <p>Nothing follows from what cannot be read or done now, for want of a file descriptor, say: there is no exit then,
 * and a signal that did not come through is sent again by the next poll.
 */
final class LocalProcess implements WorkerProcess {

    private static final Logger log = LoggerFactory.getLogger(LocalProcess.class);

    /** On a machine where processes start all the time, a few of a hundred searches are unsure. */
    private static final int NOTICED_SEARCHES = 5;

    private final String workerId;
    private final Process root;
    private final ProcessMark mark;
    private final ProcessOutput output;
    private final CompletableFuture<ExitStatus> exit = new CompletableFuture<>();
    private volatile ProcessIdentity identity;

    /** A signal may not have come through to all. */
    private volatile boolean owed;

    /** Guards the fields below. Never held while {@link #exit} completes: that runs foreign code. */
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
        knowRoot();
    }

    /** Takes over a process that was just started. */
    static LocalProcess watch(String workerId, Process root, ProcessMark mark, ProcessTree tree, ProcessOutput output) {
        LocalProcess process = new LocalProcess(workerId, root, mark, tree, output);
        try {
            CompletableFuture<Void> unused = root.onExit().handle((ended, failure) -> {
                process.notice();
                return null;
            });
        } catch (OutOfMemoryError e) { // no thread for the notice; a poll will see
            log.debug("{}: no notice of its exit will come", process, LogText.of(e));
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
        end(false);
    }

    @Override
    public void kill() {
        end(true);
    }

    @Override
    public boolean survivesKill() {
        if (exit.isDone() || !lock.tryLock()) {
            return false;
        }
        try {
            return killed && !owed && tree.isSeenAlive();
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
     * <p>On Linux. Looks at the known members first: mostly one of them holds the socket, and no search is needed. What
     * they have started since may hold it, too.
     */
    @Override
    public Optional<Boolean> ownsListener(InetSocketAddress address) {
        requireNonNull(address, "address");
        if (!Proc.isAvailable()) {
            return Optional.empty();
        }
        try {
            if (ListenerOwner.isAmong(members(), address).equals(Optional.of(true))) {
                return Optional.of(true);
            }
            boolean complete = searchTree();
            Optional<Boolean> owner = ListenerOwner.isAmong(members(), address);
            if (!complete && owner.equals(Optional.of(false))) { // somebody may have been overlooked
                throw new UnreadableException("the tree of " + this, null);
            }
            return owner;
        } finally {
            settle(); // who came meanwhile has left it to us
        }
    }

    private List<ProcessIdentity> members() {
        lock.lock();
        try {
            knowRoot();
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

    private void end(boolean force) {
        if (exit.isDone()) {
            return;
        }
        lock.lock();
        try {
            // Before the signal, so that its effect is no crash.
            requested |= root.isAlive() && !identity().hasEnded();
            killed |= force;
            owed = true;
            search();
            owed = !tree.signal(signal()) || searchFailed;
        } finally {
            lock.unlock();
        }
        settle();
    }

    /** Also the root if it bears no mark: its program has emptied its environment, or the search fails. */
    private void search() {
        knowRoot();
        searchFailed = tree.search() == ProcessTree.Search.FAILED;
    }

    private void knowRoot() {
        ProcessIdentity known = identity();
        if (known.startTime() != ProcessIdentity.UNKNOWN && !known.hasEnded()) {
            tree.add(known, mark);
        }
    }

    /** The JDK gives it once, and perhaps nobody polls: a search that is unsure is repeated. */
    private void notice() {
        for (int i = 0; i < NOTICED_SEARCHES && !exit.isDone(); i++) {
            settle();
        }
    }

    /**
     * Gives the exit if the root and its tree have gone. A thread that finds another one at it leaves the work to that
     * one.
     */
    private void settle() {
        if (exit.isDone() || (root.isAlive() && !owed) || !lock.tryLock()) {
            return;
        }
        ExitStatus status;
        try {
            if (owed) {
                signalAgain();
            }
            if (root.isAlive() || !treeHasGone()) {
                return;
            }
            status = requested ? ExitStatus.requested(root.exitValue()) : ExitStatus.unrequested(root.exitValue());
        } finally {
            lock.unlock();
        }
        exit.complete(status);
    }

    /** Only those that it has not come through to: a second SIGTERM may mean something else to a program. */
    private void signalAgain() {
        if (searchFailed) {
            search();
        }
        owed = !tree.signalRest(signal()) || searchFailed;
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
        owed = !tree.signal(signal());
        return false;
    }

    /** What a root that ended by itself leaves behind has nobody to serve, and is not asked. */
    private Signal signal() {
        return requested && !killed ? Signal.TERM : Signal.KILL;
    }
}
