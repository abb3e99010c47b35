package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;

/** Port ranges for tests that nobody else on this machine uses, nor the same tests in another JVM at the same time. */
final class FreePorts {

    private static final int FIRST = 20_000;
    private static final int LAST = 32_000; // beyond, the system gives them to clients
    private static final int OWN = FIRST + (int) (ProcessHandle.current().pid() * 128 % (LAST - FIRST));

    private FreePorts() {}

    /**
     * A range of {@code size} ports that were all free a moment ago, outside the range the system gives out by itself.
     */
    static PortRange range(int size) {
        for (int tried = 0; tried < LAST - FIRST; tried += size) {
            int first = FIRST + (OWN - FIRST + tried) % (LAST - FIRST);
            if (allFree(first, size)) {
                return PortRange.of(first, first + size - 1);
            }
        }
        throw new IllegalStateException("no " + size + " free ports in a row");
    }

    /** None is taken by another range of this JVM either: that of an earlier test, say. */
    private static boolean allFree(int first, int size) {
        PortRange range = PortRange.of(first, first + size - 1);
        List<Integer> taken = new ArrayList<>();
        try {
            for (int i = 0; i < size; i++) {
                taken.add(range.take());
            }
            return true;
        } catch (PortsExhaustedException inUse) {
            return false;
        } finally {
            taken.forEach(range::giveBack);
        }
    }

    /** Whether the port in the worker's url has been given back to the range. Takes them all, for a moment. */
    static boolean isFree(PortRange range, WorkerInfo worker) {
        List<Integer> free = new ArrayList<>();
        try {
            while (true) {
                free.add(range.take());
            }
        } catch (PortsExhaustedException all) {
            free.forEach(range::giveBack);
            return free.contains(URI.create(worker.url()).getPort());
        }
    }

    /** A socket that listens on a port of the system's choice. */
    static ServerSocket listen() {
        try {
            return new ServerSocket(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
