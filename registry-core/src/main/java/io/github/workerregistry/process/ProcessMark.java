package io.github.workerregistry.process;

import java.util.Map;
import java.util.Optional;

/**
 * A mark in the environment of a child, by which the child and its descendants are found. Its content is an
 * {@link Origin}.
 *
 * <p>A process inherits the environment of its parent and keeps it after the parent exits. So the mark also finds a
 * grandchild that was re-parented to pid 1, even in its own session.
 *
 * <p>Only Linux exposes the environment of other processes; elsewhere no process has a mark. A process started with an
 * empty environment has no mark, and processes that a nested hive starts have the mark of that hive.
 *
 * @param value unique on this machine; no NUL
 */
record ProcessMark(String value) {

    static final String NAME = "WORKER_REGISTRY_MARK";

    /**
     * Read by py-setproctitle, which vLLM, SGLang and Ray use: if set, titles do not overwrite the environment. <a
     * href="https://github.com/dvarrazzo/py-setproctitle#environment-variables">Documented there</a>; titles are
     * shorter then.
     */
    private static final String KEEP_ENVIRONMENT = "SPT_NOENV";

    void putInto(Map<String, String> environment) {
        environment.put(NAME, value);
        environment.putIfAbsent(KEEP_ENVIRONMENT, "1");
    }

    /**
     * Reads the mark of the process with this pid: a complete entry of its environment. If its first thread has ended,
     * the environment of another thread is read.
     */
    static Observation observe(long pid) {
        String first = Long.toString(pid);
        Reading<String> environment = Proc.environment(first);
        if (environment.isAbsent() || isVisible(environment)) {
            return fromEnvironment(first, environment);
        }
        Reading<Proc.Stat> stat = Proc.stat(pid);
        if (stat.value().filter(Proc.Stat::livesInOtherThreads).isPresent()) {
            return observeThread(LiveThreadFinder.of(pid));
        }
        boolean isBare = stat.value().filter(Proc.Stat::isBare).isPresent();
        if (isBare) {
            return Observation.UNMARKED;
        }
        return stat.hasFailed() ? Observation.UNKNOWN : fromEnvironment(first, environment);
    }

    private static Observation observeThread(Reading<String> living) {
        return living.value()
                .map(thread -> fromEnvironment(thread, Proc.environment(thread)))
                .orElse(living.isAbsent() ? Observation.UNMARKED : Observation.UNKNOWN);
    }

    private static Observation fromEnvironment(String task, Reading<String> environment) {
        return switch (environment.outcome()) {
            case ABSENT, REFUSED -> Observation.UNMARKED;
            case FAILED -> Observation.UNKNOWN;
            case READ ->
                isVisible(environment) || isReallyEmpty(task)
                        ? new Observation(true, environment.value().flatMap(ProcessMark::markIn))
                        : Observation.UNKNOWN;
        };
    }

    private static boolean isVisible(Reading<String> environment) {
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
     * During the last step of exec the environment seems empty for microseconds. A second read is after that step, or
     * in the same step of the next exec; then the address differs.
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
     * The result of reading the mark of a process.
     *
     * @param sure false if the mark cannot be determined now and must be read again: the process is in exec and shows
     *     no environment, or it cannot be read (no free file descriptor)
     * @param mark empty for a process without a mark, and for one that this JVM may not read
     */
    record Observation(boolean sure, Optional<ProcessMark> mark) {
        static final Observation UNMARKED = new Observation(true, Optional.empty());
        static final Observation UNKNOWN = new Observation(false, Optional.empty());
    }
}
