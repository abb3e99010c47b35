package io.github.workerregistry.process;

import java.io.IOException;
import java.lang.ProcessBuilder.Redirect;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Processes that a test starts, or merely knows, and that are ended with it, however it ends. */
final class RealProcesses implements AfterEachCallback {

    private final Set<ProcessHandle> known = ConcurrentHashMap.newKeySet();

    /** Starts one that is no worker. */
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
     * Ends one for good. After a hundred of these within a moment, an old handle would be equal to that of a stranger
     * who got the pid in the same tick of the clock; so it is forgotten.
     */
    void end(ProcessHandle process) {
        process.destroyForcibly();
        known.remove(process);
    }

    /** The process with this pid, which is alive. */
    ProcessHandle watch(long pid) {
        return watch(ProcessHandle.of(pid).orElseThrow());
    }

    /** A zombie does not run, though its handle says that it is alive. */
    static boolean runs(ProcessHandle process) {
        return process.isAlive()
                && Proc.stat(process.pid()).value().filter(Proc.Stat::isZombie).isEmpty();
    }

    @Override
    public void afterEach(ExtensionContext context) {
        known.forEach(ProcessHandle::destroyForcibly);
    }
}
