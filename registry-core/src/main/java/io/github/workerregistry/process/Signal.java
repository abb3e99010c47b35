package io.github.workerregistry.process;

import java.util.Optional;

/** The signals that end a process, weaker first. Sends them only to the identified process. */
enum Signal {
    TERM,
    KILL;

    /**
     * Sends the signal once. Takes a file descriptor, because the JDK reads the start time of a process before
     * signalling it.
     *
     * @return true if the signal was delivered or the target has exited; if false, send it again
     */
    boolean send(ProcessIdentity target) {
        // The handle is obtained first: if the target still runs afterwards, the handle belongs to it.
        Optional<ProcessHandle> process = ProcessHandle.of(target.pid());
        return switch (target.liveness()) {
            case ENDED -> true;
            case UNKNOWN -> false;
            case RUNNING -> process.filter(this::sendTo).isPresent() || target.hasEnded();
        };
    }

    private boolean sendTo(ProcessHandle process) {
        return this == TERM ? process.destroy() : process.destroyForcibly();
    }
}
