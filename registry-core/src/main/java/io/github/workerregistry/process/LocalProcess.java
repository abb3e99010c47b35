package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.ExitStatus;
import io.github.workerregistry.internal.LogText;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A process of this machine and its tree: identity, output and port. {@link ProcessTermination} signals it and detects
 * its exit.
 */
final class LocalProcess implements WorkerProcess {

    private static final Logger log = LoggerFactory.getLogger(LocalProcess.class);

    private final String workerId;
    private final RootProcess root;
    private final ProcessTermination termination;
    private final ProcessOutput output;

    private LocalProcess(String workerId, RootProcess root, ProcessTermination termination, ProcessOutput output) {
        this.workerId = workerId;
        this.root = root;
        this.termination = termination;
        this.output = output;
    }

    /** Wraps a process that was just started. */
    static LocalProcess watch(
            String workerId,
            Process started,
            ProcessMark mark,
            ProcessTree tree,
            SharedSearch search,
            ProcessOutput output) {
        RootProcess root = new RootProcess(started, mark);
        ProcessTermination termination = new ProcessTermination(root, tree, search);
        LocalProcess process = new LocalProcess(workerId, root, termination, output);
        try {
            CompletableFuture<Void> unused = started.onExit().handle((ended, failure) -> {
                termination.onRootExit();
                return null;
            });
        } catch (OutOfMemoryError e) { // no thread for the callback; a poll will detect the exit
            log.debug("{}: its exit will be detected by polling only", process, LogText.of(e));
        }
        return process;
    }

    @Override
    public ProcessIdentity identity() {
        return root.identity();
    }

    @Override
    public Optional<ExitStatus> exitStatus() {
        termination.poll();
        return Optional.ofNullable(termination.exit().getNow(null));
    }

    @Override
    public CompletionStage<ExitStatus> onExit() {
        return termination.exit().minimalCompletionStage();
    }

    @Override
    public void terminate() {
        termination.terminate();
    }

    @Override
    public void kill() {
        termination.kill();
    }

    @Override
    public boolean survivesKill() {
        return termination.survivesKill();
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

    @Override
    public OptionalLong readOutput(long offset, ByteBuffer into) {
        requireNonNull(into, "into");
        if (offset < 0) {
            throw new IllegalArgumentException("offset must be >= 0, was " + offset);
        }
        return output.read(offset, into);
    }

    /**
     * {@inheritDoc}
     *
     * <p>On Linux: the known members and their descendants. Does not search for processes that were re-parented.
     */
    @Override
    public Optional<ProcessUsage> usage() {
        if (!Proc.isAvailable() || termination.exit().isDone()) {
            return Optional.empty();
        }
        try {
            return TreeUsage.of(termination.membersAndDescendants());
        } catch (UnreadableException e) {
            return Optional.empty();
        }
    }

    /**
     * {@inheritDoc}
     *
     * <p>On Linux. Checks the known members first: usually one of them owns the socket, and no search is needed.
     * Otherwise searches for processes that they have started since.
     *
     * @throws UnreadableException also if the process has exited and its exit is not reported yet: another process may
     *     have its port by now
     */
    @Override
    public Optional<Boolean> ownsListener(InetSocketAddress address) {
        requireNonNull(address, "address");
        if (!Proc.isAvailable()) {
            return Optional.empty();
        }
        boolean wasReported = termination.exit().isDone();
        if (PortOwner.isAmong(termination.members(), address).equals(Optional.of(true))) {
            return Optional.of(true);
        }
        boolean complete = termination.findMembers() == TreeSearch.Result.COMPLETE;
        Optional<Boolean> owner = PortOwner.isAmong(termination.members(), address);
        boolean isExiting = !root.mayRun() && !wasReported;
        if (owner.equals(Optional.of(false)) && (!complete || isExiting)) { // a process may have been missed
            throw new UnreadableException("the tree of " + this, null);
        }
        return owner;
    }

    @Override
    public void release() {
        output.release();
    }

    @Override
    public String toString() {
        return "process " + root.pid() + " of worker " + workerId;
    }
}
