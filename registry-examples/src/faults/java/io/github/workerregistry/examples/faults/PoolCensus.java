package io.github.workerregistry.examples.faults;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Counts the processes of the model pool from outside: children of this JVM with the mark in their command line. */
final class PoolCensus implements Runnable {

    private static final boolean PROC = Files.exists(commandFile(ProcessHandle.current()));

    private final String mark;
    private long most;
    private long looks;

    PoolCensus(String mark) {
        this.mark = mark;
    }

    /** Counts once. A process that has exited and is not reaped has no command line. */
    @Override
    public synchronized void run() {
        long alive = ProcessHandle.current()
                .children()
                .filter(child -> commandOf(child).contains(mark))
                .count();
        most = Math.max(most, alive);
        looks++;
    }

    /** From /proc where there is one: the JDK looks up more than the command line. */
    private static String commandOf(ProcessHandle process) {
        try {
            return PROC ? Files.readString(commandFile(process), ISO_8859_1) : commandLine(process);
        } catch (IOException exited) {
            return "";
        }
    }

    private static Path commandFile(ProcessHandle process) {
        return Path.of("/proc", Long.toString(process.pid()), "cmdline");
    }

    private static String commandLine(ProcessHandle process) {
        return process.info().commandLine().orElse("");
    }

    /** The largest number of processes that were alive at the same time. */
    synchronized long most() {
        return most;
    }

    /** How often they were counted. */
    synchronized long looks() {
        return looks;
    }
}
