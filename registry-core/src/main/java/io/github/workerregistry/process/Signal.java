package io.github.workerregistry.process;

import java.util.Optional;

/** The signals that end a process, weaker first, and how they are sent to one process and to no other. */
enum Signal {
    TERM,
    KILL;

    /**
     * Sends it once. That takes a file descriptor: the JDK reads the start time of a process before it signals it.
     *
     * @return whether the target has got it, or needs none because it has ended; if not, it is to be sent again
     */
    boolean send(ProcessIdentity target) {
        // The handle comes first: if the target runs after that, it is the target's, and a dead one once that has gone.
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
