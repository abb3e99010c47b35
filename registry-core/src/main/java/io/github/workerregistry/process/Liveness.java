package io.github.workerregistry.process;

/** Whether a process runs. */
enum Liveness {
    RUNNING,
    /** It has ended, for certain; its pid is free, another process's, or a zombie's. */
    ENDED,
    /** It cannot be told now, and nothing follows from that. */
    UNKNOWN
}
