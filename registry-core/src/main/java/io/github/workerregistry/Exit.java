package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import io.github.workerregistry.internal.Checks;
import io.github.workerregistry.internal.LogText;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * A terminated worker process: worker, cause, exit status, last output lines.
 *
 * @param incarnation the incarnation that ended
 * @param modelRef the model that it served
 * @param cause why it ended; the first of several causes
 * @param status exit code, signal, and whether the exit was requested
 * @param output the last lines that the process wrote, oldest first; empty if output is not recorded
 * @param at when the exit was detected
 * @since 0.1
 */
public record Exit(
        Incarnation incarnation, String modelRef, Cause cause, ExitStatus status, List<String> output, Instant at) {

    private static final int LINE_LENGTH = 200;

    /**
     * Checks the components, and copies the output.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if {@code modelRef} is malformed
     */
    public Exit {
        requireNonNull(incarnation, "incarnation");
        Checks.requireName(modelRef, "modelRef");
        requireNonNull(cause, "cause");
        requireNonNull(status, "status");
        output = Checks.copyOf(output, "output");
        requireNonNull(at, "at");
    }

    /**
     * The worker's id.
     *
     * @return the id of the incarnation
     */
    public String workerId() {
        return incarnation.workerId();
    }

    /**
     * The worker's generation.
     *
     * @return the generation of the incarnation
     */
    public int generation() {
        return incarnation.generation();
    }

    /**
     * This exit with another cause.
     *
     * @param cause the other cause
     * @return a copy with that cause
     */
    public Exit withCause(Cause cause) {
        return new Exit(incarnation, modelRef, cause, status, output, at);
    }

    /**
     * This exit in one line, for messages and logs: cause, status, and the last line of output that is not blank, if
     * there is one: {@code "CRASHED, exit code 3; last output: no memory on device 0"}. The output is sanitised, and
     * cut to 200 characters.
     *
     * @return one line of text
     */
    public String describe() {
        return lastLine()
                .map(line -> cause + ", " + status + "; last output: " + line)
                .orElse(cause + ", " + status);
    }

    private Optional<String> lastLine() {
        for (int i = output.size() - 1; i >= 0; i--) {
            String line = output.get(i).strip();
            if (!line.isEmpty()) {
                return Optional.of(LogText.shortened(line, LINE_LENGTH));
            }
        }
        return Optional.empty();
    }

    /**
     * Why a worker ended. Each {@link StopReason} has a cause of the same name; the other causes were not requested.
     * May gain members.
     *
     * @since 0.1
     */
    public enum Cause {
        /** A stop was requested: {@code stop(id)}. */
        REQUESTED,
        /** A kill was requested: {@code forceKill(id)}. */
        FORCED,
        /** The hive shuts down. */
        SHUTDOWN,
        /** An operator requested a restart. */
        RESTART,
        /** A worker of a newer revision takes its place. */
        REPLACED,
        /** Another model needs its place. */
        EVICTED,
        /** The worker had no work for the idle timeout. */
        IDLE_TIMEOUT,
        /** Too many health checks failed in a row. */
        UNHEALTHY,
        /** Too many requests failed in a row though the worker passed its checks. */
        REQUESTS_FAILED,
        /** A worker that had sent heartbeats sent none for too long. */
        HEARTBEAT_MISSED,
        /** The load made no progress for the load stall timeout. */
        LOAD_STALL,
        /** The load did not end within the load timeout. */
        LOAD_TIMEOUT,
        /** A busy worker neither started nor finished work for the busy timeout. */
        BUSY_TIMEOUT,
        /** The process exited with a signal or a code other than 0, without a stop. */
        CRASHED,
        /** The process exited with code 0, without a stop. */
        EXITED,
        /** The process could not be started. */
        START_FAILED,
        /** The worker failed again after the maximum number of restarts. */
        CRASH_LOOP,
        /** The hive removed the record from the registry; the process is terminated. */
        DEREGISTERED;

        /**
         * Whether the worker failed.
         *
         * @return true for crashes, failed starts, and stops because of a failure
         */
        public boolean isFailure() {
            return switch (this) {
                case UNHEALTHY,
                        REQUESTS_FAILED,
                        HEARTBEAT_MISSED,
                        LOAD_STALL,
                        LOAD_TIMEOUT,
                        BUSY_TIMEOUT,
                        CRASHED,
                        START_FAILED,
                        CRASH_LOOP -> true;
                case REQUESTED, FORCED, SHUTDOWN, RESTART, REPLACED, EVICTED, IDLE_TIMEOUT, EXITED, DEREGISTERED ->
                    false;
            };
        }
    }
}
