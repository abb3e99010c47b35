package io.github.workerregistry.process;

import java.util.Map;
import java.util.Optional;

/**
 * A mark in the environment of a child, by which it and what it starts in turn are found again. What it says is an
 * {@link Origin}.
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

    /**
     * Looks which mark the process bears that has this pid now: the whole of one entry, as the process itself would
     * read it.
     */
    static Look lookAt(long pid) {
        Optional<String> environment = Proc.environment(pid);
        if (environment.isEmpty()) {
            return Look.UNMARKED;
        }
        if (environment.get().isEmpty()) {
            return isReallyEmpty(pid) ? Look.UNMARKED : Look.UNKNOWN;
        }
        return new Look(true, markIn("\0" + environment.get()));
    }

    private static Optional<ProcessMark> markIn(String entries) {
        String before = "\0" + NAME + "=";
        int entry = entries.indexOf(before);
        int start = entry + before.length();
        int end = entry < 0 ? -1 : entries.indexOf('\0', start);
        return end < 0 ? Optional.empty() : Optional.of(new ProcessMark(entries.substring(start, end)));
    }

    /**
     * The last step of exec looks like an empty environment, for microseconds. At the second look it is over, unless
     * that met the same step of the next exec; then the address is another. Who has no memory is at no step of exec.
     */
    private static boolean isReallyEmpty(long pid) {
        return withoutEnvironment(pid)
                .filter(first -> first.memory() == 0 || isWithoutEnvironmentAt(first.environmentStart(), pid))
                .isPresent();
    }

    private static boolean isWithoutEnvironmentAt(long address, long pid) {
        return withoutEnvironment(pid)
                .filter(stat -> stat.environmentStart() == address)
                .isPresent();
    }

    private static Optional<Proc.Stat> withoutEnvironment(long pid) {
        return Proc.stat(pid).filter(Proc.Stat::hasNoEnvironment);
    }

    /**
     * What one look at a process says.
     *
     * @param sure false if the process is changing its program, and shows no environment in that instant: look again
     * @param mark empty for a process without one, and for one that is not ours to read
     */
    record Look(boolean sure, Optional<ProcessMark> mark) {
        static final Look UNMARKED = new Look(true, Optional.empty());
        static final Look UNKNOWN = new Look(false, Optional.empty());
    }
}
