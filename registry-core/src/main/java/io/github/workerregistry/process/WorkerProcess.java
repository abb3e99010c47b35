package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.ExitStatus;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletionStage;

/**
 * A started process and its tree: everything that it started, directly or indirectly.
 *
 * <p>All methods are thread-safe, return quickly, and may be called at any time, also long after the exit. "Ended"
 * means that the root process <em>and</em> all known processes of its tree have exited.
 *
 * @since 0.1
 */
public interface WorkerProcess {

    /**
     * The identity of the root process: pid and start time.
     *
     * @return the identity, constant; but if the start time could not be read at the start (no free file descriptor),
     *     it is 0 until it can be read
     */
    ProcessIdentity identity();

    /**
     * The exit status, or empty while the process or anything of its tree still runs. The supervisor polls it at every
     * tick, ten times a second by default for each worker, so it must be cheap. It is the fallback if {@link #onExit()}
     * completes late.
     *
     * <p>Also empty while the state of a process cannot be read (for example, no free file descriptor): such a process
     * counts as running. If {@link #terminate()} or {@link #kill()} could not send its signal for such a reason, a
     * later call of this method sends it.
     *
     * <p>If the root process exits by itself, the rest of its tree is killed before the status is returned.
     *
     * @return the status once ended; constant from then on
     */
    Optional<ExitStatus> exitStatus();

    /**
     * The exit status as a stage, completed as early as the system reports the exit.
     *
     * @return a stage that completes once, with the status, on any thread, possibly inside {@link #terminate()} or
     *     {@link #kill()}; it never completes exceptionally
     */
    CompletionStage<ExitStatus> onExit();

    /**
     * Requests the process and its tree to exit (SIGTERM on POSIX systems). An unrelated process that reuses the pid of
     * an exited one is never signalled. The exit that follows is {@linkplain ExitStatus#requested() requested}. A
     * stopped process (SIGSTOP) is resumed if the system allows it, so that it can handle the signal.
     *
     * <p>The signal may be sent on another thread, after this returns. Processes that the worker starts after it may be
     * left to the worker while its root runs. If the signal cannot be sent now, this returns normally; see
     * {@link #exitStatus()}.
     */
    void terminate();

    /**
     * Kills the process and its tree (SIGKILL on POSIX systems), including processes started since
     * {@link #terminate()}. The root has received the signal when this returns. The exit that follows is
     * {@linkplain ExitStatus#requested() requested}.
     *
     * <p>If the signal cannot be sent now, this returns normally; see {@link #exitStatus()}.
     */
    void kill();

    /**
     * Whether the process survived {@link #kill()}: the signal was delivered, but the process or something of its tree
     * still runs. Called before a process is reported as unkillable; a process whose state cannot be read, or that
     * could not be signalled, is killed again instead.
     *
     * @return false before the first {@link #kill()}; the default implementation: true as long as {@link #exitStatus()}
     *     is empty
     */
    default boolean survivesKill() {
        return exitStatus().isEmpty();
    }

    /**
     * Number of bytes of output written so far. Growth counts as progress while a model loads. The supervisor calls it
     * at every tick, ten times a second by default for each worker, so it must be cheap. An implementation bounds its
     * stored output here.
     *
     * @return bytes, never decreasing; 0 if output is not recorded
     */
    long outputBytes();

    /**
     * Whether the output of this process is recorded. If not, missing output does not mean that a load stalls, and the
     * supervisor stops no load for it; see
     * {@link io.github.workerregistry.lifecycle.LifecycleConfig#loadStallTimeout()}.
     *
     * @return the same at every call; default true. If false, {@link #outputBytes()} is 0, and {@link #outputTail} and
     *     {@link #readOutput} are empty, always
     */
    default boolean recordsOutput() {
        return true;
    }

    /**
     * The last lines that the process wrote to stdout and stderr.
     *
     * @param maxLines maximum number of lines, &gt; 0
     * @return the last lines, oldest first, without line ends; a line longer than the implementation's limit is
     *     truncated; empty if output is not recorded
     * @throws IllegalArgumentException if {@code maxLines} is not positive
     */
    List<String> outputTail(int maxLines);

    /**
     * Reads output from an offset on, without waiting for more. Output is the bytes that {@link #outputBytes()} counts:
     * stdout and stderr as written, UTF-8 if the process writes UTF-8. The supervisor calls it only while the worker is
     * followed ({@link io.github.workerregistry.lifecycle.WorkerSupervisor#follow}): at a tick on its blocking
     * executor, and once more after the exit, before {@link #release()}. It may read a file, at most as many bytes as
     * the buffer takes. Output that was written before the exit can be read until the release.
     *
     * @param offset of the first byte, &ge; 0; 0 is the first byte that this process wrote
     * @param into receives as many bytes as there are and as it takes; none if the offset is that of the end
     * @return the offset of the first byte read, later than {@code offset} if the output in between is not kept any
     *     more; {@code offset} if nothing was read; empty if output is not recorded, or cannot be read like this: the
     *     default
     * @throws IllegalArgumentException if {@code offset} is negative
     */
    default OptionalLong readOutput(long offset, ByteBuffer into) {
        requireNonNull(into, "into");
        return OptionalLong.empty();
    }

    /**
     * What the process and its tree use of the machine now. The supervisor calls it on the thread that calls
     * {@link io.github.workerregistry.lifecycle.WorkerSupervisor#usage}, with no lock held; may take some milliseconds.
     *
     * @return the usage; empty if the process has exited, if it cannot be read, or if this is not supported: the
     *     default
     */
    default Optional<ProcessUsage> usage() {
        return Optional.empty();
    }

    /**
     * Whether the listener at an address of this machine belongs to this process or its tree. Called only after a
     * loading worker passes a health check, because another process may have answered it.
     *
     * <p>Called on the thread that delivered the health check's answer, with no lock held. May take some milliseconds,
     * the time of a search for the tree.
     *
     * @param address an IP address and a TCP port, resolved
     * @return true if all sockets that a connection to the address may reach belong to the tree; false if one belongs
     *     to another process; empty if that is not checked, no listener is visible from here (a container has its own
     *     network), or a process of the tree may not be read (it belongs to another user). The default is empty: then
     *     the health check alone decides
     * @throws RuntimeException if it cannot be determined now, for example because no file descriptor is free; then the
     *     worker is not ready yet, and this method is called again after the next health check
     */
    default Optional<Boolean> ownsListener(InetSocketAddress address) {
        requireNonNull(address, "address");
        return Optional.empty();
    }

    /**
     * Releases the resources of the process in this JVM (output files that are not kept). Called once, after the exit
     * has been recorded; may block on the file system. Afterwards {@link #outputTail} may be empty.
     */
    void release();
}
