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

    /** The process with this pid, which is alive. */
    ProcessHandle watch(long pid) {
        return watch(ProcessHandle.of(pid).orElseThrow());
    }

    @Override
    public void afterEach(ExtensionContext context) {
        known.forEach(ProcessHandle::destroyForcibly);
    }
}
