package io.github.workerregistry.lifecycle;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** The process of one generation of a modelled worker: whether it is there, and what it makes of signals. */
final class ModelledProcess {

    private static final int SIGKILL_CODE = 137;
    private static final int LINES_KEPT = 20;

    private boolean starting = true;
    private boolean running;
    private boolean ignoresTerminate;
    private boolean ignoresKill;
    private boolean logsProbes;
    private final boolean recordsOutput;

    /** How it ended, if nobody was told. */
    private OptionalInt silentExit = OptionalInt.empty();

    private final List<String> output = new ArrayList<>();

    ModelledProcess(boolean recordsOutput) {
        this.recordsOutput = recordsOutput;
    }

    boolean isStarting() {
        return starting;
    }

    /** As far as the supervisor knows. */
    boolean isRunning() {
        return running;
    }

    boolean isThere() {
        return running && silentExit.isEmpty();
    }

    boolean isStartingOrRunning() {
        return starting || running;
    }

    boolean isStuck() {
        return running && (ignoresTerminate || silentExit.isPresent());
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

    void gone() {
        running = false;
        silentExit = OptionalInt.empty();
    }

    void exitsUnnoticed(int code) {
        if (silentExit.isEmpty()) {
            silentExit = OptionalInt.of(code);
        }
    }

    void ignoresTerminate() {
        ignoresTerminate = true;
    }

    void ignoresKill() {
        ignoresTerminate = true;
        ignoresKill = true;
    }

    /** Whether what it prints is seen. */
    boolean recordsOutput() {
        return recordsOutput;
    }

    void prints(String line) {
        output.add(line);
    }

    /** It prints a line for each probe from now on, or no more. */
    void logsProbes(boolean does) {
        logsProbes = does;
    }

    boolean logsProbes() {
        return isThere() && logsProbes;
    }

    /** How it had ended already, if nobody was told. */
    OptionalInt silentExit() {
        return silentExit;
    }

    /** How it ends, unless it had ended already. */
    int exitCode(int code) {
        return silentExit.orElse(code);
    }

    /** How it ends by the signals that it has had; empty if it runs on. */
    OptionalInt exitUnder(ModelledStop stop) {
        if (running && stop.isKilled() && !ignoresKill) {
            return OptionalInt.of(exitCode(SIGKILL_CODE));
        }
        return running && stop.isTerminated() && !ignoresTerminate ? OptionalInt.of(exitCode(0)) : OptionalInt.empty();
    }
}
