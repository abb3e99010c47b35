package io.github.workerregistry.lifecycle;

import io.github.workerregistry.WorkerInfo;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.ServerSocket;
import java.net.URI;
import java.util.ArrayList;
import java.util.List;

/** Port ranges for tests that no other process of this machine uses, and no other JVM that runs these tests. */
@SuppressWarnings("exports") // a test class in an exported package, not visible to users
public final class FreePorts {

    private static final int FIRST = 20_000;
    private static final int LAST = 32_000; // ports above are ephemeral
    private static final int OWN = FIRST + (int) (ProcessHandle.current().pid() * 128 % (LAST - FIRST));

    private FreePorts() {}

    /** A range of {@code size} free ports, outside the range of ephemeral ports. */
    public static PortPool range(int size) {
        for (int tried = 0; tried < LAST - FIRST; tried += size) {
            int first = FIRST + (OWN - FIRST + tried) % (LAST - FIRST);
            if (allFree(first, size)) {
                return PortPool.of(first, first + size - 1);
            }
        }
        throw new IllegalStateException("no " + size + " free ports in a row");
    }

    /** Whether no other pool of this JVM holds one of them, for example that of an earlier test. */
    private static boolean allFree(int first, int size) {
        PortPool range = PortPool.of(first, first + size - 1);
        List<Integer> taken = new ArrayList<>();
        try {
            for (int i = 0; i < size; i++) {
                taken.add(range.acquire());
            }
            return true;
        } catch (PortsExhaustedException inUse) {
            return false;
        } finally {
            taken.forEach(range::release);
        }
    }

    /** Whether the port of the worker's url has been released to the pool. Acquires all ports for a moment. */
    static boolean isFree(PortPool range, WorkerInfo worker) {
        List<Integer> free = new ArrayList<>();
        try {
            while (true) {
                free.add(range.acquire());
            }
        } catch (PortsExhaustedException all) {
            free.forEach(range::release);
            return free.contains(URI.create(worker.url()).getPort());
        }
    }

    /** A socket that listens on an ephemeral port. */
    static ServerSocket listen() {
        try {
            return new ServerSocket(0);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
