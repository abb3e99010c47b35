package io.github.workerregistry.lifecycle;

import io.github.workerregistry.Exit;
import io.github.workerregistry.WorkerInfo;
import java.util.List;

/** How a process exits, the signal that makes it, and the cause if no stop was requested. */
enum ProcessExit {
    CODE_0("USR1", 0, Exit.Cause.EXITED),
    CODE_3("USR2", 3, Exit.Cause.CRASHED),
    SIGKILL("KILL", 137, Exit.Cause.CRASHED),
    SIGSEGV("SEGV", 139, Exit.Cause.CRASHED),
    TRAPPED_SIGTERM("TERM", 7, Exit.Cause.CRASHED);

    /** The traps for the signals. */
    private static final String TRAPS = "ulimit -c 0; trap 'exit 0' USR1; trap 'exit 3' USR2; ";

    /** A worker for every exit, with a child. It writes its pid once it handles signals and its child runs. */
    static final String SCRIPT = TRAPS + "trap 'exit 7' TERM; sleep 1000 &"
            + " until read name < /proc/$!/comm && [ $name = sleep ]; do :; done; echo $$ >> $FLAG; wait";

    /** The same, but it ignores SIGTERM. */
    static final String IGNORES_SIGTERM_SCRIPT = TRAPS + "trap '' TERM; echo $$ >> $FLAG; while :; do sleep 0.2; done";

    final int code;
    final Exit.Cause cause;
    private final String signal;

    ProcessExit(String signal, int code, Exit.Cause cause) {
        this.signal = signal;
        this.code = code;
        this.cause = cause;
    }

    /** Whether a restart follows: the table of {@link ExitMatrixIT} as a rule. */
    boolean isCoveredBy(RestartPolicy.Mode mode) {
        return switch (mode) {
            case NEVER -> false;
            case ON_FAILURE -> cause == Exit.Cause.CRASHED;
            case ALWAYS -> true;
        };
    }

    /** Makes the processes of these workers exit so, all at once. */
    void strike(List<WorkerInfo> workers) {
        RealHive.signal(signal, workers);
    }
}
