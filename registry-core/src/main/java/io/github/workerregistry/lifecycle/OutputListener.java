package io.github.workerregistry.lifecycle;

import java.util.concurrent.Executor;

/**
 * Receives the output of a worker line by line, see {@link WorkerSupervisor#follow}.
 *
 * <pre>{@code
 * Subscription following = supervisor.follow(id, line -> log.info("{}: {}", id, line), executor);
 * }</pre>
 *
 * <p>Called on the executor given to {@code follow}, one call at a time, with no lock held. An exception is logged at
 * WARN, and the next call still follows.
 *
 * @since 0.1
 */
@FunctionalInterface
public interface OutputListener {

    /**
     * The worker has written a line to stdout or stderr. At the end of a process, the last line may have no line end.
     *
     * @param line without its end; a carriage return also ends a line, as in progress bars. Terminal escapes and
     *     invisible characters are removed, and a line is cut after 1,000 characters, as in
     *     {@link WorkerSupervisor#output}
     */
    void onLine(String line);

    /**
     * Lines are missing here: this listener was too slow, or the worker wrote faster than its output is read (about 10
     * MB/s) and its file was truncated. Then the next line may be incomplete. The default passes "{@code N lines
     * dropped}" to {@link #onLine}.
     *
     * @param lines their number, &gt; 0; estimated from the bytes if the file was truncated before it was read
     */
    default void onDropped(long lines) {
        onLine(lines + " lines dropped");
    }

    /**
     * The worker has been removed, or its output cannot be followed any longer: the subscription has ended, and this is
     * the last call. Not called after {@link io.github.workerregistry.Subscription#close()}, nor if the
     * {@link Executor} accepts no more tasks. The default does nothing.
     */
    default void onEnd() {}
}
