package io.github.workerregistry.process;

import io.github.workerregistry.internal.LogText;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Searches the machine for the trees of many workers at once. Only one search runs at a time; it answers all
 * participants that asked before it began. One that asks later is answered by the next search. Marks are unique, so one
 * pass over all processes suffices. Thread-safe.
 *
 * <p>No thread of its own: a search runs on the thread on which the JDK reports an exit, or on the default executor of
 * {@link CompletableFuture}. If these are blocked, a poll runs it after {@link #PATIENCE_NANOS}.
 */
final class SharedSearch {

    /** How long a poll leaves work to another thread. */
    static final long PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    static final Executor EXECUTOR = new CompletableFuture<Void>().defaultExecutor();

    private static final Logger log = LoggerFactory.getLogger(SharedSearch.class);

    private static final SharedSearch OF_THIS_JVM = new SharedSearch(new ProcessCache(), EXECUTOR);

    /** One tree that is searched for. Called on the thread that searches, without a lock of the search. */
    interface Participant {
        /** The mark of its processes. */
        ProcessMark mark();

        /** The search begins: returns the known members. */
        TreeMembers begin();

        /** The search has ended. */
        void end(TreeMembers members, TreeSearch.Result result);

        /** Called after {@link #end}. The next search may run meanwhile, so this may call foreign code, and block. */
        default void answered() {}
    }

    private final ProcessCache processes;
    private final DescendantFinder descendants;
    private final Executor executor;
    private final TaskQueue signals;
    private final AtomicLong searches = new AtomicLong();

    /** Guards the fields below. */
    private final Object lock = new Object();

    private Set<Participant> waiting = new LinkedHashSet<>();
    private long waitingSince;
    private boolean running;
    private boolean submitted;
    private boolean executorBlocked;

    SharedSearch(ProcessCache processes, Executor executor) {
        this.processes = processes;
        this.descendants = new DescendantFinder(processes);
        this.executor = executor;
        this.signals = new TaskQueue(executor);
    }

    /** All workers of this JVM share the searches. */
    static SharedSearch ofThisJvm() {
        return OF_THIS_JVM;
    }

    DescendantFinder descendants() {
        return descendants;
    }

    /** Sends signals off the caller's thread, in order. */
    TaskQueue signals() {
        return signals;
    }

    Executor executor() {
        return executor;
    }

    /** Number of searches so far; for tests. */
    long count() {
        return searches.get();
    }

    /** Asks for a search that begins after this call. The caller, or a later poll, has it run. */
    void request(Participant participant) {
        synchronized (lock) {
            if (waiting.isEmpty()) {
                waitingSince = System.nanoTime();
            }
            waiting.add(participant);
        }
    }

    /** Runs searches on this thread until no participant waits, unless another thread does. */
    void run() {
        while (runOnce()) {
            log.trace("a search is complete");
        }
    }

    /** Runs searches on another thread. */
    void runSoon() {
        synchronized (lock) {
            if (submitted || running || waiting.isEmpty()) {
                return;
            }
            submitted = true;
        }
        try {
            executor.execute(() -> {
                submitted(false, false);
                run();
            });
        } catch (RuntimeException | OutOfMemoryError e) {
            log.debug("there is no thread for a search now; a poll will run it", LogText.of(e));
            submitted(false, true);
        }
    }

    private void submitted(boolean now, boolean blocked) {
        synchronized (lock) {
            submitted = now;
            executorBlocked = blocked;
        }
    }

    /** Whether the executor did not run a search in time, or rejected it. */
    boolean isExecutorBlocked() {
        synchronized (lock) {
            return executorBlocked;
        }
    }

    /** Runs a search on this thread if one has been due for too long: the other threads are blocked. */
    void runIfLate() {
        boolean late;
        synchronized (lock) {
            late = !running
                    && !waiting.isEmpty()
                    && (executorBlocked || System.nanoTime() - waitingSince >= PATIENCE_NANOS);
            executorBlocked |= late;
        }
        if (late && runOnce()) {
            runSoon();
        }
    }

    /**
     * Runs a search, or waits for one, on this thread, and returns its result. An interrupt does not shorten the wait.
     */
    TreeSearch.Result await(Participant participant) {
        CompletableFuture<TreeSearch.Result> result = new CompletableFuture<>();
        request(new Participant() {
            @Override
            public ProcessMark mark() {
                return participant.mark();
            }

            @Override
            public TreeMembers begin() {
                return participant.begin();
            }

            @Override
            public void end(TreeMembers members, TreeSearch.Result ended) {
                try {
                    participant.end(members, ended);
                } finally {
                    result.complete(ended);
                }
            }

            @Override
            public void answered() {
                participant.answered();
            }
        });
        boolean interrupted = false;
        try {
            while (!result.isDone()) {
                interrupted |= !runOnce() && pause(result);
            }
            runSoon(); // not here: others may ask again and again
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
        return result.join();
    }

    private static boolean pause(CompletableFuture<TreeSearch.Result> result) {
        try {
            result.get(PATIENCE_NANOS, TimeUnit.NANOSECONDS);
        } catch (TimeoutException | ExecutionException e) {
            log.trace("another thread searches", e);
        } catch (InterruptedException e) {
            return true;
        }
        return false;
    }

    private boolean runOnce() {
        Set<Participant> next = new LinkedHashSet<>(); // before the change of state, because it may fail
        Map<Participant, TreeMembers> trees = new LinkedHashMap<>();
        TreeMembers none = TreeMembers.none();
        Set<Participant> asking;
        synchronized (lock) {
            if (running || waiting.isEmpty()) {
                return false;
            }
            running = true;
            asking = waiting;
            waiting = next;
        }
        try {
            TreeSearch.Result result = search(asking, trees);
            for (Participant participant : asking) {
                end(participant, trees.getOrDefault(participant, none), result);
            }
        } finally {
            synchronized (lock) {
                running = false;
                waitingSince = System.nanoTime(); // not late because of the search before
            }
        }
        asking.forEach(SharedSearch::answered);
        return true;
    }

    private TreeSearch.Result search(Set<Participant> asking, Map<Participant, TreeMembers> trees) {
        searches.incrementAndGet();
        try {
            Map<ProcessMark, Collection<TreeMembers>> byMark = new HashMap<>();
            for (Participant participant : asking) {
                TreeMembers members = participant.begin();
                trees.put(participant, members);
                byMark.computeIfAbsent(participant.mark(), mark -> new ArrayList<>())
                        .add(members);
            }
            return new TreeSearch(processes, trees.values(), mark -> byMark.getOrDefault(mark, List.of())).run();
        } catch (Throwable t) { // no participant is left without an answer
            debug("processes cannot be searched now", t);
            return TreeSearch.Result.FAILED;
        }
    }

    private static void end(Participant participant, TreeMembers members, TreeSearch.Result result) {
        try {
            participant.end(members, result);
        } catch (Throwable t) { // the next poll searches again
            debug("the result of a search cannot be used now", t);
        }
    }

    private static void answered(Participant participant) {
        try {
            participant.answered();
        } catch (Throwable t) { // the next poll reports the exit
            debug("the answer of a search cannot be used now", t);
        }
    }

    /** Without memory, the log fails as well. */
    private static void debug(String message, Throwable failure) {
        try {
            log.debug(message, LogText.of(failure));
        } catch (Throwable t) {
            failure.addSuppressed(t);
        }
    }
}
