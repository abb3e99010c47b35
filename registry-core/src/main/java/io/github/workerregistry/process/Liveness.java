package io.github.workerregistry.process;

/** Whether a process runs. */
enum Liveness {
    RUNNING,
    /** It has exited for certain; its pid is free, reused, or that of a zombie. */
    ENDED,
    /** It cannot be read now; callers must not conclude anything. */
    UNKNOWN
}
