package io.github.workerregistry;

import static java.util.Objects.requireNonNull;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * The record of one ended worker process: who it was, why it ended, how, and the last it said.
 *
 * @param workerId the worker's id
 * @param modelRef the model it served
 * @param generation which of the worker's processes this was, &ge; 0
 * @param cause why it ended; where several reasons met, the one that came first
 * @param status exit code, signal, and whether we asked for it
 * @param output the last lines that the process wrote, oldest first; empty where output is not recorded
 * @param at when the end was noticed
 */
public record Exit(
        String workerId,
        String modelRef,
        int generation,
        Cause cause,
        ExitStatus status,
        List<String> output,
        Instant at) {

    private static final int LINE_LENGTH = 200;

    /**
     * Checks the names, and copies the output.
     *
     * @throws NullPointerException if a component is null; the message names it
     * @throws IllegalArgumentException if a name is malformed, or {@code generation} negative
     */
    public Exit {
        WorkerInfo.requireName(workerId, "workerId");
        WorkerInfo.requireName(modelRef, "modelRef");
        WorkerInfo.requireNotNegative(generation, "generation");
        requireNonNull(cause, "cause");
        requireNonNull(status, "status");
        output = List.copyOf(requireNonNull(output, "output"));
        requireNonNull(at, "at");
    }

    /**
     * The same end, seen as another cause.
     *
     * @param cause the other cause
     * @return this exit with that cause
     */
    public Exit withCause(Cause cause) {
        return new Exit(workerId, modelRef, generation, cause, status, output, at);
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
                return Optional.of(SlotShortage.shortened(line, LINE_LENGTH));
            }
        }
        return Optional.empty();
    }

    /** Whether another exit is that of the same process. */
    boolean isOfSameProcess(Exit other) {
        return workerId.equals(other.workerId) && generation == other.generation && at.equals(other.at);
    }

    /** Why a worker is ended, or ended by itself. */
    public enum Cause {
        /** Somebody asked: {@code stop(id)}. */
        REQUESTED,
        /** Somebody asked for it at once: {@code forceKill(id)}. */
        FORCED,
        /** The host shuts down. */
        SHUTDOWN,
        /** The worker had nothing to do for the idle timeout. */
        IDLE_TIMEOUT,
        /** The host took the record out of the registry; the process follows it. */
        DEREGISTERED,
        /** The process ended by itself with a signal or a code other than 0. */
        CRASHED,
        /** The process ended by itself with code 0. */
        EXITED,
        /** The process could not be started. */
        START_FAILED,
        /** Too many health checks failed in a row. */
        UNHEALTHY,
        /** The load made no progress for the load-stall limit. */
        LOAD_STALL,
        /** The load was not over within the load timeout. */
        LOAD_TIMEOUT,
        /** A worker that had sent heartbeats sent none for too long. */
        HEARTBEAT_MISSED,
        /** A busy worker neither took nor finished work for the busy limit. */
        BUSY_LIMIT,
        /** It failed again after as many restarts as its policy allows. */
        CRASH_LOOP,
        /** An operator asked for a restart. */
        RESTART;

        /**
         * Whether something was wrong with the worker, so that its end was nobody's wish.
         *
         * @return true for crashes, failed starts and everything that a loop found wrong
         */
        public boolean isFailure() {
            return switch (this) {
                case CRASHED,
                        START_FAILED,
                        UNHEALTHY,
                        LOAD_STALL,
                        LOAD_TIMEOUT,
                        HEARTBEAT_MISSED,
                        BUSY_LIMIT,
                        CRASH_LOOP -> true;
                case REQUESTED, FORCED, SHUTDOWN, IDLE_TIMEOUT, DEREGISTERED, EXITED, RESTART -> false;
            };
        }
    }
}
