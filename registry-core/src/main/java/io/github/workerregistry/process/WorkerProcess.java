package io.github.workerregistry.process;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.ExitStatus;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

/**
 * One started process together with everything it started in turn: its tree.
 *
 * <p>All methods are thread-safe, return quickly, and may be called at any time, also long after the process has gone.
 * Where the text says "ended", it means the root process <em>and</em> all that is known of its tree.
 */
public interface WorkerProcess {

    /**
     * Who this process is: pid and start time.
     *
     * @return the identity, the same for ever; of a start time that could not be read at the start (no file descriptor
     *     was free) it says 0 until it can
     */
    ProcessIdentity identity();

    /**
     * How the process ended, or empty while it or anything of its tree still runs. Polled by the supervisor's sweep,
     * ten times a second for each worker, so it has to be cheap; it is the backstop for a notice from {@link #onExit()}
     * that comes late.
     *
     * <p>Also empty while the end cannot be told for certain: what cannot be looked at (no file descriptor is free,
     * say) has not ended. A signal of {@link #terminate()} or {@link #kill()} that could not be sent for such a reason
     * is sent by a later call of this method.
     *
     * <p>A root process that ends by itself takes its tree along: what it left running is killed before the status is
     * given.
     *
     * @return the status once ended, then the same for ever
     */
    Optional<ExitStatus> exitStatus();

    /**
     * The same news as a notice, as early as the system gives it.
     *
     * @return a stage that completes once, with the status, on any thread, possibly inside {@link #terminate()} or
     *     {@link #kill()}; it never completes exceptionally
     */
    CompletionStage<ExitStatus> onExit();

    /**
     * Asks the process and its tree to end (SIGTERM on POSIX systems). A process that has gone is left alone: a
     * stranger who got its pid is never signalled. The exit that follows is {@linkplain ExitStatus#requested()
     * requested}. A process that is stopped (SIGSTOP) is resumed where the system allows it, so that it can obey.
     *
     * <p>If nothing can be sent now, this returns all the same; see {@link #exitStatus()}.
     */
    void terminate();

    /**
     * Ends the process and its tree without asking (SIGKILL on POSIX systems). What started since {@link #terminate()}
     * is found and ended too. The exit that follows is {@linkplain ExitStatus#requested() requested}.
     *
     * <p>If nothing can be sent now, this returns all the same; see {@link #exitStatus()}.
     */
    void kill();

    /**
     * Whether the process is seen to have survived {@link #kill()}: the signal has come through, and the process, or
     * something of its tree, runs all the same. Asked before a process is reported as unkillable; what cannot be looked
     * at, or could not be signalled, is killed again instead.
     *
     * @return false also before it was killed; the default: true as long as {@link #exitStatus()} is empty
     */
    default boolean survivesKill() {
        return exitStatus().isEmpty();
    }

    /**
     * How many bytes of output the process has written so far. Growth is a sign of life while a model loads. Called in
     * the supervisor's sweep, ten times a second for each worker, so it has to be cheap; the place where an
     * implementation bounds what it keeps.
     *
     * @return bytes, never less than before; 0 where output is not recorded
     */
    long outputBytes();

    /**
     * Whether the output of this process is recorded. Where it is not, silence of a load tells nothing, so a supervisor
     * ends no load for it; see {@link io.github.workerregistry.lifecycle.LifecycleConfig#loadStall()}.
     *
     * @return the same at every call; default true. If false, {@link #outputBytes()} is 0 and {@link #outputTail}
     *     empty, always
     */
    default boolean recordsOutput() {
        return true;
    }

    /**
     * The end of what the process wrote to stdout and stderr.
     *
     * @param maxLines how many lines at the most, &gt; 0
     * @return the last lines, oldest first, without line ends; a line longer than the implementation's limit is cut;
     *     empty where output is not recorded
     * @throws IllegalArgumentException if {@code maxLines} is not positive
     */
    List<String> outputTail(int maxLines);

    /**
     * Whether what listens at an address of this machine belongs to this process or its tree. Asked when a health check
     * of a loading worker was passed, and not otherwise: another process may have answered it.
     *
     * <p>Called where the answer of the health check came, with no lock held. It may take as long as a search for the
     * tree, some milliseconds.
     *
     * @param address an IP address and a TCP port, resolved
     * @return true if all sockets that a connection to the address may reach are the tree's; false if one is another
     *     process's; empty if that is not checked, nobody listens there as far as is seen from here (a container has a
     *     network of its own), or a process of the tree may not be looked at (it has another user). The default is
     *     empty: then the health check alone decides
     * @throws RuntimeException if it cannot be told now, for want of a file descriptor, say; then the worker is not
     *     ready yet, and this is asked again after the next health check
     */
    default Optional<Boolean> ownsListener(InetSocketAddress address) {
        requireNonNull(address, "address");
        return Optional.empty();
    }

    /**
     * Gives back what the process held here (output files that are not to be kept). Called once, after the exit has
     * been recorded; may block on the file system. Afterwards {@link #outputTail} may be empty.
     */
    void release();
}
