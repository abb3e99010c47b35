package io.github.workerregistry.lifecycle;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** The process of one generation: whether it runs, and how it reacts to signals. */
final class ProcessModel {

    private static final int SIGKILL_CODE = 137;
    private static final int LINES_KEPT = 20;

    private boolean starting = true;
    private boolean running;
    private boolean ignoresTerminate;
    private boolean ignoresKill;
    private boolean logsProbes;
    private final boolean recordsOutput;

    /** The exit code, if it exited without a notification. */
    private OptionalInt unnotifiedExit = OptionalInt.empty();

    private final List<String> output = new ArrayList<>();

    ProcessModel(boolean recordsOutput) {
        this.recordsOutput = recordsOutput;
    }

    boolean isStarting() {
        return starting;
    }

    /** Whether the supervisor has not detected its exit. */
    boolean isRunning() {
        return running;
    }

    boolean isAlive() {
        return running && unnotifiedExit.isEmpty();
    }

    boolean isStartingOrRunning() {
        return starting || running;
    }

    boolean isStuck() {
        return running && (ignoresTerminate || unnotifiedExit.isPresent());
    }

    /** The last lines, as many as an exit keeps. */
    List<String> output() {
        return List.copyOf(output.subList(Math.max(0, output.size() - LINES_KEPT), output.size()));
    }

    void startFails() {
        starting = false;
    }

    void starts() {
        starting = false;
        running = true;
    }

    void exited() {
        running = false;
        unnotifiedExit = OptionalInt.empty();
    }

    void exitsUnnoticed(int code) {
        if (unnotifiedExit.isEmpty()) {
            unnotifiedExit = OptionalInt.of(code);
        }
    }

    void ignoresTerminate() {
        ignoresTerminate = true;
    }

    void ignoresKill() {
        ignoresTerminate = true;
        ignoresKill = true;
    }

    /** Whether its output is recorded. */
    boolean recordsOutput() {
        return recordsOutput;
    }

    void prints(String line) {
        output.add(line);
    }

    /** Sets whether it prints a line for each probe. */
    void logsProbes(boolean does) {
        logsProbes = does;
    }

    boolean logsProbes() {
        return isAlive() && logsProbes;
    }

    /** The exit code, if it exited without a notification. */
    OptionalInt unnotifiedExit() {
        return unnotifiedExit;
    }

    /** The exit code: that of an exit without notification, or the given one. */
    int exitCode(int code) {
        return unnotifiedExit.orElse(code);
    }

    /** The exit code after the signals of a stop; empty if it runs on. */
    OptionalInt exitUnder(StopModel stop) {
        if (running && stop.isKilled() && !ignoresKill) {
            return OptionalInt.of(exitCode(SIGKILL_CODE));
        }
        return running && stop.isTerminated() && !ignoresTerminate ? OptionalInt.of(exitCode(0)) : OptionalInt.empty();
    }
}
