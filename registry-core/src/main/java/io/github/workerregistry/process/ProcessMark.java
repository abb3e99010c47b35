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
     * read it. One whose first thread has ended bears what another of its threads shows.
     */
    static Look lookAt(long pid) {
        String first = Long.toString(pid);
        Reading<String> environment = Proc.environment(first);
        if (environment.isGone() || shows(environment)) {
            return look(first, environment);
        }
        Reading<Proc.Stat> stat = Proc.stat(pid);
        if (stat.value().filter(Proc.Stat::livesInOtherThreads).isPresent()) {
            return lookAtThread(LivingThread.of(pid));
        }
        boolean isBare = stat.value().filter(Proc.Stat::isBare).isPresent();
        return isBare ? Look.UNMARKED : stat.hasFailed() ? Look.UNKNOWN : look(first, environment);
    }

    private static Look lookAtThread(Reading<String> living) {
        return living.value()
                .map(thread -> look(thread, Proc.environment(thread)))
                .orElse(living.isGone() ? Look.UNMARKED : Look.UNKNOWN);
    }

    private static Look look(String task, Reading<String> environment) {
        return switch (environment.outcome()) {
            case GONE, REFUSED -> Look.UNMARKED;
            case FAILED -> Look.UNKNOWN;
            case READ ->
                shows(environment) || isReallyEmpty(task)
                        ? new Look(true, environment.value().flatMap(ProcessMark::markIn))
                        : Look.UNKNOWN;
        };
    }

    private static boolean shows(Reading<String> environment) {
        return environment.value().filter(text -> !text.isEmpty()).isPresent();
    }

    private static Optional<ProcessMark> markIn(String environment) {
        String entries = "\0" + environment;
        String before = "\0" + NAME + "=";
        int entry = entries.indexOf(before);
        int start = entry + before.length();
        int end = entry < 0 ? -1 : entries.indexOf('\0', start);
        return end < 0 ? Optional.empty() : Optional.of(new ProcessMark(entries.substring(start, end)));
    }

    /**
     * The last step of exec looks like an empty environment, for microseconds. At the second look it is over, unless
     * that met the same step of the next exec; then the address is another.
     */
    private static boolean isReallyEmpty(String task) {
        return addressOfEmptyEnvironment(task)
                .filter(first -> addressOfEmptyEnvironment(task).equals(Optional.of(first)))
                .isPresent();
    }

    private static Optional<Long> addressOfEmptyEnvironment(String task) {
        return Proc.stat(task).value().filter(Proc.Stat::hasNoEnvironment).map(Proc.Stat::environmentStart);
    }

    /**
     * What one look at a process says.
     *
     * @param sure false if that cannot be told now: the process is changing its program and shows no environment in
     *     that instant, or it cannot be read (no file descriptor is free). To be looked at again
     * @param mark empty for a process without one, and for one that is not ours to read
     */
    record Look(boolean sure, Optional<ProcessMark> mark) {
        static final Look UNMARKED = new Look(true, Optional.empty());
        static final Look UNKNOWN = new Look(false, Optional.empty());
    }
}
