package io.github.workerregistry.lifecycle;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** The process of one generation of a modelled worker: whether it is there, and what it makes of signals. */
final class ModelledProcess {

    private static final int SIGKILL_CODE = 137;

    private boolean starting = true;
    private boolean running;
    private boolean ignoresTerminate;
    private boolean ignoresKill;

    /** How it ended, if nobody was told. */
    private OptionalInt silentExit = OptionalInt.empty();

    private final List<String> output = new ArrayList<>();

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

    List<String> output() {
        return List.copyOf(output);
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

    void prints(String line) {
        output.add(line);
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
