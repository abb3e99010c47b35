package io.github.workerregistry.process;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Processes that are started by or known to a test, and killed after it, passed or failed. */
final class RealProcesses implements AfterEachCallback {

    private final Set<ProcessHandle> known = ConcurrentHashMap.newKeySet();

    /** Starts a process that is no worker. */
    ProcessHandle start(String... command) {
        try {
            return watch(new ProcessBuilder(command)
                    .redirectOutput(Redirect.DISCARD)
                    .redirectError(Redirect.DISCARD)
                    .start()
                    .toHandle());
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    ProcessHandle watch(ProcessHandle process) {
        known.add(process);
        return process;
    }

    /**
     * Kills a process and forgets it: with fast reuse of pids, its handle could equal that of an unrelated process with
     * the same pid and start time.
     */
    void end(ProcessHandle process) {
        process.destroyForcibly();
        known.remove(process);
    }

    /** The live process with this pid. */
    ProcessHandle watch(long pid) {
        return watch(ProcessHandle.of(pid).orElseThrow());
    }

    /** A zombie does not run, although its handle reports that it is alive. */
    static boolean runs(ProcessHandle process) {
        return process.isAlive()
                && Proc.stat(process.pid()).value().filter(Proc.Stat::isZombie).isEmpty();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        known.forEach(ProcessHandle::destroyForcibly);
    }
}
