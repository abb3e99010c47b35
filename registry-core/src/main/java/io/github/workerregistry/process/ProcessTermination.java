package io.github.workerregistry.process;

import io.github.workerregistry.ExitStatus;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Signals one tree and detects its exit. Thread-safe.
 *
 * <p>A signal goes to the root and its known descendants first; a {@link SharedSearch} for the others follows on
 * another thread. The exit is decided by a search that began after the root had exited, with no known member left, and
 * found none. The JDK reports the exit of the root (possibly late) and of no other process of the tree, so the exit of
 * the last survivor is detected by the next poll.
 *
 * <p>If something cannot be read or sent now (for example, no free file descriptor), no exit is reported, and a signal
 * that was not delivered is sent again by a later poll.
 */
final class ProcessTermination {

    private static final Logger log = LoggerFactory.getLogger(ProcessTermination.class);

    /** The root's exit is reported once, and the process may not be polled: an unsure search is repeated. */
    private static final int MAX_EXIT_SEARCHES = 5;

    private record Ended(ExitStatus status, long nanos) {}

    private final RootProcess root;
    private final SharedSearch search;
    private final CompletableFuture<ExitStatus> exit = new CompletableFuture<>();
    private final SharedSearch.Participant exitSearch = new ExitSearch();
    private volatile @Nullable Ended ended;

    /** Whether a signal may not have been delivered to all members that it is meant for. */
    private volatile boolean signalPending;

    /** Whether the search that follows a signal failed. */
    private volatile boolean searchFailed;

    /** Guards the fields below. Not held during a search, or while {@link #exit} completes, which runs foreign code. */
    private final ReentrantLock lock = new ReentrantLock();

    private final ProcessTree tree;
    private boolean requested;
    private boolean killed;
    private boolean rootExited;

    /** The time of the last order to signal. */
    private long signalNanos;

    /** Whether the signal has not been sent for the first time, and the search that follows it not been requested. */
    private boolean searchDue;

    /** Whether the descendants have been found before the current signal. */
    private boolean descendantsKnown;

    /** When SIGTERM was sent; null before. */
    private @Nullable SignalMoment terminatedAt;

    /** Whether the search that runs began without a living member. */
    private boolean concluding;

    private int exitSearches;

    ProcessTermination(RootProcess root, ProcessTree tree, SharedSearch search) {
        this.root = root;
        this.tree = tree;
        this.search = search;
        root.addTo(tree);
    }

    CompletableFuture<ExitStatus> exit() {
        return exit;
    }

    /** Sends SIGTERM soon, on another thread, in the order of the calls. */
    void terminate() {
        if (order(false)) {
            search.signals().submit(this::sendOrdered);
        }
    }

    /** Sends SIGKILL to the root and its descendants before it returns. */
    void kill() {
        if (order(true)) {
            sendOrdered();
        }
    }

    /**
     * Records the intent before the signal, so that an exit that follows does not count as a crash. Reads no file: the
     * caller may stop hundreds of workers.
     */
    private boolean order(boolean force) {
        if (ended != null) {
            return false;
        }
        lock.lock();
        try {
            requested |= root.isAlive();
            killed |= force;
            signalPending = true;
            signalNanos = System.nanoTime();
            searchDue = true;
            descendantsKnown = false;
            terminatedAt = null;
            tree.forgetSignals();
            return true;
        } finally {
            lock.unlock();
        }
    }

    private void sendOrdered() {
        lock.lock();
        try {
            if (signalPending && ended == null) {
                send();
            }
            searchDue = false;
        } finally {
            lock.unlock();
        }
        search.request(exitSearch);
        search.runSoon();
    }

    /** Sends the current signal to all that have not received it: a program may treat a second SIGTERM differently. */
    private void send() {
        try {
            if (!isForAll() && terminatedAt == null) {
                terminatedAt = SignalMoment.now();
            }
            if (!descendantsKnown) {
                root.addTo(tree);
                TreeMembers members = tree.forSearch();
                descendantsKnown = search.descendants().addTo(members) && root.isIdentified();
                tree.addFound(members);
                signalPending = !tree.signalRemaining(signal(), member -> true) || !descendantsKnown;
            } else {
                signalPending = !tree.signalRemaining(signal(), addressed());
            }
        } catch (UnreadableException e) {
            signalPending = true;
            log.debug("{}: a signal cannot be sent now; a poll will send it", root.pid(), e);
        }
    }

    /** While the root handles SIGTERM, what it starts is left to it. */
    private Predicate<ProcessIdentity> addressed() {
        SignalMoment moment = terminatedAt;
        return isForAll() || moment == null ? member -> true : moment.isAfterStartOf();
    }

    private boolean isForAll() {
        return signal() == Signal.KILL || !root.isAlive();
    }

    /** The rest of a tree whose root exited by itself is killed, not terminated. */
    private Signal signal() {
        return requested && !killed ? Signal.TERM : Signal.KILL;
    }

    boolean survivesKill() {
        if (ended != null || !lock.tryLock()) {
            return false;
        }
        try {
            return killed && !signalPending && !searchFailed && tree.isCertainlyAlive();
        } finally {
            lock.unlock();
        }
    }

    List<ProcessIdentity> members() {
        lock.lock();
        try {
            root.addTo(tree);
            return tree.members();
        } finally {
            lock.unlock();
        }
    }

    /**
     * The known members and their descendants.
     *
     * @throws UnreadableException if some descendants cannot be read now
     */
    List<ProcessIdentity> membersAndDescendants() {
        lock.lock();
        try {
            root.addTo(tree);
            TreeMembers members = tree.forSearch(); // a copy: what is added to the tree has to be signalled, too
            if (!search.descendants().addTo(members)) {
                throw new UnreadableException("descendants of process " + root.pid(), null);
            }
            return members.all();
        } finally {
            lock.unlock();
        }
    }

    /** Searches for members that were started since the last search, and waits for the result. */
    TreeSearch.Result findMembers() {
        return search.await(exitSearch);
    }

    /** The JDK calls this once. */
    void onRootExit() {
        lock.lock();
        try {
            rootExited();
        } finally {
            lock.unlock();
        }
        search.request(exitSearch);
        search.run();
    }

    /** Requests the search that detects the exit. Takes microseconds, unless the threads for it are blocked. */
    void poll() {
        if (ended == null && (!root.isAlive() || signalPending || searchFailed) && needsSearch()) {
            search.request(exitSearch);
            search.runSoon();
        }
        search.runIfLate(); // also the search that follows a signal to a root that still runs
        Ended known = ended;
        if (known != null && (isLate(known.nanos) || search.isExecutorBlocked())) {
            exit.complete(known.status);
        }
    }

    private static boolean isLate(long sinceNanos) {
        return System.nanoTime() - sinceNanos >= SharedSearch.PATIENCE_NANOS;
    }

    private boolean needsSearch() {
        if (!lock.tryLock()) {
            return false; // another thread signals; the next poll looks again
        }
        try {
            if (ended != null) {
                return false;
            }
            boolean first = rootExited();
            boolean isQueued = searchDue && !search.signals().isStalled();
            if (signalPending && !isQueued && isLate(signalNanos)) {
                send();
                first |= searchDue;
                searchDue = false;
            }
            return first || searchFailed || (rootExited && !concluding && !tree.isAlive());
        } finally {
            lock.unlock();
        }
    }

    /** Signals the rest of the tree once the root has exited; returns whether that is new. */
    private boolean rootExited() {
        if (rootExited || root.isAlive()) {
            return false;
        }
        rootExited = true;
        exitSearches = MAX_EXIT_SEARCHES;
        if (tree.isAlive()) {
            descendantsKnown = false;
            send();
        }
        return true;
    }

    private void complete(ExitStatus status) {
        try {
            CompletableFuture<ExitStatus> unused = exit.completeAsync(() -> status, search.executor());
        } catch (RuntimeException | OutOfMemoryError e) { // no thread
            exit.complete(status);
        }
    }

    /** Searches for processes to signal, and decides the exit. */
    private final class ExitSearch implements SharedSearch.Participant {

        @Override
        public ProcessMark mark() {
            return root.mark();
        }

        @Override
        public TreeMembers begin() {
            lock.lock();
            try {
                root.addTo(tree);
                boolean unused = rootExited();
                concluding = rootExited && !tree.isAlive();
                return tree.forSearch();
            } finally {
                lock.unlock();
            }
        }

        @Override
        public void end(TreeMembers members, TreeSearch.Result result) {
            boolean again;
            lock.lock();
            try {
                again = ended == null && !decide(members, result) && concluding && --exitSearches > 0;
            } finally {
                concluding = false;
                lock.unlock();
            }
            if (again) {
                search.request(this);
            }
        }

        @Override
        public void answered() {
            Ended decided = ended;
            if (decided != null && !exit.isDone()) {
                complete(decided.status);
            }
        }

        private boolean decide(TreeMembers members, TreeSearch.Result result) {
            boolean conclusive = concluding && tree.conclude(result);
            tree.addFound(members);
            searchFailed = isSignalled() && result == TreeSearch.Result.FAILED;
            if (!members.found().isEmpty()) {
                signalFound();
            } else if (conclusive && !tree.isAlive()) {
                ExitStatus status =
                        requested ? ExitStatus.requested(root.exitValue()) : ExitStatus.unrequested(root.exitValue());
                ended = new Ended(status, System.nanoTime());
                return true;
            }
            return false;
        }

        /** Even after an unsure search: the next one concludes only after they have exited. */
        private void signalFound() {
            boolean sent = terminatedAt != null || isForAll();
            if (isSignalled() && sent && tree.isAlive()) {
                log.debug("process {}: more processes of its tree are signalled", root.pid());
                send();
            }
        }

        private boolean isSignalled() {
            return requested || killed || rootExited;
        }
    }
}
