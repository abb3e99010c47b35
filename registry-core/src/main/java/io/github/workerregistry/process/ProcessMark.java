package io.github.workerregistry.process;

import java.util.Map;
import java.util.Optional;

/**
 * A mark in the environment of a child, by which it and what it starts in turn are found again.
 *
 * <p>A process inherits the environment of its parent and keeps it when that parent dies. So the mark finds what no
 * walk from parent to child can: a grandchild that was handed to pid 1, also in a session of its own.
 *
 * <p>Only Linux shows the environment of others; elsewhere nobody bears a mark. A process that was started with an
 * emptied environment does not bear it, nor does one that starts its own marked processes: those bear its mark.
 *
 * @param value what nothing else on this machine has as its mark; no NUL
 */
record ProcessMark(String value) {

    private static final String NAME = "WORKER_REGISTRY_MARK";

    /**
     * Read by py-setproctitle, which vLLM, SGLang and Ray use: set, it writes its titles no longer over the
     * environment. <a href="https://github.com/dvarrazzo/py-setproctitle#environment-variables">Documented there</a>;
     * the price is a short title.
     */
    private static final String KEEP_ENVIRONMENT = "SPT_NOENV";

    void putInto(Map<String, String> environment) {
        environment.put(NAME, value);
        environment.putIfAbsent(KEEP_ENVIRONMENT, "1");
    }

    /** Whether a process bears this very mark, and not one that merely begins like it. */
    Finding on(ProcessHandle process) {
        Optional<String> environment = Proc.environment(process.pid());
        if (environment.isEmpty()) {
            return Finding.ABSENT;
        }
        if (environment.get().isEmpty()) {
            return isReallyEmpty(process.pid()) ? Finding.ABSENT : Finding.UNKNOWN;
        }
        return ("\0" + environment.get()).contains("\0" + NAME + "=" + value + "\0") ? Finding.PRESENT : Finding.ABSENT;
    }

    /**
     * The last step of exec looks like an empty environment, for microseconds. At the second look it is over, unless
     * that met the same step of the next exec; then the address is another.
     */
    private static boolean isReallyEmpty(long pid) {
        Optional<Long> first = emptyAt(pid);
        return first.isPresent() && first.equals(emptyAt(pid));
    }

    private static Optional<Long> emptyAt(long pid) {
        return Proc.stat(pid).filter(Proc.Stat::hasNoEnvironment).map(Proc.Stat::environmentStart);
    }

    /** What one look at a process says. */
    enum Finding {
        PRESENT,
        ABSENT,
        /** The process is changing its program, and shows no environment in that instant. Look again. */
        UNKNOWN
    }
}
