package io.github.workerregistry.process;

/** The process that was started for a worker. Thread-safe. */
final class RootProcess {

    private final Process process;
    private final ProcessMark mark;
    private volatile ProcessIdentity identity;

    RootProcess(Process process, ProcessMark mark) {
        this.process = process;
        this.mark = mark;
        this.identity = ProcessIdentity.ofChild(process);
    }

    /** Its identity, read again if its start time could not be read so far. */
    ProcessIdentity identity() {
        if (identity.startTime() == ProcessIdentity.UNKNOWN && process.isAlive()) {
            identity = ProcessIdentity.ofChild(process);
        }
        return identity;
    }

    ProcessMark mark() {
        return mark;
    }

    /** Adds it to its tree: it is not found if its program emptied its environment, or if the search fails. */
    void addTo(ProcessTree tree) {
        ProcessIdentity known = identity();
        if (known.startTime() != ProcessIdentity.UNKNOWN && !known.hasEnded()) {
            tree.add(known, mark);
        }
    }

    /** False if it runs and its start time cannot be read now: then it is in no tree. */
    boolean isIdentified() {
        return identity().startTime() != ProcessIdentity.UNKNOWN || !process.isAlive();
    }

    /** Whether the JDK has not reported its exit yet. */
    boolean isAlive() {
        return process.isAlive();
    }

    /** Whether it runs; false as soon as it has exited, even if the JDK has not reported that yet. */
    boolean mayRun() {
        return process.isAlive() && !identity().hasEnded();
    }

    int exitValue() {
        return process.exitValue();
    }

    /** The pid, without another read. */
    long pid() {
        return identity.pid();
    }
}
