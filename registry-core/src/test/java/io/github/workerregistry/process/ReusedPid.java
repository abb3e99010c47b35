package io.github.workerregistry.process;

import static org.assertj.core.api.Assertions.fail;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.abort;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;

/**
 * Starts a process with the pid of a dead one: the kernel assigns pids in ascending order, and root may set the last
 * one. Other programs on this machine start processes too, so it is attempted many times.
 */
final class ReusedPid {

    private static final Path LAST_PID = Path.of("/proc/sys/kernel/ns_last_pid");
    private static final int ATTEMPTS = 300;

    private ReusedPid() {}

    /** Skips the test if the last pid cannot be set. */
    static void assumePidCanBeSet() {
        try {
            Files.writeString(LAST_PID, Files.readString(LAST_PID));
        } catch (IOException e) {
            assumeTrue(false, "pids cannot be forced here, that takes root on Linux: " + e);
        }
    }

    /**
     * Starts a process so that it gets the pid of a process that has exited and was reaped.
     *
     * @param start starts a process
     * @param pidOf its pid
     * @param end kills a process that got another pid
     */
    static <P> P start(ProcessIdentity dead, Supplier<P> start, ToLongFunction<P> pidOf, Consumer<P> end) {
        await().until(() -> !Files.exists(Path.of("/proc/" + dead.pid())));
        for (int i = 0; i < ATTEMPTS; i++) {
            P process = startAfter(dead.pid() - 1, start);
            if (pidOf.applyAsLong(process) == dead.pid()) {
                return process;
            }
            end.accept(process);
        }
        if (Files.exists(Path.of("/proc/" + dead.pid()))) {
            abort("another program on this machine got pid " + dead.pid());
        }
        return fail("pid " + dead.pid() + " was not assigned in " + ATTEMPTS + " attempts");
    }

    private static <P> P startAfter(long lastPid, Supplier<P> start) {
        try {
            Files.writeString(LAST_PID, Long.toString(lastPid));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
        return start.get();
    }
}
